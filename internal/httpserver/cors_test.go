package httpserver_test

import (
	"net/http"
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
			if test.allowed != nil && test.method != "PUT" && got.header.Get("Vary") != "Origin" {
				t.Errorf("Vary: got %q, want Origin", got.header.Get("Vary"))
			}
		})
	}
}
