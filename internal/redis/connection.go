package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/rueidis"
)

const (
	// firstPause and lastPause are the first and the longest pause before the store reconnects.
	firstPause = time.Second
	lastPause  = 10 * time.Second
	// dialTimeout is the maximum duration of connecting, handshakes included. No caller waits for
	// it.
	dialTimeout = time.Second
	// pingInterval is the interval of pings on an idle connection, and the time limit for a reply.
	pingInterval = time.Second
)

var errLost = errors.New("redis: connection lost")

// connection is one connection to Redis. It is discarded after its first failure, together with its
// pending commands. So a Redis that hangs blocks all callers no longer than the first one waits.
type connection struct {
	client rueidis.Client
	dialed atomic.Bool
	conn   net.Conn // below TLS, so that closing it never waits for the peer; nil until dialed
	stop   func() bool

	once sync.Once
	lost chan struct{} // closed at the first failure
	err  error         // the first failure; set before lost is closed

	refused  sync.Once
	readOnly chan struct{} // closed when Redis refuses a write because it is a replica
}

// watchedConn is a net.Conn that calls ended when it is closed. rueidis reads continuously, and
// closes a connection that it cannot read from, so the loss of an idle connection is noticed before
// a caller needs it.
type watchedConn struct {
	net.Conn
	ended func()
}

func (w *watchedConn) Close() error {
	w.ended()
	return w.Conn.Close()
}

// fail ends a connection. The store remains disconnected until maintain has opened another one.
func (s *Store) fail(c *connection, err error) {
	c.once.Do(func() {
		s.connection.CompareAndSwap(c, nil)
		c.err = err
		close(c.lost)
		if c.conn != nil {
			c.conn.Close()
		}
	})
}

// maintain keeps the store connected until ctx ends. It is the only caller of Down and Up.
func (s *Store) maintain(ctx context.Context) {
	defer close(s.done)
	outage := false
	pause := firstPause
	for {
		var opened time.Time
		c, err := s.dial(ctx)
		if err == nil {
			opened = time.Now()
			s.connection.Store(c)
			if outage {
				outage = false
				s.observer.Up()
			}
			err = s.use(ctx, c)
		}
		if ctx.Err() != nil {
			return
		}
		if !outage {
			outage = true
			s.observer.Down(reason(err))
		}
		if !opened.IsZero() && time.Since(opened) > lastPause {
			pause = firstPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// use returns the error of the store's connection after its loss. If Redis refuses a write because
// it is a replica, the name in the URL may have moved to another server, the new primary: use opens
// another connection, which replaces the present one. Until then, the present one serves reads.
func (s *Store) use(ctx context.Context, c *connection) error {
	var retired *connection // replaced; its last commands end before the retirement
	var redial, retirement <-chan time.Time
	readOnly, pause, opened := c.readOnly, time.Duration(0), time.Now()
	retire := func() {
		if retired != nil {
			s.fail(retired, errLost)
			retired.close()
			retired, retirement = nil, nil
		}
	}
	defer retire()
	for {
		select {
		case <-ctx.Done():
			s.fail(c, errLost)
			<-c.lost
		case <-retirement:
			retire()
			continue
		case <-readOnly:
			if time.Since(opened) > lastPause {
				pause = 0
			}
			readOnly, redial = nil, time.After(pause)
			continue
		case <-redial:
			pause = min(max(2*pause, firstPause), lastPause)
			next, err := s.dial(ctx)
			if err != nil {
				redial = time.After(pause)
				continue
			}
			s.connection.Store(next)
			retire()
			retired, retirement = c, time.After(s.timeout)
			c, readOnly, redial, opened = next, next.readOnly, nil, time.Now()
			continue
		case <-c.lost:
		}
		s.connection.CompareAndSwap(c, nil) // it may have failed before it was stored
		c.close()
		return c.err
	}
}

// dial returns a connection on which a read has succeeded. The ctx is the context of the store: the
// connection is closed when it ends.
func (s *Store) dial(ctx context.Context) (*connection, error) {
	c := &connection{lost: make(chan struct{}), readOnly: make(chan struct{}), stop: func() bool { return true }}
	option := s.option
	option.DialCtxFn = func(_ context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		// rueidis would reconnect by itself while a caller waits.
		if c.dialed.Swap(true) {
			return nil, errLost
		}
		return s.dialTCP(ctx, c, address, dialer, config)
	}
	var err error
	if c.client, err = rueidis.NewClient(option); err == nil {
		err = s.ping(ctx, c)
	}
	if err != nil {
		s.fail(c, err)
		c.close()
		return nil, err
	}
	return c, nil
}

// dialTCP opens the network connection of c, with TLS if config is not nil. The dialer's timeout
// applies to all of it.
func (s *Store) dialTCP(ctx context.Context, c *connection, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, dialer.Timeout)
	defer cancel()
	var err error
	if s.option.DialCtxFn != nil { // set by the URL
		c.conn, err = s.option.DialCtxFn(limited, address, dialer, config)
	} else {
		c.conn, err = dialer.DialContext(limited, "tcp", address)
	}
	if err != nil {
		c.conn = nil
		return nil, err
	}
	c.stop = context.AfterFunc(ctx, func() { c.conn.Close() }) // also ends a pending handshake
	conn := c.conn
	if config != nil {
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(limited); err != nil {
			return nil, err
		}
		conn = secure
	}
	return &watchedConn{conn, func() { s.fail(c, errLost) }}, nil
}

// close releases the resources of a connection that has failed, and waits for its goroutines.
func (c *connection) close() {
	c.stop()
	if c.client != nil {
		c.client.Close()
	}
}

// ping reads the same kinds of keys as Load. A Redis that rejects them, because it is loading its
// data or because of the user's permissions, counts as down.
func (s *Store) ping(ctx context.Context, c *connection) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	keys := s.keys(EntryID{})
	return c.client.Do(ctx, c.client.B().Mget().Key(keys.value, keys.tombstone).Build()).Error()
}

// reason returns an error that is safe to log. It has no address and no credential. It includes
// only the code of a Redis error, whose message may repeat the command.
func reason(err error) error {
	message := "the server does not respond like Redis"
	if redisErr, ok := rueidis.IsRedisErr(err); ok {
		message = "the server responds with " + code(redisErr)
	} else if errno, ok := errors.AsType[syscall.Errno](err); ok {
		message = errno.Error()
	} else if _, ok := errors.AsType[*net.DNSError](err); ok {
		message = "host not found"
	} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		message = "the server's certificate is not trusted"
	} else if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		message = "the server does not use TLS"
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		message = "no response in time"
	} else if errors.Is(err, errLost) || errors.Is(err, io.EOF) {
		message = "connection lost"
	}
	return errors.New("redis: " + message)
}

// code returns the first word of a Redis error if it consists of capital letters, else ERR.
func code(err *rueidis.RedisError) string {
	word, _, _ := strings.Cut(err.Error(), " ")
	if len(word) < 3 || len(word) > 16 || strings.ContainsFunc(word, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return "ERR"
	}
	return word
}
