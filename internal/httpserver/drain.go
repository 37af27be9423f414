package httpserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// handshakeTime is the time that TCP handshakes have to complete after the listener has
	// stopped. After it, Accept closes the listener if no connection arrives for quietTime, and
	// after acceptTimeout at the latest.
	handshakeTime = 100 * time.Millisecond
	quietTime     = 5 * time.Millisecond
	acceptTimeout = time.Second

	// firstRequestTime is how long a shutdown waits for the first request of a new connection.
	firstRequestTime = 5 * time.Second
)

// drainListener is a listener that accepts the queued connections before it closes. Otherwise the
// kernel would reset them. See docs/adr/0011-drain.md.
type drainListener struct {
	net.Listener
	stopped atomic.Pointer[time.Time] // nil before stop
}

// deadliner is implemented by the listeners of package net.
type deadliner interface{ SetDeadline(time.Time) error }

// stop makes Accept close the listener after the queued connections.
func (l *drainListener) stop() {
	now := time.Now()
	l.stopped.Store(&now)
	if d, ok := l.Listener.(deadliner); !ok || d.SetDeadline(now) != nil { // wakes Accept
		_ = l.Close() // Accept returns http.ErrServerClosed
	}
}

// Accept returns http.ErrServerClosed after stop has closed the listener.
func (l *drainListener) Accept() (net.Conn, error) {
	for {
		stopped := l.stopped.Load()
		last := false // whether to close the listener if no connection arrives
		if stopped != nil {
			now := time.Now()
			deadline := stopped.Add(handshakeTime)
			if last = now.After(deadline); last {
				deadline = now.Add(quietTime)
			}
			d, ok := l.Listener.(deadliner)
			if !ok || d.SetDeadline(deadline) != nil {
				return nil, http.ErrServerClosed // stop has closed the listener
			}
			if now.Sub(*stopped) > acceptTimeout {
				_ = l.Close()
				return nil, http.ErrServerClosed
			}
		}
		conn, err := l.Listener.Accept()
		switch {
		case err == nil:
			return &meteredConn{Conn: conn}, nil
		case l.stopped.Load() == nil:
			return nil, err
		case last || !errors.Is(err, os.ErrDeadlineExceeded):
			_ = l.Close()
			return nil, http.ErrServerClosed
		}
	}
}

// connections tracks the connections that have a request in progress or are new. Shutdown of
// http.Server does not serve the first request of a new connection, so the server waits for these
// connections before it calls Shutdown. The zero value is ready for use.
type connections struct {
	mu   sync.Mutex
	busy map[net.Conn]connection
}

type connection struct {
	state http.ConnState
	since time.Time
}

// setState implements ConnState of http.Server.
func (c *connections) setState(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateActive:
		if c.busy == nil {
			c.busy = make(map[net.Conn]connection)
		}
		c.busy[conn] = connection{state, time.Now()}
	case http.StateIdle, http.StateHijacked, http.StateClosed:
		delete(c.busy, conn)
	}
}

// wait returns when no connection is busy or ctx is done.
func (c *connections) wait(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.anyBusy() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// anyBusy reports whether a connection is busy. A connection without a request is busy for
// firstRequestTime.
func (c *connections) anyBusy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.busy {
		if conn.state == http.StateActive || time.Since(conn.since) < firstRequestTime {
			return true
		}
	}
	return false
}
