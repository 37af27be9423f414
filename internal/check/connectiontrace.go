package check

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
)

// connectionTrace records the progress of a call's connection. The transport can update it even
// after the call has returned.
type connectionTrace struct {
	mu    sync.Mutex
	state progress
}

// progress is the progress of a connection.
type progress struct {
	connected    bool                 // to the upstream, or to a proxy
	handshakes   int                  // started so far; a handshake with the proxy comes first
	tls          *tls.ConnectionState // of the last handshake; nil if it did not succeed
	handshakeErr error                // of the last handshake
	ready        bool                 // to send the request
}

// with returns a context for a call that updates the trace.
func (t *connectionTrace) with(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			t.update(func(p *progress) { p.connected = p.connected || err == nil })
		},
		TLSHandshakeStart: func() {
			t.update(func(p *progress) { p.handshakes, p.tls, p.handshakeErr = p.handshakes+1, nil, nil })
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.update(func(p *progress) {
				if p.handshakeErr = err; err == nil {
					p.tls = &state
				}
			})
		},
		WroteHeaders: func() { t.update(func(p *progress) { p.ready = true }) },
	})
}

func (t *connectionTrace) update(f func(*progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.state)
}

// progress returns the current progress.
func (t *connectionTrace) progress() progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}
