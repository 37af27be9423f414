package e2e_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestHeaders_large sends headers above and below --max-header. A larger header, as the cookies of
// a company's domain add up to, gets status 431, a line of the log, and is counted.
func TestHeaders_large(t *testing.T) {
	t.Parallel()
	cert, key, pool := selfSigned(t)
	// A transport changes its configuration, so each one has its own.
	trusting := func() *tls.Config { return &tls.Config{RootCAs: pool, ServerName: "localhost"} }
	for name, test := range map[string]struct {
		args      []string
		transport *http.Transport
		cookie    int // its size
		want      int
		// byNetHTTP reports whether net/http rejects the header, which it only reads in part.
		byNetHTTP bool
	}{
		"below the default":      {transport: &http.Transport{}, cookie: 15 << 10, want: http.StatusOK},
		"above the default":      {transport: &http.Transport{}, cookie: 20 << 10, want: http.StatusRequestHeaderFieldsTooLarge},
		"below a larger setting": {args: []string{"--max-header=128KiB"}, transport: &http.Transport{}, cookie: 127 << 10, want: http.StatusOK},
		"far above the default":  {transport: &http.Transport{}, cookie: 200 << 10, want: http.StatusRequestHeaderFieldsTooLarge, byNetHTTP: true},
		"TLS":                    {args: []string{"--tls-cert", cert, "--tls-key", key}, transport: &http.Transport{TLSClientConfig: trusting()}, cookie: 20 << 10, want: http.StatusRequestHeaderFieldsTooLarge},
		"TLS, far above":         {args: []string{"--tls-cert", cert, "--tls-key", key}, transport: &http.Transport{TLSClientConfig: trusting()}, cookie: 200 << 10, want: http.StatusRequestHeaderFieldsTooLarge, byNetHTTP: true},
		"HTTP/2":                 {args: []string{"--tls-cert", cert, "--tls-key", key}, transport: &http.Transport{TLSClientConfig: trusting(), ForceAttemptHTTP2: true}, cookie: 20 << 10, want: http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer test.transport.CloseIdleConnections()
			p := start(t, append(test.args, "--demo", "--admin-listen=127.0.0.1:0")...)
			header := http.Header{"Cookie": {"a=" + strings.Repeat("x", test.cookie)}}
			got, err := p.post(t.Context(), &http.Client{Transport: test.transport}, "{ __typename }", header)
			// If net/http stops reading, it resets the connection, with or after its response.
			if !test.byNetHTTP && (err != nil || got.status != test.want) {
				t.Fatalf("got %v, %v, want status %d", got, err, test.want)
			}
			if test.want == http.StatusOK {
				return
			}
			method, path := "POST", "/graphql"
			if test.byNetHTTP {
				method, path = "other", "other"
			} else if !strings.Contains(got.body, `"limit":16384`) {
				t.Errorf("got %s, want the limit", got.body)
			}
			p.waitForMetrics(t, fmt.Sprintf(`cvmgraph_http_requests_total{method=%q,route=%q,status="431"} 1`, method, path))
			waitFor(t, func() bool {
				return strings.Contains(p.logged(), fmt.Sprintf(`"method":%q,"path":%q,"status":431`, method, path))
			})
		})
	}
}

// TestAccessLog_proxy sends a request through a proxy. The log has the address of the proxy's
// client only if the proxy is trusted, and never one that the client claims.
func TestAccessLog_proxy(t *testing.T) {
	t.Parallel()
	const client = "127.0.0.2" // a claim that a trusted proxy would forward
	for name, test := range map[string]struct{ trusted, want string }{
		"trusted":     {trusted: "127.0.0.1", want: client},
		"not trusted": {trusted: "10.0.0.0/8", want: "127.0.0.1"},
		"default":     {want: "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--demo", "--trusted-proxies="+test.trusted)
			proxy := startProxy(t, "/", p.url)
			header := http.Header{"X-Forwarded-For": {"198.51.100.1, " + client}, "X-Request-Id": {"through-the-proxy"}}
			got, err := post(t.Context(), http.DefaultClient, proxy, "{ __typename }", header)
			if err != nil || got.status != http.StatusOK {
				t.Fatalf("got %v, %v, want status 200", got, err)
			}
			waitFor(t, func() bool {
				return strings.Contains(p.logged(), `"request_id":"through-the-proxy","client":"`+test.want+`"`)
			})
		})
	}
}
