package e2e_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/check"
	"cvmgraph/internal/demo"
)

// proxiedHost is an upstream that can be reached by a proxy alone: no proxy is asked for localhost.
const proxiedHost = "upstream.invalid"

// proxyTo is a proxy whose every way leads to one address: a tunnel, and a plain request.
func proxyTo(t *testing.T, address string) http.Handler {
	t.Helper()
	plain := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: address}) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			plain.ServeHTTP(w, r)
			return
		}
		there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", address)
		if err != nil {
			t.Errorf("the proxy: %v", err)
			return
		}
		defer there.Close()
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("the proxy: %v", err)
			return
		}
		defer here.Close()
		_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			defer there.Close()
			_, _ = io.Copy(there, here)
		}()
		_, _ = io.Copy(here, there)
	})
}

// TestCheck_proxy has proxies of all sorts before the upstream: what is wrong with one is not said of the other.
func TestCheck_proxy(t *testing.T) {
	t.Parallel()
	cert, key, _ := selfSignedFor(t, time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0))
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := counted(t, demo.New(demo.Options{}))
	plain := strings.TrimPrefix(list, "http://")
	secured := net.JoinHostPort("127.0.0.1", securedDemo(t, cert, key))
	hanging := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	leaving := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	const viaTLS, viaPlain, trusting = "https://", "http://", true
	for name, test := range map[string]struct {
		upstream string       // its scheme
		proxy    string       // its scheme, or the whole address where there is no handler
		handler  http.Handler // of the proxy
		trusted  bool         // the certificate, of both
		want     string       // the statuses of settings, reachability, tls, http, credential and contract
		step     string
		says     string
	}{
		"all right":                        {viaTLS, viaPlain, proxyTo(t, secured), trusting, "oooooo", check.StepReachability, "the proxy (HTTPS_PROXY) takes connections, and opens a tunnel to the upstream"},
		"nobody is there":                  {viaTLS, "http://127.0.0.1:1", nil, trusting, "of----", check.StepReachability, "refused: nobody listens at host and port of the proxy (HTTPS_PROXY)"},
		"it has no such name":              {viaTLS, "http://no-such-host.invalid:3128", nil, trusting, "of----", check.StepReachability, "the host of the proxy (HTTPS_PROXY) cannot be resolved"},
		"it wants a password":              {viaTLS, viaPlain, status(http.StatusProxyAuthRequired), trusting, "of----", check.StepReachability, "the proxy (HTTPS_PROXY) opens no tunnel to the upstream (status 407): a proxy wants to know who this is; HTTPS_PROXY may hold user and password"},
		"it does not allow it":             {viaTLS, viaPlain, status(http.StatusForbidden), trusting, "of----", check.StepReachability, "(status 403): it is to allow CONNECT to host and port of --upstream-url"},
		"it finds no way":                  {viaTLS, viaPlain, status(http.StatusBadGateway), trusting, "of----", check.StepReachability, "(status 502): are host and port of --upstream-url right, and may the proxy go there?"},
		"it is none":                       {viaTLS, viaPlain, status(http.StatusMethodNotAllowed), trusting, "of----", check.StepReachability, "(status 405): is it a proxy"},
		"it hangs up":                      {viaTLS, viaPlain, leaving, trusting, "of----", check.StepReachability, "the proxy (HTTPS_PROXY) takes the connection and opens no tunnel to the upstream"},
		"it says nothing":                  {viaTLS, viaPlain, hanging, trusting, "of----", check.StepReachability, "the proxy (HTTPS_PROXY) takes the connection and opens no tunnel in time"},
		"it speaks TLS":                    {viaTLS, viaTLS, proxyTo(t, secured), trusting, "oooooo", check.StepReachability, "opens a tunnel"},
		"it speaks TLS, and is a stranger": {viaTLS, viaTLS, proxyTo(t, secured), !trusting, "of----", check.StepReachability, "the handshake with the proxy (HTTPS_PROXY) fails"},
		"it speaks TLS, and refuses":       {viaTLS, viaTLS, status(http.StatusProxyAuthRequired), trusting, "of----", check.StepReachability, "(status 407)"},
		"the upstream is a stranger":       {viaTLS, viaPlain, proxyTo(t, secured), !trusting, "oof---", check.StepTLS, "the upstream's certificate is signed by an unknown authority"},
		"only the proxy speaks TLS":        {viaTLS, viaTLS, proxyTo(t, plain), trusting, "oof---", check.StepTLS, "the upstream does not speak TLS there"},

		"for http://, all right":           {viaPlain, viaPlain, proxyTo(t, plain), trusting, "oowooo", check.StepReachability, "the proxy (HTTP_PROXY) takes connections"},
		"for http://, nobody is there":     {viaPlain, "http://127.0.0.1:1", nil, trusting, "of----", check.StepReachability, "nobody listens at host and port of the proxy (HTTP_PROXY)"},
		"for http://, it wants a password": {viaPlain, viaPlain, status(http.StatusProxyAuthRequired), trusting, "oowf--", check.StepHTTP, "status 407: a proxy wants to know who this is; HTTP_PROXY may hold user and password"},
		"for http://, it finds no way":     {viaPlain, viaPlain, status(http.StatusBadGateway), trusting, "oowf--", check.StepHTTP, "status 502: it fails, or what stands in front of it does"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := test.proxy
			if test.handler != nil {
				server := httptest.NewUnstartedServer(test.handler)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				if test.proxy == viaTLS {
					server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
					server.StartTLS()
				} else {
					server.Start()
				}
				t.Cleanup(server.Close)
				_, port, err := net.SplitHostPort(server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				address = test.proxy + net.JoinHostPort("localhost", port)
			}
			host := address[strings.Index(address, "//")+2:]
			withPassword := strings.Replace(address, "//", "//user:"+checkSecret+"@", 1)
			environ := []string{"HTTPS_PROXY=" + withPassword, "HTTP_PROXY="}
			if test.upstream == viaPlain {
				environ = []string{"HTTPS_PROXY=", "HTTP_PROXY=" + withPassword}
			}
			if test.trusted {
				environ = append(environ, "SSL_CERT_FILE="+cert)
			}
			timeout := "--upstream-timeout=1m"
			if name == "it says nothing" {
				timeout = "--upstream-timeout=1s"
			}
			got := runCheck(t, environ, "--token="+checkSecret, "--upstream-url="+test.upstream+proxiedHost+demo.BasePath, timeout)
			report := got.report(t)
			if said := step(t, report, test.step).Message; statuses(report) != test.want+"---" || !strings.Contains(said, test.says) || (got.code == exitOK) != report.OK {
				t.Errorf("got %s, code %d and %q, want %s--- and %q", statuses(report), got.code, said, test.want, test.says)
			}
			got.wantSafe(t, host)
			got.wantSafe(t, proxiedHost)
		})
	}
}
