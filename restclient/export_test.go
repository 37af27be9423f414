package restclient

import (
	"context"
	"net"
	"net/http"
	"net/url"
)

var (
	RetryAfter  = retryAfter
	RetryReason = retryReason
	Pause       = pause
)

// FlatCvm has the keys of an item in ShapeFlat.
type FlatCvm = flatCvm

// SetDial replaces the network, before the client's first call.
func (c *Client) SetDial(dial func(context.Context, string, string) (net.Conn, error)) {
	c.conns.transport.DialContext = dial
}

// SetProxy replaces http.ProxyFromEnvironment, before the client's first call.
func (c *Client) SetProxy(proxy *url.URL) { c.conns.transport.Proxy = http.ProxyURL(proxy) }

// Limits of large bodies.
const (
	LargeBody   = largeBodyBytes
	LargeBodies = largeBodies
)

// Dial returns the function that SetDial has set.
func (c *Client) Dial() func(context.Context, string, string) (net.Conn, error) {
	return c.conns.transport.DialContext
}
