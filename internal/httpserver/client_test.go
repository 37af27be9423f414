package httpserver_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"cvmgraph/internal/httpserver"
)

func TestAccessLog_client(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		peer      string
		forwarded []string
		untrusted bool // there is no trusted proxy
		want      string
	}{
		"peer":                           {peer: "192.0.2.7:1234", want: "192.0.2.7"},
		"peer with a header":             {peer: "192.0.2.7:1234", forwarded: []string{"203.0.113.9"}, want: "192.0.2.7"},
		"no trusted proxies":             {peer: "10.0.0.1:1234", forwarded: []string{"203.0.113.9"}, untrusted: true, want: "10.0.0.1"},
		"trusted proxy":                  {peer: "10.0.0.1:1234", forwarded: []string{"203.0.113.9"}, want: "203.0.113.9"},
		"two trusted proxies":            {peer: "10.0.0.1:1234", forwarded: []string{"203.0.113.9, 10.0.0.2"}, want: "203.0.113.9"},
		"forged address in front":        {peer: "10.0.0.1:1234", forwarded: []string{"198.51.100.1, 203.0.113.9"}, want: "203.0.113.9"},
		"forged line in front":           {peer: "10.0.0.1:1234", forwarded: []string{"198.51.100.1", "203.0.113.9,10.9.9.9"}, want: "203.0.113.9"},
		"forged trusted address":         {peer: "192.0.2.7:1234", forwarded: []string{"203.0.113.9, 10.0.0.2"}, want: "192.0.2.7"},
		"trusted proxy without a header": {peer: "10.0.0.1:1234", want: "10.0.0.1"},
		"trusted addresses only":         {peer: "10.0.0.1:1234", forwarded: []string{"10.0.0.3, 10.0.0.2"}, want: "10.0.0.3"},
		"no address":                     {peer: "10.0.0.1:1234", forwarded: []string{"203.0.113.9, secret, 10.0.0.2"}, want: "10.0.0.2"},
		"empty header":                   {peer: "10.0.0.1:1234", forwarded: []string{""}, want: "10.0.0.1"},
		"port":                           {peer: "10.0.0.1:1234", forwarded: []string{"203.0.113.9:99, [fd00::1]:80"}, want: "203.0.113.9"},
		"IPv6":                           {peer: "[fd00::1]:1234", forwarded: []string{"2001:db8::1"}, want: "2001:db8::1"},
		"IPv4 in IPv6":                   {peer: "[::ffff:10.0.0.1]:1234", forwarded: []string{"::ffff:203.0.113.9"}, want: "203.0.113.9"},
		"zone":                           {peer: "[fe80::1%eth0]:1234", want: "fe80::1"},
		"not an IP connection":           {peer: "@", want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var book logBook
			o := httpserver.Options{GraphQL: echo(), Logger: book.logger(), TrustedProxies: trusted}
			if test.untrusted {
				o.TrustedProxies = nil
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader("x"))
			r.RemoteAddr, r.Header["X-Forwarded-For"] = test.peer, test.forwarded
			httpserver.New(o).ServeHTTP(httptest.NewRecorder(), r)
			if lines := book.lines("request"); len(lines) != 1 || lines[0]["client"] != test.want {
				t.Errorf("got %v, want the client %q", lines, test.want)
			}
		})
	}
}
