package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // also registers itself on http.DefaultServeMux, which nobody serves
	"time"
)

// AdminOptions is what an [Admin] is made of.
type AdminOptions struct {
	// Metrics answers GET /metrics; required.
	Metrics http.Handler

	// Logger gets what goes wrong; nil discards it.
	Logger *slog.Logger
}

const (
	// adminWriteTimeout bounds an answer. pprof adds the time that a profile is to last.
	adminWriteTimeout = 10 * time.Second

	// adminDrainTimeout is what a scrape gets to end. A profile that takes longer is cut off.
	adminDrainTimeout = time.Second
)

// Admin serves operators, apart from the public server: /metrics and /debug/pprof/, and nothing else. It asks for no
// credential.
type Admin struct {
	server *http.Server
	served chan struct{} // closed once the server has ended
}

// StartAdmin serves what l accepts until Close, which closes l. If l fails before, the log says so, and the program goes on
// without. It panics if there is no handler of metrics.
func StartAdmin(l net.Listener, o AdminOptions) *Admin {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Admin{
		server: &http.Server{
			Handler:           adminRoutes(o.Metrics),
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      adminWriteTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
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

// adminRoutes leaves out pprof's command line: it may hold secrets.
func adminRoutes(metrics http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // and the profiles by name
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// Close ends the server. Answers that have begun get a second to end.
func (a *Admin) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), adminDrainTimeout)
	defer cancel()
	if err := a.server.Shutdown(ctx); err != nil {
		_ = a.server.Close() // its listener is gone in any case
	}
	<-a.served
}
