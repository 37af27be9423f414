package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"cvmgraph/restclient"
)

// proxyRoute is the route to the upstream: direct, or through the proxy that the client's transport
// chooses.
type proxyRoute struct {
	proxy  *url.URL // nil if the route is direct
	tunnel bool     // whether a proxy must open a tunnel, because the upstream is https://
}

// routeTo returns the route to an upstream.
func routeTo(base string) proxyRoute {
	u, err := url.Parse(base)
	if err != nil {
		return proxyRoute{}
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil {
		return proxyRoute{}
	}
	return proxyRoute{proxy, u.Scheme == "https"}
}

// connected reports whether there was a connection to the upstream or, if the proxy receives the
// request itself, to the proxy.
func (r proxyRoute) connected(p progress) bool {
	switch {
	case r.proxy == nil:
		return p.connected
	case r.tunnel && r.proxy.Scheme == "https": // the first handshake is with the proxy
		return p.handshakes > 1
	case r.tunnel:
		return p.handshakes > 0
	}
	return p.ready
}

// variable returns the name of the environment variable that configures the proxy.
func (r proxyRoute) variable() string {
	if r.tunnel {
		return "HTTPS_PROXY"
	}
	return "HTTP_PROXY"
}

// target describes the target of the connection: the upstream or the proxy.
func (r proxyRoute) target() string {
	if r.proxy == nil {
		return "--upstream-url"
	}
	return "the proxy (" + r.variable() + ")"
}

// success describes a route that works.
func (r proxyRoute) success() string {
	switch {
	case r.proxy == nil:
		return "the upstream accepts connections"
	case r.tunnel:
		return r.target() + " accepts connections, and opens a tunnel to the upstream"
	}
	return r.target() + " accepts connections"
}

// advice explains why a route does not work, and what to do. Accepted reports whether the target
// accepted a connection.
func (r proxyRoute) advice(err error, accepted bool) string {
	if errors.Is(err, context.Canceled) {
		return interrupted
	}
	_, late := errors.AsType[*restclient.TimeoutError](err)
	network, _ := errors.AsType[*restclient.NetworkError](err)
	switch {
	case late && accepted:
		return r.target() + " accepts the connection but does not open a tunnel in time: check that it may connect to the host and port of --upstream-url"
	case late:
		return "no connection in time: check for a firewall or NetworkPolicy that drops packets to the host and port of " + r.target()
	case network == nil:
		return "no connection"
	}
	switch network.Kind {
	case restclient.KindDNS:
		return "cannot resolve the host of " + r.target() + ": check its spelling, and DNS on this machine"
	case restclient.KindRefused:
		return "connection refused: nothing listens on the host and port of " + r.target()
	case restclient.KindUnreachable:
		return "no route to the host of " + r.target() + ": check this machine's network, and its firewall or NetworkPolicy"
	case restclient.KindTLS:
		return "the TLS handshake with " + r.target() + " failed: check that it uses TLS (else its address is http://), and that its certificate is trusted (SSL_CERT_FILE)"
	case restclient.KindProxy:
		return fmt.Sprintf("%s does not open a tunnel to the upstream (status %d): %s", r.target(), network.ProxyStatus, r.statusAdvice(network.ProxyStatus))
	}
	if accepted {
		return r.target() + " accepts the connection but does not open a tunnel to the upstream: check that it is a proxy that allows CONNECT"
	}
	return "no connection to the host and port of " + r.target() + ": check this machine's firewall or NetworkPolicy"
}

// statusAdvice returns what to do if a proxy does not open a tunnel.
func (r proxyRoute) statusAdvice(status int) string {
	switch {
	case status == http.StatusProxyAuthRequired:
		return r.authAdvice()
	case status == http.StatusForbidden:
		return "it must allow CONNECT to the host and port of --upstream-url; or add the host to NO_PROXY if it can be reached directly"
	case status >= http.StatusInternalServerError:
		return "check the host and port of --upstream-url, and that the proxy may connect to it"
	}
	return "check that it is a proxy that allows CONNECT"
}

// authAdvice returns what to do about status 407.
func (r proxyRoute) authAdvice() string {
	return "a proxy requires authentication; add user and password to " + r.variable()
}
