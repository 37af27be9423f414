// Package httpserver listens, routes, guards and drains. It knows http.Handler and nothing of GraphQL.
package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Options is what a [Server] is made of. Zero values are the defaults, but for GraphQL.
type Options struct {
	// GraphQL answers GET and POST /graphql; required. It is called with a deadline on the request's context, whose
	// cause is a context.DeadlineExceeded, and with a body that ends in an *http.MaxBytesError after MaxBody bytes, or in a
	// *BodyMemoryError where the bodies of all requests together are too large.
	// A HEAD request reaches it as a GET.
	GraphQL http.Handler

	// Playground serves the page at / and its files under /assets/; nil is no page.
	Playground http.Handler

	// Certificate makes the server speak TLS 1.2 and up, and HTTP/2; nil is plain HTTP/1.1.
	Certificate *Certificate

	// AllowedOrigins are the origins, as browsers write them, whose pages may call GraphQL besides its own.
	AllowedOrigins []string

	// SDL is the text of /schema.graphql.
	SDL string

	// Logger gets one line a request and the server's own; nil discards them.
	Logger *slog.Logger

	// Observer is told of every request.
	Observer Observer

	// RequestTimeout bounds one request to GraphQL; 0 is 30 s.
	RequestTimeout time.Duration

	// MaxBody bounds the body of a request to GraphQL, in bytes; 0 is 256 KiB.
	MaxBody int64

	// DrainDelay is how long new requests are still served after /readyz has turned to 503, so that load balancers
	// notice before the port closes; 0 is not at all.
	DrainDelay time.Duration

	// DrainTimeout bounds the wait for requests in flight, after DrainDelay; 0 is RequestTimeout and 5 s.
	DrainTimeout time.Duration
}

// Observer is told of requests, by the goroutines that answer them. A nil func is left out.
type Observer struct {
	// Begun is told that a request has come, Ended that it has been answered.
	Begun func()

	// Ended gets what the log gets: method and route of a known few, the status, 0 where the connection was aborted before
	// there was one, and the time since Begun.
	Ended func(method, route string, status int, took time.Duration)

	// Follow is told of a request to GraphQL, and returns the context that it is answered with. Followed gets that context and the
	// status, as Ended does.
	Follow   func(ctx context.Context, header http.Header, method string) context.Context
	Followed func(ctx context.Context, status int)
}

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
	maxStreams        = 100 // at a time, of a connection of HTTP/2

	// answerTime is what a request gets beyond RequestTimeout to write its answer, which may be the error that says
	// that the time is over.
	answerTime = 5 * time.Second
)

// The states of a Server, in their order.
const (
	starting int32 = iota
	ready
	draining
)

// Server serves the routes of the program. Make one with [New]. It is safe for concurrent use, but runs once.
type Server struct {
	options    Options
	mux        *http.ServeMux
	state      atomic.Int32
	late       error // the cause of a request's deadline
	conns      connections
	bodyMemory memoryBudget
}

// New returns a server that listens to nothing yet. It panics if there is no GraphQL handler.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 30 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 256 << 10
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = o.RequestTimeout + answerTime
	}
	s := &Server{
		options: o,
		late:    fmt.Errorf("the request took longer than %s: %w", o.RequestTimeout, context.DeadlineExceeded),
	}
	s.bodyMemory.free.Store(max(largeBodyMemory, 2*o.MaxBody))
	s.mux = s.routes()
	return s
}

// Run serves what l accepts until ctx is done, and then drains: /readyz turns to 503, DrainDelay passes, l is closed,
// and the requests in flight have DrainTimeout to end. The caller listens, so that it knows the address before;
// Run closes l.
//
// It returns nil once all requests have ended. If some had to be cut off it returns an error that says so: their
// contexts are done and their connections closed, but their handlers may take a moment to notice. If the listener
// failed, Run drains as well and returns that error.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	// ctx ends the server, not the requests that it is still to answer.
	base, cutOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cutOff(nil)
	server := s.httpServer(base)
	port := &stoppable{Listener: l}

	served := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			served <- server.ServeTLS(port, "", "") // the configuration has the certificate
			return
		}
		served <- server.Serve(port)
	}()
	s.state.Store(ready)

	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		s.state.Store(draining)
		s.options.Logger.Info("draining",
			"delay", s.options.DrainDelay.String(), "timeout", s.options.DrainTimeout.String())
		select {
		case err = <-served:
		case <-time.After(s.options.DrainDelay):
			port.stop()
			err = <-served
		}
	}
	s.state.Store(draining)

	drained := s.drain(base, server)
	if drained != nil {
		cutOff(drained)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return drained
	}
	return errors.Join(fmt.Errorf("serve: %w", err), drained)
}

// drain waits for the requests in flight, and closes the connections of those that take too long.
func (s *Server) drain(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.DrainTimeout)
	defer cancel()
	s.conns.wait(ctx)
	err := server.Shutdown(ctx) // closes those that are idle
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := server.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return fmt.Errorf("requests cut off after %s of draining", s.options.DrainTimeout)
}

func (s *Server) httpServer(base context.Context) *http.Server {
	writeTimeout := s.options.RequestTimeout + answerTime
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn),
		// WriteTimeout ends a stream, and not the connection of a caller who reads nothing.
		ConnState:                    s.conns.note,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: writeTimeout},
		DisableGeneralOptionsHandler: true, // every answer is one of ours, with an id and a line in the log
	}
	if c := s.options.Certificate; c != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.Get}
	}
	return server
}
