package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"cvmgraph/restclient"
)

// way is what the connection to the upstream leads through, as the client's transport chooses it.
type way struct {
	proxy  *url.URL // nil for none
	tunnel bool     // through the proxy: it is asked for one where the upstream is https://
}

// wayTo returns the way to an upstream.
func wayTo(base string) way {
	u, err := url.Parse(base)
	if err != nil {
		return way{}
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil {
		return way{}
	}
	return way{proxy, u.Scheme == "https"}
}

// passed says whether the connection came to the upstream, or where the proxy is sent the request itself, to the proxy.
func (w way) passed(p progress) bool {
	switch {
	case w.proxy == nil:
		return p.connected
	case w.tunnel && w.proxy.Scheme == "https": // the first handshake is with the proxy
		return p.handshakes > 1
	case w.tunnel:
		return p.handshakes > 0
	}
	return p.ready
}

// variable is the one that names a proxy.
func (w way) variable() string {
	if w.tunnel {
		return "HTTPS_PROXY"
	}
	return "HTTP_PROXY"
}

// next is whose host and port the connection goes to.
func (w way) next() string {
	if w.proxy == nil {
		return "--upstream-url"
	}
	return "the proxy (" + w.variable() + ")"
}

// open says what there is where the connection passed.
func (w way) open() string {
	switch {
	case w.proxy == nil:
		return "the upstream takes connections"
	case w.tunnel:
		return w.next() + " takes connections, and opens a tunnel to the upstream"
	}
	return w.next() + " takes connections"
}

// fault says why the connection did not pass, and what to do.
func (w way) fault(err error, connected bool) string {
	if errors.Is(err, context.Canceled) {
		return interrupted
	}
	_, late := errors.AsType[*restclient.TimeoutError](err)
	network, _ := errors.AsType[*restclient.NetworkError](err)
	switch {
	case late && connected:
		return w.next() + " takes the connection and opens no tunnel in time: may it go to host and port of --upstream-url?"
	case late:
		return "there is no connection in time: does something (firewall, NetworkPolicy) drop what goes to host and port of " + w.next() + "?"
	case network == nil:
		return "there is no connection"
	}
	switch network.Kind {
	case restclient.KindDNS:
		return "the host of " + w.next() + " cannot be resolved: is it spelt right, and does DNS work here?"
	case restclient.KindRefused:
		return "the connection is refused: nobody listens at host and port of " + w.next()
	case restclient.KindUnreachable:
		return "there is no way to the host of " + w.next() + ": is this machine on the network, and may it go out (firewall, NetworkPolicy)?"
	case restclient.KindTLS:
		return "the handshake with " + w.next() + " fails: does it speak TLS there, or is its address http://, and is its certificate trusted (SSL_CERT_FILE)?"
	case restclient.KindProxy:
		return fmt.Sprintf("%s opens no tunnel to the upstream (status %d): %s", w.next(), network.ProxyStatus, w.refusal(network.ProxyStatus))
	}
	if connected {
		return w.next() + " takes the connection and opens no tunnel to the upstream: is it a proxy, and one that allows CONNECT?"
	}
	return "there is no connection to host and port of " + w.next() + ": may this machine go out (firewall, NetworkPolicy)?"
}

// refusal says what to do about a proxy that refuses a tunnel.
func (w way) refusal(status int) string {
	switch {
	case status == http.StatusProxyAuthRequired:
		return w.identify()
	case status == http.StatusForbidden:
		return "it is to allow CONNECT to host and port of --upstream-url, or NO_PROXY to name the host where there is a way without it"
	case status >= http.StatusInternalServerError:
		return "are host and port of --upstream-url right, and may the proxy go there?"
	}
	return "is it a proxy, and one that allows CONNECT?"
}

// identify says what to do about a proxy's 407.
func (w way) identify() string {
	return "a proxy wants to know who this is; " + w.variable() + " may hold user and password"
}
