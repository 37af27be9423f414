package e2e_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// otherHeaders are headers of a request that the upstream must not receive.
var otherHeaders = []string{
	"Cookie", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via", "Origin",
	"Referer", "User-Agent", "From", "Accept-Language", "X-Phala-Version", "X-Cvmgraph-Explain", "X-Request-Id",
	"X-Custom", "Proxy-Authorization", "X-Api-Key2", "Te", "Priority", "Range", "If-None-Match", "Cache-Control",
	"X-Http-Method-Override", "Baggage", "Apollographql-Client-Name", "Cf-Connecting-Ip", "Authorization-X",
	"Sentry-Trace", "B3", "X-B3-Traceid", "X-B3-Sampled", "X-Datadog-Trace-Id", "X-Datadog-Tags", "Elastic-Apm-Traceparent", "Newrelic",
	"X-Amzn-Trace-Id", "X-Cloud-Trace-Context", "Uber-Trace-Id", "X-Correlation-Id", "Request-Id", "Sw8", "Grpc-Trace-Bin", "X-Instana-T",
}

// TestUpstreamRequest_headers sends each kind of credential with many other headers, and checks the
// headers that the upstream receives.
func TestUpstreamRequest_headers(t *testing.T) {
	t.Parallel()
	received := make(chan *http.Request, 1)
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received <- r
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--cache-ttl=0")
	for name, credential := range map[string]map[string]string{
		"a token":             {"Authorization": "Bearer t0ken"},
		"a key":               {"X-Api-Key": "phak_k3y"},
		"a key and workspace": {"X-Api-Key": "phak_k3y", "X-Phala-Workspace": "team"},
		"all three":           {"Authorization": "bearer  t0ken ", "X-Api-Key": "phak_k3y", "X-Phala-Workspace": "team"},
	} {
		p.requestWith(t, credential)
		got := <-received
		if agent := got.Header.Get("User-Agent"); !strings.HasPrefix(agent, "cvmgraph/") {
			t.Errorf("%s: got the agent %q, want cvmgraph", name, agent)
		}
		got.Header.Del("User-Agent")
		want := map[string]string{
			"Accept": "application/json", "Accept-Encoding": "gzip", "X-Phala-Version": "2025-10-28",
		}
		maps.Copy(want, credential)
		for header, values := range got.Header {
			if len(values) != 1 || values[0] != strings.TrimSpace(want[header]) { // as net/http reads it
				t.Errorf("%s: got %s: %q, want %q", name, header, values, want[header])
			}
			delete(want, header)
		}
		if len(want) > 0 || got.Method != http.MethodGet || got.Host != trimScheme(upstream.URL) || got.ContentLength > 0 {
			t.Errorf("%s: got %s to %s with %d bytes and without %v, want a GET without a body",
				name, got.Method, got.Host, got.ContentLength, want)
		}
	}
}

// requestWith sends an operation with the headers of a credential and with otherHeaders.
func (p *process) requestWith(t *testing.T, credential map[string]string) {
	t.Helper()
	body := strings.NewReader(`{"query":"{ cvms { totalCount } }"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range otherHeaders {
		request.Header.Set(name, "other")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Host = "other.example"
	for name, value := range credential {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}
