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
	// handshake is what connections get that were about to be made when the port was to be closed, and acceptTimeout bounds how
	// long those that were made are accepted.
	handshake     = 100 * time.Millisecond
	acceptTimeout = time.Second

	// firstRequest is what a connection gets to send its first request while the server drains.
	firstRequest = 5 * time.Second
)

// stoppable is a listener that accepts all who have connected already before it closes: they would be reset.
type stoppable struct {
	net.Listener
	stopped atomic.Pointer[time.Time] // when; nil before
}

// withDeadline is a listener such as those of package net.
type withDeadline interface{ SetDeadline(time.Time) error }

// stop makes Accept close the listener soon, once nobody waits.
func (l *stoppable) stop() {
	refuseNew(l.Listener)
	now := time.Now()
	l.stopped.Store(&now)
	if d, ok := l.Listener.(withDeadline); !ok || d.SetDeadline(now) != nil { // which wakes Accept
		_ = l.Close() // Accept says what it comes to
	}
}

// Accept returns http.ErrServerClosed once stop has closed the listener.
func (l *stoppable) Accept() (net.Conn, error) {
	for {
		if stopped := l.stopped.Load(); stopped != nil {
			took, end := time.Since(*stopped), stopped.Add(handshake)
			if took > handshake {
				if took > acceptTimeout || !someoneWaits(l.Listener) {
					_ = l.Close()
					return nil, http.ErrServerClosed
				}
				end = stopped.Add(acceptTimeout)
			}
			d, ok := l.Listener.(withDeadline)
			if !ok || d.SetDeadline(end) != nil {
				return nil, http.ErrServerClosed // stop has closed it
			}
		}
		conn, err := l.Listener.Accept()
		if err == nil {
			return conn, nil
		}
		if l.stopped.Load() == nil {
			return nil, err
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, http.ErrServerClosed
		}
	}
}

// connections are those on which somebody waits for an answer, or may be about to ask: http.Server's own Shutdown cuts off the
// latter. Its zero value has none.
type connections struct {
	mu   sync.Mutex
	busy map[net.Conn]connection
}

type connection struct {
	state http.ConnState
	since time.Time
}

// note is an http.Server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
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

// wait returns once none is busy, or ctx has ended.
func (c *connections) wait(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.any() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// any tells whether one is busy. Those without a request count for a while only.
func (c *connections) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.busy {
		if conn.state == http.StateActive || time.Since(conn.since) < firstRequest {
			return true
		}
	}
	return false
}
