package httpserver

import (
	"net/http"
	"slices"
	"strings"
)

// Values of the CORS headers. corsMaxAge is in seconds.
const (
	corsMethods = "GET, POST"
	corsHeaders = "Accept, Authorization, Cache-Control, Content-Type, X-API-Key, X-Cvmgraph-Explain, X-Phala-Workspace, X-Request-Id, " +
		"Apollo-Require-Preflight, Apollographql-Client-Name, Apollographql-Client-Version, " + tracingHeaders
	corsExposed = "ETag, Retry-After, X-Request-Id"
	corsMaxAge  = "7200"
)

// tracingHeaders are headers that tracing libraries add to the requests of a page, often without
// its author's knowledge. They are allowed, although the gateway reads only the first two, because
// the browser would not send the request without them.
const tracingHeaders = "Traceparent, Tracestate, Baggage, Sentry-Trace, B3, Newrelic, Elastic-Apm-Traceparent, Uber-Trace-Id, " +
	"X-Amzn-Trace-Id, X-Cloud-Trace-Context, Grpc-Trace-Bin, Request-Id, Request-Context, Correlation-Id, X-Correlation-Id, X-Trace-Id, " +
	"X-Client-Trace-Id, X-Dynatrace, X-Dtc, X-Dtpc, X-Dtreferer, X-Honeycomb-Trace, X-Wf-Trace-Id, Sw8, Sw8-Correlation, Sw8-X"

// isTracingHeader reports whether a name in lower case belongs to a family of tracing headers.
func isTracingHeader(name string) bool {
	families := []string{
		"x-b3-", "x-datadog-", "x-instana-", "x-newrelic-", "x-ot-", "ot-tracer-", "ot-baggage-", "uberctx-", "x-sentry-", "x-amzn-xray-",
	}
	return slices.ContainsFunc(families, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// allowedHeaders returns the value of Access-Control-Allow-Headers, given the values of
// Access-Control-Request-Headers.
func allowedHeaders(requested []string) string {
	allowed := corsHeaders
	for _, value := range requested {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); isTracingHeader(name) {
				allowed += ", " + name
			}
		}
	}
	return allowed
}

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
				w.Header().Add("Vary", "Access-Control-Request-Headers")
				w.Header().Set("Access-Control-Allow-Headers", allowedHeaders(r.Header.Values("Access-Control-Request-Headers")))
				w.Header().Set("Access-Control-Max-Age", corsMaxAge)
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
