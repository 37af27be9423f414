package restclient

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"cvmgraph/internal/fair"
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
	c.pools.transport.DialContext = dial
}

// SetProxy replaces http.ProxyFromEnvironment, before the client's first call.
func (c *Client) SetProxy(proxy *url.URL) { c.pools.transport.Proxy = http.ProxyURL(proxy) }

// Limits of large bodies.
const (
	LargeBody   = largeBodyBytes
	LargeBodies = largeBodySlots
)

// Dial returns the function that SetDial has set.
func (c *Client) Dial() func(context.Context, string, string) (net.Conn, error) {
	return c.pools.transport.DialContext
}

// Attempt is an attempt with a credential that ends with err.
func (c *Client) Attempt(ctx context.Context, cred Credential, err error) error {
	end, refused := c.Begin(ctx, cred)
	if refused != nil {
		return refused
	}
	end(err)
	return err
}

// Begin begins an attempt with a credential. The attempt ends when end is called with its result.
func (c *Client) Begin(ctx context.Context, cred Credential) (end func(error), refused error) {
	from := c.policy.callerOf(cred.Headers())
	permit, refused := c.policy.admit(ctx, from)
	return func(err error) {
		c.policy.settle(ctx, from, permit, err)
		if isLoss(err) {
			c.pools.lost(permit.caller)
		}
	}, refused
}

// Retry makes the attempts after one that failed with first.
func (c *Client) Retry(ctx context.Context, first error, attempt func() (RawPage, error)) (RawPage, error) {
	return c.policy.retry(ctx, caller{}, first, attempt)
}

// PageReleasedBy is a page whose Release calls release.
func PageReleasedBy(release func()) RawPage { return RawPage{Body: []byte("{}"), release: release} }

// ReadBody returns the error of reading the body of a response.
func (c *Client) ReadBody(ctx context.Context, resp *http.Response) error {
	_, err := c.large.rawPage(ctx, fair.Caller{}, resp)
	return err
}

// Known reports whether the credential has had a page.
func (c *Client) Known(cred Credential) bool {
	return c.policy.fairCaller(c.policy.callerOf(cred.Headers())).Known
}

// AgeConnections makes the present free connections old.
func (c *Client) AgeConnections() {
	c.pools.shared.mu.Lock()
	defer c.pools.shared.mu.Unlock()
	for _, conn := range c.pools.shared.free {
		conn.opened = conn.opened.Add(-maxConnectionAge)
	}
}

// CloseIdle closes the connections that are not in use.
func (c *Client) CloseIdle() { c.pools.CloseIdleConnections() }
