package restclient

import (
	"context"
	"net"
)

var (
	RetryAfter  = retryAfter
	RetryReason = retryReason
	Pause       = pause
)

// SetDial replaces the network, before the client's first call.
func (c *Client) SetDial(dial func(context.Context, string, string) (net.Conn, error)) {
	c.transport.DialContext = dial
}

// What large bodies are.
const (
	LargeBody   = largeBody
	LargeBodies = largeBodies
)
