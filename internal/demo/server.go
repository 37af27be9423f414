package demo

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// DefaultToken is the bearer token for requests without a credential. It belongs to the tenant
// "demo".
const DefaultToken = "demo"

// The latency and the rate of changes of a Server: similar to a good API, and visible to a user.
const (
	serverLatency     = 4 * time.Millisecond
	serverChangeEvery = 5 * time.Second
)

// Server serves an [Upstream] on a loopback port.
type Server struct {
	// URL is the base URL of the API.
	URL string

	server *http.Server
	served chan struct{} // closed after the server has ended
}

// Start starts a server on a free port.
func Start() (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("demo upstream: %w", err)
	}
	s := &Server{
		URL: "http://" + listener.Addr().String() + BasePath,
		server: &http.Server{
			Handler:           New(Options{Latency: serverLatency, ChangeEvery: serverChangeEvery}),
			ReadHeaderTimeout: 5 * time.Second,
		},
		served: make(chan struct{}),
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(listener) // after an error, calls of the gateway fail
	}()
	return s, nil
}

// Close stops the server and waits until it has ended.
func (s *Server) Close() {
	_ = s.server.Close() // an error is from the listener, which is no longer needed
	<-s.served
}
