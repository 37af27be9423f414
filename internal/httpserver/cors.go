package httpserver

import (
	"net/http"
	"slices"
)

// Values of the CORS headers. corsMaxAge is in seconds.
const (
	corsMethods = "GET, POST"
	corsHeaders = "Accept, Authorization, Cache-Control, Content-Type, X-API-Key, X-Cvmgraph-Explain, X-Phala-Workspace, X-Request-Id, " +
		"Apollo-Require-Preflight, Apollographql-Client-Name, Apollographql-Client-Version, Traceparent, Tracestate"
	corsExposed = "ETag, Retry-After, X-Request-Id"
	corsMaxAge  = "7200"
)

// crossOrigin allows pages of the allowed origins to call next, and responds to their preflight
// requests. Other origins get no CORS headers, so a browser does not send credentials for them: the
// headers require a preflight request, and the gateway does not use cookies.
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
