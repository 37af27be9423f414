// Package memorynet is a network in memory. Unlike sockets, its connections work in the bubbles of
// testing/synctest, and unlike those of [net.Pipe], they have buffers, so that two sides that write
// at the same time do not wait for each other.
package memorynet

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// bufferBytes is the size of a connection's buffer, for each direction.
const bufferBytes = 256 << 10

// stream is one direction of a connection.
type stream struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything changes
	buffer  []byte
	err     error // of reads after the buffer is empty, or nil while the writer's side is open
	gone    bool  // the reader's side is closed
	// readUntil and writeUntil are the deadlines; zero for none.
	readUntil, writeUntil time.Time
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// change changes the stream and wakes those that wait for it.
func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait calls try until it returns true. It returns an error if the deadline passes before.
func (s *stream) wait(deadline *time.Time, try func() bool) error {
	for {
		s.mu.Lock()
		until, changed := *deadline, s.changed
		late := !until.IsZero() && !time.Now().Before(until)
		done := !late && try()
		if done {
			close(s.changed)
			s.changed = make(chan struct{})
		}
		s.mu.Unlock()
		switch {
		case done:
			return nil
		case late:
			return os.ErrDeadlineExceeded
		case until.IsZero():
			<-changed
		default:
			timer := time.NewTimer(time.Until(until))
			select {
			case <-changed:
			case <-timer.C:
			}
			timer.Stop()
		}
	}
}

// Conn is one side of a connection.
type Conn struct {
	in, out *stream
	reset   bool
}

// newPair returns the two sides of a connection.
func newPair() (a, b *Conn) {
	x, y := newStream(), newStream()
	return &Conn{in: x, out: y}, &Conn{in: y, out: x}
}

// Read reads what the other side has written.
func (c *Conn) Read(b []byte) (n int, err error) {
	late := c.in.wait(&c.in.readUntil, func() bool {
		switch {
		case c.in.gone:
			err = net.ErrClosed
		case len(c.in.buffer) > 0:
			n = copy(b, c.in.buffer)
			c.in.buffer = c.in.buffer[n:]
		case c.in.err != nil:
			err = c.in.err
		default:
			return len(b) == 0
		}
		return true
	})
	if late != nil {
		err = late
	}
	return n, err
}

// Write writes to the other side's buffer. It waits while that is full.
func (c *Conn) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		late := c.out.wait(&c.out.writeUntil, func() bool {
			switch room := bufferBytes - len(c.out.buffer); {
			case c.out.err != nil:
				err = net.ErrClosed
			case c.out.gone:
				err = syscall.EPIPE
			case room > 0:
				part := b[n:min(n+room, len(b))]
				c.out.buffer = append(c.out.buffer, part...)
				n += len(part)
			default:
				return false
			}
			return true
		})
		if late != nil {
			err = late
		}
	}
	return n, err
}

// CloseWrite ends what the other side reads.
func (c *Conn) CloseWrite() error {
	c.out.change(func() {
		if c.out.err == nil {
			c.out.err = io.EOF
		}
	})
	return nil
}

// Close closes both directions.
func (c *Conn) Close() error {
	c.out.change(func() {
		switch {
		case c.reset:
			c.out.err, c.out.buffer = syscall.ECONNRESET, nil
		case c.out.err == nil:
			c.out.err = io.EOF
		}
	})
	c.in.change(func() { c.in.gone = true })
	return nil
}

// SetLinger makes Close reset the connection if seconds is 0.
func (c *Conn) SetLinger(seconds int) error { c.reset = seconds == 0; return nil }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error { _ = c.SetReadDeadline(t); return c.SetWriteDeadline(t) }

// SetReadDeadline sets the deadline of reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.change(func() { c.in.readUntil = t })
	return nil
}

// SetWriteDeadline sets the deadline of writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.change(func() { c.out.writeUntil = t })
	return nil
}

// LocalAddr returns a constant.
func (c *Conn) LocalAddr() net.Addr { return address{} }

// RemoteAddr returns a constant.
func (c *Conn) RemoteAddr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }

func (address) String() string { return "memory" }

// Listener accepts the connections that Dial opens. Create one with [Listen].
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

// Listen returns a listener.
func Listen() *Listener {
	closed := make(chan struct{})
	return &Listener{conns: make(chan net.Conn), closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (l *Listener) Close() error { l.close(); return nil }

// Addr returns a constant.
func (l *Listener) Addr() net.Addr { return address{} }

// Dial opens a connection, whatever the network and the address.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := newPair()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
