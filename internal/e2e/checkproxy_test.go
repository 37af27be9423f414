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

// proxiedHost is the host of an upstream that only a proxy can reach. Go uses no proxy for
// localhost.
const proxiedHost = "upstream.invalid"

// Schemes of a proxy or an upstream.
const (
	viaTLS   = "https://"
	viaPlain = "http://"
)

// proxyTo returns a proxy that sends everything to one address, through tunnels and as plain
// requests.
func proxyTo(t *testing.T, address string) http.Handler {
	t.Helper()
	plain := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: address}) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			plain.ServeHTTP(w, r)
			return
		}
		upstream, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", address)
		if err != nil {
			t.Errorf("the proxy: %v", err)
			return
		}
		defer upstream.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("the proxy: %v", err)
			return
		}
		defer client.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			defer upstream.Close()
			_, _ = io.Copy(upstream, client)
		}()
		_, _ = io.Copy(client, upstream)
	})
}

// proxyCase is a check through a proxy.
type proxyCase struct {
	upstream string       // the upstream's scheme, viaTLS if empty
	proxy    string       // the proxy's scheme
	handler  http.Handler // of the proxy
	address  string       // of a proxy that is not started
	trusted  bool         // whether the certificate of the upstream and the proxy is trusted
	// want, step and says are those of checkCase.
	want, step, says string
}

// proxiedUpstreams returns the addresses of a demo upstream without and with TLS, and the files of
// the certificate.
func proxiedUpstreams(t *testing.T) (plain, secured, cert, key string) {
	t.Helper()
	cert, key, _ = selfSignedFor(t, time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0))
	list, _ := countingServer(t, demo.New(demo.Options{}))
	return trimScheme(list), net.JoinHostPort("127.0.0.1", securedDemo(t, cert, key)), cert, key
}

// tunnelCases returns checks of an upstream with TLS, through a proxy that opens a tunnel or fails.
func tunnelCases(t *testing.T, plain, secured string) map[string]proxyCase {
	t.Helper()
	hanging := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	disconnecting := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	return map[string]proxyCase{
		"valid": {
			proxy: viaPlain, handler: proxyTo(t, secured), trusted: true,
			want: "ooooooo", step: check.StepReachability,
			says: "the proxy (HTTPS_PROXY) accepts connections, and opens a tunnel to the upstream",
		},
		"unreachable": {
			address: "http://127.0.0.1:1", trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "refused: nothing listens on the host and port of the proxy (HTTPS_PROXY)",
		},
		"an unknown host": {
			address: "http://no-such-host.invalid:3128", trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "cannot resolve the host of the proxy (HTTPS_PROXY)",
		},
		"requires a password": {
			proxy: viaPlain, handler: statusHandler(http.StatusProxyAuthRequired), trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "the proxy (HTTPS_PROXY) does not open a tunnel to the upstream (status 407): a proxy requires authentication; add user and password to HTTPS_PROXY",
		},
		"forbids the upstream": {
			proxy: viaPlain, handler: statusHandler(http.StatusForbidden), trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "(status 403): it must allow CONNECT to the host and port of --upstream-url",
		},
		"cannot reach the upstream": {
			proxy: viaPlain, handler: statusHandler(http.StatusBadGateway), trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "(status 502): check the host and port of --upstream-url, and that the proxy may connect to it",
		},
		"not a proxy": {
			proxy: viaPlain, handler: statusHandler(http.StatusMethodNotAllowed), trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "(status 405): check that it is a proxy",
		},
		"disconnects": {
			proxy: viaPlain, handler: disconnecting, trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "the proxy (HTTPS_PROXY) accepts the connection but does not open a tunnel to the upstream",
		},
		"sends nothing": {
			proxy: viaPlain, handler: hanging, trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "the proxy (HTTPS_PROXY) accepts the connection but does not open a tunnel in time",
		},
		"with TLS": {
			proxy: viaTLS, handler: proxyTo(t, secured), trusted: true,
			want: "ooooooo", step: check.StepReachability,
			says: "opens a tunnel",
		},
		"with TLS and an untrusted certificate": {
			proxy: viaTLS, handler: proxyTo(t, secured),
			want: "of-----", step: check.StepReachability,
			says: "the TLS handshake with the proxy (HTTPS_PROXY) failed",
		},
		"with TLS, requires a password": {
			proxy: viaTLS, handler: statusHandler(http.StatusProxyAuthRequired), trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "(status 407)",
		},
		"the upstream's certificate is untrusted": {
			proxy: viaPlain, handler: proxyTo(t, secured),
			want: "oof----", step: check.StepTLS,
			says: "the upstream's certificate is signed by an unknown authority",
		},
		"with TLS, the upstream without": {
			proxy: viaTLS, handler: proxyTo(t, plain), trusted: true,
			want: "oof----", step: check.StepTLS,
			says: "the upstream does not use TLS on this port",
		},
	}
}

// TestCheck_proxy has proxies for an upstream with TLS. The report must distinguish a fault of the
// proxy from a fault of the upstream.
func TestCheck_proxy(t *testing.T) {
	t.Parallel()
	plain, secured, cert, key := proxiedUpstreams(t)
	for name, test := range tunnelCases(t, plain, secured) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := "--upstream-timeout=1m"
			if name == "sends nothing" {
				timeout = "--upstream-timeout=1s"
			}
			test.run(t, cert, key, timeout)
		})
	}
}

func TestCheck_proxyWithoutTunnel(t *testing.T) {
	t.Parallel()
	plain, _, cert, key := proxiedUpstreams(t)
	for name, test := range map[string]proxyCase{
		"valid": {
			upstream: viaPlain, proxy: viaPlain, handler: proxyTo(t, plain), trusted: true,
			want: "oowoooo", step: check.StepReachability,
			says: "the proxy (HTTP_PROXY) accepts connections",
		},
		"unreachable": {
			upstream: viaPlain, address: "http://127.0.0.1:1", trusted: true,
			want: "of-----", step: check.StepReachability,
			says: "nothing listens on the host and port of the proxy (HTTP_PROXY)",
		},
		"requires a password": {
			upstream: viaPlain, proxy: viaPlain, handler: statusHandler(http.StatusProxyAuthRequired), trusted: true,
			want: "oowf---", step: check.StepHTTP,
			says: "status 407: a proxy requires authentication; add user and password to HTTP_PROXY",
		},
		"cannot reach the upstream": {
			upstream: viaPlain, proxy: viaPlain, handler: statusHandler(http.StatusBadGateway), trusted: true,
			want: "oowf---", step: check.StepHTTP,
			says: "status 502: the upstream, or a proxy in front of it, fails",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t, cert, key, "--upstream-timeout=1m")
		})
	}
}

// run starts the proxy and runs the check through it. Cert and key are the certificate of the proxy
// and the upstream.
func (c proxyCase) run(t *testing.T, cert, key, timeout string) {
	t.Helper()
	address := c.address
	if c.handler != nil {
		address = c.start(t, cert, key)
	}
	host := address[strings.Index(address, "//")+2:]
	withPassword := strings.Replace(address, "//", "//user:"+checkSecret+"@", 1)
	upstream, environ := viaTLS, []string{"HTTPS_PROXY=" + withPassword, "HTTP_PROXY="}
	if c.upstream == viaPlain {
		upstream, environ = viaPlain, []string{"HTTPS_PROXY=", "HTTP_PROXY=" + withPassword}
	}
	if c.trusted {
		environ = append(environ, "SSL_CERT_FILE="+cert)
	}
	got := runCheck(t, environ, "--token="+checkSecret, "--upstream-url="+upstream+proxiedHost+demo.BasePath, timeout)
	report := got.report(t)
	message := step(t, report, c.step).Message
	if statuses(report) != c.want+"---" || !strings.Contains(message, c.says) || (got.code == exitOK) != report.OK {
		t.Errorf("got %s, code %d and %q, want %s--- and %q", statuses(report), got.code, message, c.want, c.says)
	}
	got.checkOutput(t, host)
	got.checkOutput(t, proxiedHost)
}

// start starts the proxy and returns its address.
func (c proxyCase) start(t *testing.T, cert, key string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(c.handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if c.proxy == viaTLS {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
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
	return c.proxy + net.JoinHostPort("localhost", port)
}
