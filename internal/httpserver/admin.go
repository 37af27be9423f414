package httpserver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // also registers on http.DefaultServeMux, which is not served
	"time"
)

// AdminOptions configures an [Admin].
type AdminOptions struct {
	// Metrics serves GET /metrics. It is required.
	Metrics http.Handler

	// Logger receives errors. If nil, they are discarded.
	Logger *slog.Logger
}

const (
	// adminWriteTimeout limits the time of a response. pprof adds the duration of a profile.
	adminWriteTimeout = 10 * time.Second
	adminIdleTimeout  = 60 * time.Second
	adminMaxHeader    = 16 << 10

	// adminDrainTimeout is the time that requests have to complete after Close. A longer profile is
	// aborted.
	adminDrainTimeout = time.Second
)

// Admin is a server for operators: it serves /metrics and /debug/pprof/. It requires no credential.
type Admin struct {
	server *http.Server
	served chan struct{} // closed after the server has ended
}

// StartAdmin serves connections of l until Close, which closes l. If l fails, StartAdmin logs the
// error and stops serving; the program continues. It panics if o.Metrics is nil.
func StartAdmin(l net.Listener, o AdminOptions) *Admin {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	a := &Admin{
		server: &http.Server{
			Handler:           adminRoutes(o.Metrics),
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      adminWriteTimeout,
			IdleTimeout:       adminIdleTimeout,
			MaxHeaderBytes:    adminMaxHeader,
			ErrorLog:          newErrorLog(o.Logger),
		},
		served: make(chan struct{}),
	}
	go func() {
		defer close(a.served)
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("admin server failed", "error", err)
		}
	}()
	return a
}

// adminRoutes does not serve the command line, as pprof would: it may contain secrets.
func adminRoutes(metrics http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // also serves profiles by name
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// Close shuts the server down. Requests in progress have one second to complete.
func (a *Admin) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), adminDrainTimeout)
	defer cancel()
	if err := a.server.Shutdown(ctx); err != nil {
		_ = a.server.Close() // an error is from the listener, which is no longer needed
	}
	<-a.served
}
