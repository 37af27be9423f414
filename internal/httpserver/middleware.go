package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"cvmgraph/internal/panics"
	"cvmgraph/internal/telemetry"
)

// ServeHTTP answers one request: it gives it an id, which is in the context (see [telemetry.RequestIDFrom]) and in
// X-Request-Id, routes it, turns a panic into a 500, logs one line, and tells the Observer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	if observe := s.options.Observer.Begun; observe != nil {
		observe()
	}
	id := telemetry.RequestID(r.Header.Get("X-Request-Id"))
	w.Header().Set("X-Request-Id", id)
	if s.state.Load() == draining {
		// Ends the connection after this answer, rather than under the caller's next request.
		w.Header().Set("Connection", "close")
	}
	ctx := telemetry.WithRequestID(r.Context(), id)
	if follow := s.options.Observer.Follow; follow != nil && r.URL.Path == graphqlPath {
		ctx = follow(ctx, r.Header, methodLabel(r.Method))
	}
	r = r.WithContext(ctx)
	rec := &recorder{ResponseWriter: w}
	defer s.ended(rec, r, begun)
	defer s.recoverPanic(rec, r)
	if spelt(r.URL.Path) {
		s.mux.ServeHTTP(rec, r)
	} else {
		notFound(rec, r)
	}
	if rec.status == 0 {
		rec.status = http.StatusOK // as net/http does for a handler that writes nothing
	}
}

// ended logs and observes the request. Status is 0 where the connection was aborted before there was one.
func (s *Server) ended(rec *recorder, r *http.Request, begun time.Time) {
	took := time.Since(begun)
	method, path, level := methodLabel(r.Method), pathLabel(r.URL.Path), slog.LevelInfo
	if observe := s.options.Observer.Ended; observe != nil {
		observe(method, path, rec.status, took)
	}
	if followed := s.options.Observer.Followed; followed != nil && path == graphqlPath {
		followed(r.Context(), rec.status)
	}
	if path == healthzPath || path == readyzPath {
		level = slog.LevelDebug
	}
	if r.Method == http.MethodHead {
		rec.bytes = 0 // net/http counts them as written, but sends none
	}
	var buf [7]slog.Attr
	attributes := append(buf[:0],
		slog.String("method", method),
		slog.String("path", path),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("request_id", telemetry.RequestIDFrom(r.Context())),
	)
	if trace := telemetry.TraceIDFrom(r.Context()); trace != "" {
		attributes = append(attributes, slog.String("trace_id", trace))
	}
	s.options.Logger.LogAttrs(r.Context(), level, "request", attributes...)
}

// recoverPanic answers for a handler that has panicked; it must be deferred itself. If an answer has begun, it aborts
// the connection, so that the caller does not take half of an answer for a whole one.
func (s *Server) recoverPanic(rec *recorder, r *http.Request) {
	reason := recover()
	if reason == nil {
		return
	}
	if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(reason)
	}
	id, caught := telemetry.RequestIDFrom(r.Context()), panics.FromRecover(reason)
	s.options.Logger.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("panic", caught.Kind),
		slog.String("stack", caught.Stack),
		slog.String("request_id", id),
	)
	if rec.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeError(rec, http.StatusInternalServerError, "internal error",
		extensions{"code": "INTERNAL_SERVER_ERROR", "requestId": id})
}

// bounded gives next a deadline and a body that ends.
func (s *Server) bounded(next http.Handler) http.Handler {
	if next == nil {
		panic("httpserver: no GraphQL handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := s.options.MaxBody
		if r.ContentLength > limit {
			writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request body is larger than %d bytes", limit),
				extensions{"code": "QUERY_TOO_COMPLEX", "limit": limit, "actual": r.ContentLength})
			return
		}
		ctx, cancel := context.WithTimeoutCause(r.Context(), s.options.RequestTimeout, s.late)
		defer cancel()
		r = r.WithContext(ctx) // a copy: net/http and the log keep theirs
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if announced := r.ContentLength; announced < 0 || announced > smallBody {
			body := &largeBody{ReadCloser: r.Body, budget: &s.bodyMemory}
			defer body.release()
			if announced > 0 && !body.reserve(announced) {
				w.Header().Set("Retry-After", strconv.Itoa(int(bodyRetryAfter.Seconds())))
				writeError(w, http.StatusServiceUnavailable, bodyMemoryMessage, extensions{"code": "UNAVAILABLE", "retryAfter": int(bodyRetryAfter.Seconds())})
				return
			}
			r.Body = body
		}
		if r.Method == http.MethodHead {
			r.Method = http.MethodGet // net/http leaves the body out
		}
		next.ServeHTTP(w, r)
	})
}

// recorder notes what has been answered. One goroutine, the handler's, uses it.
type recorder struct {
	http.ResponseWriter
	status int   // 0 until it is written
	bytes  int64 // of the body
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Flush stands here, and is not left to Unwrap, because it writes the header.
func (w *recorder) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // best effort, as in http.Flusher
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
