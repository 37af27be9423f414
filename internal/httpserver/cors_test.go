package httpserver_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/httpserver"
)

func TestCrossOrigin_allowedOrigins(t *testing.T) {
	t.Parallel()
	allowed := []string{"https://app.example.org", "http://localhost:3000"}
	for name, test := range map[string]struct {
		allowed    []string
		method     string
		origin     string
		preflight  bool
		wantStatus int
		wantOrigin string
	}{
		"closed by default":                  {method: "POST", origin: "https://app.example.org", wantStatus: 200},
		"a preflight, closed":                {method: "OPTIONS", origin: "https://app.example.org", preflight: true, wantStatus: 405},
		"an allowed origin":                  {allowed: allowed, method: "POST", origin: "https://app.example.org", wantStatus: 200, wantOrigin: "https://app.example.org"},
		"a preflight of an allowed origin":   {allowed: allowed, method: "OPTIONS", origin: "http://localhost:3000", preflight: true, wantStatus: 204, wantOrigin: "http://localhost:3000"},
		"another origin":                     {allowed: allowed, method: "POST", origin: "https://evil.example", wantStatus: 200},
		"a preflight of another origin":      {allowed: allowed, method: "OPTIONS", origin: "https://evil.example", preflight: true, wantStatus: 405},
		"an origin that begins like one":     {allowed: allowed, method: "POST", origin: "https://app.example.org.evil.example", wantStatus: 200},
		"an origin with another scheme":      {allowed: allowed, method: "POST", origin: "http://app.example.org", wantStatus: 200},
		"an origin with another port":        {allowed: allowed, method: "POST", origin: "http://localhost:3001", wantStatus: 200},
		"origin null":                        {allowed: allowed, method: "POST", origin: "null", wantStatus: 200},
		"no origin":                          {allowed: allowed, method: "GET", wantStatus: 200},
		"OPTIONS without a preflight header": {allowed: allowed, method: "OPTIONS", origin: "https://app.example.org", wantStatus: 405, wantOrigin: "https://app.example.org"},
		"an allowed origin whose call fails": {allowed: allowed, method: "PUT", origin: "https://app.example.org", wantStatus: 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(test.method, "/graphql", "hello")
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if test.preflight {
				r.Header.Set("Access-Control-Request-Method", http.MethodPost)
				r.Header.Set("Access-Control-Request-Headers", "content-type,x-api-key")
			}
			got := serve(httpserver.Options{GraphQL: echo(), AllowedOrigins: test.allowed}, r)
			if got.status != test.wantStatus || got.header.Get("Access-Control-Allow-Origin") != test.wantOrigin {
				t.Errorf("got %d for origin %q, want %d for %q", got.status, got.header.Get("Access-Control-Allow-Origin"), test.wantStatus, test.wantOrigin)
			}
			if got.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("got Access-Control-Allow-Credentials, want none: there are no cookies")
			}
			headers := got.header.Get("Access-Control-Allow-Headers")
			for _, name := range []string{"Content-Type", "Authorization", "X-API-Key", "X-Phala-Workspace"} {
				if got := strings.Contains(headers, name); got != (test.wantStatus == http.StatusNoContent) {
					t.Errorf("Access-Control-Allow-Headers: got %q, which has %s: %v", headers, name, got)
				}
			}
			wantVary := "Origin"
			if test.wantStatus == http.StatusNoContent {
				wantVary += ", Access-Control-Request-Headers"
			}
			if vary := strings.Join(got.header.Values("Vary"), ", "); test.allowed != nil && test.method != "PUT" && vary != wantVary {
				t.Errorf("Vary: got %q, want %q", vary, wantVary)
			}
		})
	}
}

// TestCrossOrigin_requestHeaders checks which headers a preflight request allows. A browser does
// not send the request if one of its headers is missing.
func TestCrossOrigin_requestHeaders(t *testing.T) {
	t.Parallel()
	const origin = "https://app.example.org"
	preflight := func(requested ...string) []string {
		r := request(http.MethodOptions, "/graphql", "")
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header["Access-Control-Request-Headers"] = requested
		got := serve(httpserver.Options{GraphQL: echo(), AllowedOrigins: []string{origin}}, r)
		if got.status != http.StatusNoContent {
			t.Errorf("%q: got status %d, want 204", requested, got.status)
		}
		return strings.Split(strings.ToLower(got.header.Get("Access-Control-Allow-Headers")), ", ")
	}
	for tool, requested := range map[string]string{
		"Sentry":               "baggage, sentry-trace",
		"W3C Trace Context":    "traceparent,tracestate",
		"Zipkin":               "b3",
		"Zipkin, many headers": "x-b3-traceid,x-b3-spanid,x-b3-parentspanid,x-b3-sampled,x-b3-flags",
		"Datadog":              "x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-tags,x-datadog-trace-id",
		"Elastic":              "elastic-apm-traceparent",
		"New Relic":            "newrelic,x-newrelic-id,x-newrelic-transaction",
		"AWS X-Ray":            "x-amzn-trace-id",
		"Google Cloud":         "x-cloud-trace-context,grpc-trace-bin",
		"Jaeger":               "uber-trace-id,uberctx-user",
		"Application Insights": "request-context,request-id",
		"SkyWalking":           "sw8,sw8-correlation",
		"Dynatrace":            "x-dtc,x-dtpc,x-dynatrace",
		"Instana":              "x-instana-l,x-instana-s,x-instana-t",
		"OpenTracing":          "ot-tracer-sampled,ot-tracer-spanid,x-ot-span-context",
		"Honeycomb":            "x-honeycomb-trace",
		"no single vendor":     "correlation-id,x-correlation-id,x-request-id,x-trace-id",
		"upper case":           "X-Datadog-Trace-Id, Baggage",
		"a page's own headers": "accept,apollographql-client-name,authorization,cache-control,content-type,x-api-key,x-cvmgraph-explain,x-phala-workspace",
	} {
		allowed := preflight(requested)
		for name := range strings.SplitSeq(strings.ToLower(requested), ",") {
			if !slices.Contains(allowed, strings.TrimSpace(name)) {
				t.Errorf("%s: got %q, want %s in it", tool, allowed, name)
			}
		}
	}
	if allowed := preflight("x-b3-traceid", "x-datadog-tags,content-type"); !slices.Contains(allowed, "x-b3-traceid") || !slices.Contains(allowed, "x-datadog-tags") {
		t.Errorf("two header lines: got %q, want the headers of both", allowed)
	}
	without := preflight()
	for _, name := range []string{"cookie", "x-custom", "x-forwarded-for", "x-b3", "x-datadog", "x-b3-a b", "x-datadog-\u00e9", `x-b3-"a"`, "x-b3-a\r\nx-evil: 1", "*", ""} {
		if allowed := preflight(name); !slices.Equal(allowed, without) {
			t.Errorf("%q: got %q, want %q", name, allowed, without)
		}
	}
}
