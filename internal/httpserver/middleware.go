package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/telemetry"
)

// ServeHTTP serves one request. It assigns an id, which is in the context (see
// [telemetry.RequestIDFrom]) and in X-Request-Id, routes the request, responds to a panic with
// status 500, writes one log line, and calls the Observer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	if observe := s.options.Observer.Begun; observe != nil {
		observe()
	}
	id := telemetry.RequestID(r.Header.Get("X-Request-Id"))
	w.Header().Set("X-Request-Id", id)
	if s.state.Load() == draining {
		// Close the connection after this response, not during the caller's next request.
		w.Header().Set("Connection", "close")
	}
	ctx := telemetry.WithRequestID(r.Context(), id)
	beginRequest(ctx)
	route := s.routed(r.URL)
	if start := s.options.Observer.StartSpan; start != nil && route.Path == graphqlPath {
		ctx = start(ctx, r.Header, methodLabel(r.Method))
	}
	// The URLs of the page are relative to a path that ends in a slash.
	lacksSlash := s.options.Playground != nil && s.options.BasePath != "" && r.URL.Path == s.options.BasePath
	r = r.WithContext(ctx) // a copy
	r.URL = route
	rec := &recorder{ResponseWriter: w}
	defer s.ended(rec, r, begun)
	defer s.recoverPanic(rec, r)
	switch size := headerBytes(r); {
	case size > s.options.MaxHeader:
		writeError(rec, http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the request header is larger than %d bytes", s.options.MaxHeader),
			extensions{"code": apierror.CodeBadRequest, "limit": s.options.MaxHeader, "actual": size})
	case isCanonical(route.Path):
		s.mux.ServeHTTP(rec, r)
	case lacksSlash:
		rec.Header().Set("Location", s.options.BasePath+"/")
		rec.WriteHeader(http.StatusTemporaryRedirect)
	default:
		notFound(rec, r)
	}
	if rec.status == 0 {
		rec.status = http.StatusOK // the status of net/http if a handler writes nothing
	}
}

// ended logs and observes the request. The status is 0 if the connection was aborted before a
// response.
func (s *Server) ended(rec *recorder, r *http.Request, begun time.Time) {
	took := time.Since(begun)
	method, path, level := methodLabel(r.Method), pathLabel(r.URL.Path), slog.LevelInfo
	if observe := s.options.Observer.Ended; observe != nil {
		observe(method, path, rec.status, took)
	}
	if end := s.options.Observer.EndSpan; end != nil && path == graphqlPath {
		end(r.Context(), rec.status)
	}
	if path == healthzPath || path == readyzPath {
		level = slog.LevelDebug
	}
	if r.Method == http.MethodHead {
		rec.bytes = 0 // net/http accepts the body, but does not send it
	}
	var buf [8]slog.Attr
	attributes := append(buf[:0],
		slog.String("method", method),
		slog.String("path", path),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.bytes),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("request_id", telemetry.RequestIDFrom(r.Context())),
		slog.String("client", s.client(r.RemoteAddr, r.Header["X-Forwarded-For"])),
	)
	if trace := telemetry.TraceIDFrom(r.Context()); trace != "" {
		attributes = append(attributes, slog.String("trace_id", trace))
	}
	s.options.Logger.LogAttrs(r.Context(), level, "request", attributes...)
}

// recoverPanic responds with status 500 if the handler has panicked. It must be deferred directly.
// If the response has begun, it aborts the connection, so that the caller detects the truncated
// response.
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
		extensions{"code": apierror.CodeInternal, "requestId": id})
}

// limited limits the time and the body of requests to next.
func (s *Server) limited(next http.Handler) http.Handler {
	if next == nil {
		panic("httpserver: no GraphQL handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := s.options.MaxBody
		if r.ContentLength > limit {
			writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request body is larger than %d bytes", limit),
				extensions{"code": apierror.CodeTooComplex, "limit": limit, "actual": r.ContentLength})
			return
		}
		ctx, cancel := context.WithTimeoutCause(r.Context(), s.options.RequestTimeout, s.timeout)
		defer cancel()
		r = r.WithContext(ctx) // a copy; net/http and the log use the original
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if length := r.ContentLength; length < 0 || length > freeBodyBytes {
			body := &meteredBody{ReadCloser: r.Body, pool: &s.bodyMemory}
			defer body.release()
			if length > 0 && !body.reserve(length) {
				seconds := int(bodyRetryAfter.Seconds())
				w.Header().Set("Retry-After", strconv.Itoa(seconds))
				writeError(w, http.StatusServiceUnavailable, bodyMemoryMessage,
					extensions{"code": apierror.CodeUnavailable, "retryAfter": seconds})
				return
			}
			r.Body = body
		}
		if r.Method == http.MethodHead {
			r.Method = http.MethodGet // net/http does not send the body
		}
		next.ServeHTTP(w, r)
	})
}

// recorder records the status and the size of a response. It is used by one goroutine, the
// handler's.
type recorder struct {
	http.ResponseWriter
	status int   // 0 before the header is written
	bytes  int64 // size of the body
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

// Flush implements http.Flusher. It writes the header, so the recorder must see it.
func (w *recorder) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush() // http.Flusher returns no error
}

// Unwrap implements the interface that http.ResponseController uses.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
