package restclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/idna"
)

// connections is a pool of connections to one host. It is safe for concurrent use.
//
// It sends each request at most once. The pool of [http.Transport] sends a request again by itself:
// over HTTP/1.1 if an idle connection turns out to be closed, and over HTTP/2 after REFUSED_STREAM
// and GOAWAY, without a limit that this package could set.
type connections struct {
	transport       *http.Transport // dials, and has no connections of its own
	scheme, address string

	mu sync.Mutex
	// free are the connections that can take a request, the most recently used one last.
	free []*connection
	// old are the connections that take no more requests and are still in use.
	old []*connection
	// dialing is the last dial that has begun, or nil if it has ended.
	dialing *dial
	// multiplexed reports whether a connection can take several requests at a time, as those of
	// HTTP/2 can. Before the first dial, it is assumed for https.
	multiplexed bool
	sweeping    bool // a sweep is scheduled
}

// connection is a connection of the pool.
type connection struct {
	*http.ClientConn

	multiplexed bool
	opened      time.Time

	// The pool's lock guards these fields.
	free     bool // it is in connections.free
	retired  bool // it takes no more requests
	reused   bool // a request has ended on it
	lastUsed time.Time
}

// dial is an attempt to open a connection. The other fields are set when done is closed.
type dial struct {
	done chan struct{}
	conn *connection // with a reservation for the caller that began the dial
	err  error
}

func newConnections(transport *http.Transport, endpoint *url.URL) *connections {
	host := endpoint.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil { // an address of IPv6, for example, is no name
		host = ascii
	}
	return &connections{
		transport:   transport,
		scheme:      endpoint.Scheme,
		address:     net.JoinHostPort(host, endpoint.Port()), // without a port, the scheme's
		multiplexed: endpoint.Scheme == "https",
	}
}

// RoundTrip sends the request once, as http.RoundTripper describes. The response's body must be
// closed before the connection can be used again.
func (p *connections) RoundTrip(r *http.Request) (*http.Response, error) {
	conn, err := p.take(r.Context())
	if err != nil {
		return nil, err
	}
	resp, err := conn.RoundTrip(r)
	if err != nil {
		err = conn.failure(err)
		p.release(conn, r)
		return nil, err
	}
	resp.Body = &responseBody{resp.Body, p, conn, r}
	return resp, nil
}

// take returns a connection with a reservation for one request.
func (p *connections) take(ctx context.Context) (*connection, error) {
	for {
		p.mu.Lock()
		if conn := p.reserve(); conn != nil {
			p.mu.Unlock()
			return conn, nil
		}
		current, own := p.dialing, false
		if current == nil || !p.multiplexed {
			current, own = &dial{done: make(chan struct{})}, true
			p.dialing = current
			go p.dial(context.WithoutCancel(ctx), current) // a caller that leaves does not fail others
		}
		p.mu.Unlock()

		select {
		case <-ctx.Done():
			if own {
				go p.abandon(current)
			}
			return nil, ctx.Err()
		case <-current.done:
			if own || current.err != nil {
				return current.conn, current.err
			}
		}
	}
}

// reserve returns a free connection with a reservation, or nil. The caller must hold the lock.
func (p *connections) reserve() *connection {
	for i := len(p.free) - 1; i >= 0; i-- {
		conn := p.free[i]
		if conn.isOld() {
			p.free = slices.Delete(p.free, i, i+1)
			p.retire(conn)
			continue
		}
		reserved := conn.Reserve() == nil
		if !reserved || conn.Available() == 0 {
			p.free = slices.Delete(p.free, i, i+1)
			conn.free = false
		}
		if reserved {
			return conn
		}
	}
	return nil
}

// retire closes an old connection that is not free, now or after its requests. The caller must hold
// the lock.
func (p *connections) retire(conn *connection) {
	conn.free, conn.retired = false, true
	p.old = append(p.old, conn)
	p.closeOld()
	p.sweepLater()
}

// closeOld closes the old connections without requests. The caller must hold the lock.
func (p *connections) closeOld() {
	p.old = slices.DeleteFunc(p.old, func(conn *connection) bool {
		if conn.InFlight() > 0 {
			return false
		}
		_ = conn.Close()
		return true
	})
}

// isOld reports whether the connection should take no more requests.
func (c *connection) isOld() bool { return time.Since(c.opened) >= maxConnectionAge }

// dial opens a connection.
func (p *connections) dial(ctx context.Context, d *dial) {
	// The transport's own limits are for the parts of a dial, and it has none for a SOCKS proxy.
	ctx, cancel := context.WithTimeout(ctx, maxDialTime)
	defer cancel()
	conn, err := p.transport.NewClientConn(ctx, p.scheme, p.address)
	if err == nil && conn.Reserve() != nil { // the upstream has closed it already
		_ = conn.Close()
		err = net.ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(d.done)
	if p.dialing == d {
		p.dialing = nil
	}
	if d.err = err; err != nil {
		return
	}
	p.multiplexed = conn.Available() > 0
	d.conn = &connection{ClientConn: conn, multiplexed: p.multiplexed, opened: time.Now()}
	if p.multiplexed {
		p.add(d.conn)
	}
}

// abandon ends a dial whose caller has left.
func (p *connections) abandon(d *dial) {
	<-d.done
	if d.err == nil {
		d.conn.Release()
		p.release(d.conn, nil)
	}
}

// release ends a request on a connection. The request is nil if none was sent.
func (p *connections) release(conn *connection, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := conn.Err() != nil
	switch {
	case conn.retired:
		p.closeOld()
	case lost || conn.free:
	case conn.isOld():
		p.retire(conn)
	case conn.Available() > 0:
		p.add(conn)
	}
	if lost && conn.reused && r != nil && r.Context().Err() == nil {
		// The upstream has ended the connection. The others have been idle for longer. If it has
		// restarted, they are lost, too, and each of them would cost an attempt.
		p.closeIdle(0)
	}
	conn.reused, conn.lastUsed = true, time.Now()
}

// add makes a connection free. The caller must hold the lock.
func (p *connections) add(conn *connection) {
	conn.free, conn.lastUsed = true, time.Now()
	p.free = append(p.free, conn)
	p.sweepLater()
}

// sweepLater schedules the next sweep. The caller must hold the lock.
func (p *connections) sweepLater() {
	if !p.sweeping && len(p.free)+len(p.old) > 0 {
		p.sweeping = true
		time.AfterFunc(idleTimeout, p.sweep)
	}
}

// sweep closes the connections that have been idle for idleTimeout.
func (p *connections) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeping = false
	p.closeOld()
	p.closeIdle(idleTimeout)
	p.sweepLater()
}

// closeIdle closes the connections that have been idle for at least the given time. The caller must
// hold the lock.
func (p *connections) closeIdle(atLeast time.Duration) {
	p.free = slices.DeleteFunc(p.free, func(conn *connection) bool {
		if conn.InFlight() > 0 || time.Since(conn.lastUsed) < atLeast {
			return false
		}
		conn.free = false
		_ = conn.Close()
		return true
	})
}

// CloseIdleConnections closes the connections that are not in use.
func (p *connections) CloseIdleConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeOld()
	p.closeIdle(0)
}

// failure returns the error of a request on the connection.
func (c *connection) failure(err error) error {
	// net/http has no types for the errors of a connection that has ended. Of HTTP/2 connections
	// that include the ones that the upstream wants to end (GOAWAY).
	lost := c.multiplexed && (c.Err() != nil || c.Available() == 0) || err.Error() == "http: server closed idle connection"
	return &exchangeError{err, lost}
}

// exchangeError is the error of a request that had a connection.
type exchangeError struct {
	error

	lost bool // the connection has ended, if the error does not say more
}

func (e *exchangeError) Unwrap() error { return e.error }

// responseBody is the body of a response. Its connection can be used again when it is closed.
type responseBody struct {
	io.ReadCloser

	pool    *connections
	conn    *connection // nil after Close
	request *http.Request
}

func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.conn != nil {
		err = b.conn.failure(err)
	}
	return n, err
}

func (b *responseBody) Close() error {
	err := b.ReadCloser.Close()
	if b.conn != nil {
		b.pool.release(b.conn, b.request)
		b.conn = nil
	}
	return err
}
