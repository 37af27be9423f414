// Package httpserver serves the HTTP routes of the program, limits requests, and shuts down without
// losing requests in progress. GraphQL is an http.Handler for it.
package httpserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// Options configures a [Server]. The zero value of each field except GraphQL is a default.
type Options struct {
	// GraphQL serves GET and POST /graphql. It is required. The context of a request has a
	// deadline, whose cause is a context.DeadlineExceeded. Reading the body fails with an
	// *http.MaxBytesError after MaxBody bytes, and with a *BodyMemoryError if the bodies of all
	// requests together are too large. A HEAD request is passed as a GET request.
	GraphQL http.Handler

	// BasePath is the path below which all routes are. It begins with a slash and does not end in
	// one. If it is empty, the routes are below the root.
	BasePath string

	// Playground serves the page at / and its files under /assets/. If nil, there is no page.
	Playground http.Handler

	// Certificate enables TLS 1.2 or later and HTTP/2. If nil, the server speaks plain HTTP/1.1.
	Certificate *Certificate

	// AllowedOrigins are the origins whose pages may call GraphQL, besides the server's own, in the
	// format of the Origin header.
	AllowedOrigins []string

	// SDL is the content of /schema.graphql.
	SDL string

	// Logger receives one line for each request, and events of the server. If nil, nothing is
	// logged.
	Logger *slog.Logger

	// Observer is called for every request.
	Observer Observer

	// RequestTimeout limits one GraphQL request. The default is 30 s.
	RequestTimeout time.Duration

	// IdleTimeout is the time for which a connection is kept open without a request. The default is
	// 90 s.
	IdleTimeout time.Duration

	// MaxHeader limits the header of a request with its request line, in bytes. The default is
	// 16 KiB.
	MaxHeader int64

	// TrustedProxies are the networks of the proxies whose X-Forwarded-For is believed in the log.
	TrustedProxies []netip.Prefix

	// MaxBody limits the body of a GraphQL request, in bytes. The default is 256 KiB.
	MaxBody int64

	// DrainDelay is the time for which new requests are accepted after /readyz has begun to return
	// 503, so that load balancers stop sending requests before the port closes. It may be 0.
	DrainDelay time.Duration

	// DrainTimeout limits the wait for requests in progress, after DrainDelay. The default is
	// RequestTimeout plus 5 s.
	DrainTimeout time.Duration
}

// Observer observes requests. Its functions are called by the goroutines that serve the requests.
// Each may be nil.
type Observer struct {
	// Begun is called when a request arrives.
	Begun func()

	// Ended is called when the request has been served, with the values of the log line: known
	// methods and routes, the status, which is 0 if the connection was aborted before a response,
	// and the time since Begun.
	Ended func(method, route string, status int, took time.Duration)

	// StartSpan is called with a GraphQL request, and returns the context that the request is
	// served with. EndSpan is called with that context and the status, after Ended.
	StartSpan func(ctx context.Context, header http.Header, method string) context.Context
	EndSpan   func(ctx context.Context, status int)
}

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	maxStreams        = 100 // concurrent streams of an HTTP/2 connection

	// responseTime is the time after RequestTimeout for writing the response, which may be the
	// error of the timeout.
	responseTime = 5 * time.Second
)

// States of a Server, in order.
const (
	starting int32 = iota
	ready
	draining
)

// Server serves the routes of the program. [New] creates one. It is safe for concurrent use, but
// Run may be called only once.
type Server struct {
	options    Options
	mux        *http.ServeMux
	state      atomic.Int32
	timeout    error // cause of a request's deadline
	conns      connections
	bodyMemory memoryPool
}

// New returns a server that does not listen yet. It panics if o.GraphQL is nil.
func New(o Options) *Server {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.RequestTimeout = cmp.Or(o.RequestTimeout, 30*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 90*time.Second)
	o.MaxHeader = cmp.Or(o.MaxHeader, 16<<10)
	o.MaxBody = cmp.Or(o.MaxBody, 256<<10)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, o.RequestTimeout+responseTime)
	s := &Server{
		options: o,
		timeout: fmt.Errorf("the request took longer than %s: %w", o.RequestTimeout, context.DeadlineExceeded),
	}
	s.bodyMemory.free.Store(max(bodyPoolBytes, 2*o.MaxBody))
	s.mux = s.routes()
	return s
}

// Run serves connections of l until ctx is done, and then shuts down: /readyz returns 503, Run
// waits for DrainDelay, closes l, and waits up to DrainTimeout for the requests in progress.
//
// It returns nil when all requests have completed. If Run had to abort requests, it cancels their
// contexts, closes their connections and returns an error; their handlers may still be running. If
// l fails, Run waits for the requests in progress, too, and returns the error of l.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	// ctx ends the server, not its requests.
	base, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(nil)
	server := s.httpServer(base)
	port := &drainListener{Listener: l}

	served := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			served <- server.ServeTLS(port, "", "") // TLSConfig has the certificate
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
		abort(drained)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return drained
	}
	return errors.Join(fmt.Errorf("serve: %w", err), drained)
}

// drain waits for the requests in progress, and closes the connections of those that exceed
// DrainTimeout.
func (s *Server) drain(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.DrainTimeout)
	defer cancel()
	s.conns.wait(ctx)
	err := server.Shutdown(ctx) // closes idle connections
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := server.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return fmt.Errorf("requests cut off after %s of draining", s.options.DrainTimeout)
}

func (s *Server) httpServer(base context.Context) *http.Server {
	writeTimeout := s.options.RequestTimeout + responseTime
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       s.options.IdleTimeout,
		MaxHeaderBytes:    int(s.maxReadHeader()),
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       withMeter,
		ErrorLog:          newErrorLog(s.options.Logger),
		// With HTTP/2, WriteTimeout ends a stream. WriteByteTimeout ends the connection of a caller
		// that does not read.
		ConnState:                    s.connState,
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: writeTimeout},
		DisableGeneralOptionsHandler: true, // so that every request has an id and a log line
	}
	if c := s.options.Certificate; c != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.Get}
	}
	return server
}
