package httpserver

import (
	"net/http"
	"slices"
)

// What pages of other origins may send, and how long, in seconds, a browser may remember that.
const (
	corsMethods = "GET, POST"
	corsHeaders = "Accept, Authorization, Cache-Control, Content-Type, X-API-Key, X-Cvmgraph-Explain, X-Phala-Workspace, X-Request-Id, " +
		"Apollo-Require-Preflight, Apollographql-Client-Name, Apollographql-Client-Version, Traceparent, Tracestate"
	corsExposed = "ETag, Retry-After, X-Request-Id"
	corsMaxAge  = "7200"
)

// crossOrigin lets pages of the allowed origins call next, and answers their preflights. A browser sends the credential's
// headers only after one, and cookies mean nothing here, so that other origins are kept out by what is not said.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	if len(s.options.AllowedOrigins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if slices.Contains(s.options.AllowedOrigins, origin) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", corsExposed)
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				w.Header().Set("Access-Control-Allow-Methods", corsMethods)
				w.Header().Set("Access-Control-Allow-Headers", corsHeaders)
				w.Header().Set("Access-Control-Max-Age", corsMaxAge)
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
