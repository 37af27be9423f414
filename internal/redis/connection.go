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
	// firstPause and lastPause are how long the level stays closed: the first time, and at most.
	firstPause = time.Second
	lastPause  = 10 * time.Second
	// dialTimeout is for a connection with its handshakes, which no caller waits for.
	dialTimeout = time.Second
	// pingGap is how often an idle connection is tried, and how long its answer may take.
	pingGap = time.Second
)

var errLost = errors.New("redis: the connection was lost")

// link is one connection. After its first failure it is never used again: what was sent on it and not answered ends with it, so
// that a Redis that stands still blocks nobody for longer than the first caller waits.
type connection struct {
	client rueidis.Client
	dialed atomic.Bool
	conn   net.Conn // below TLS, so that closing it never waits for the peer; nil before it is dialled
	stop   func() bool

	once sync.Once
	lost chan struct{} // closed at the first failure
	err  error         // that failure, once lost is closed
}

// watched is a connection that tells of its own end. rueidis reads all the time and closes what it cannot read from, so that an
// idle connection is known to be lost before a caller needs it.
type watched struct {
	net.Conn
	ended func()
}

func (w *watched) Close() error {
	w.ended()
	return w.Conn.Close()
}

// fail ends a link, and closes the level until the keeper has another.
func (s *Store) fail(l *connection, err error) {
	l.once.Do(func() {
		s.connection.CompareAndSwap(l, nil)
		l.err = err
		close(l.lost)
		if l.conn != nil {
			l.conn.Close()
		}
	})
}

// keep has a link open for as long as it can, until the context ends. It alone calls Down and Up.
func (s *Store) maintain(ctx context.Context) {
	defer close(s.done)
	outage := false
	pause := firstPause
	for {
		var opened time.Time
		l, err := s.dial(ctx)
		if err == nil {
			opened = time.Now()
			s.connection.Store(l)
			if outage {
				outage = false
				s.observer.Up()
			}
			select {
			case <-l.lost:
			case <-ctx.Done():
				s.fail(l, errLost)
			}
			s.connection.CompareAndSwap(l, nil) // it may have failed before it was stored
			l.close()
			err = l.err
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

// dial returns a link on which a read has succeeded. It ends early with the context, which is that of the store.
func (s *Store) dial(ctx context.Context) (*connection, error) {
	l := &connection{lost: make(chan struct{}), stop: func() bool { return true }}
	option := s.option
	option.DialCtxFn = func(_ context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		// rueidis would dial again while a caller waits.
		if l.dialed.Swap(true) {
			return nil, errLost
		}
		return s.dialTCP(ctx, l, address, dialer, config)
	}
	var err error
	if l.client, err = rueidis.NewClient(option); err == nil {
		err = s.probe(ctx, l)
	}
	if err != nil {
		s.fail(l, err)
		l.close()
		return nil, err
	}
	return l, nil
}

// connect opens the connection of a link. The dialer's timeout is for all of it.
func (s *Store) dialTCP(ctx context.Context, l *connection, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, dialer.Timeout)
	defer cancel()
	var err error
	if s.option.DialCtxFn != nil { // that of the URL
		l.conn, err = s.option.DialCtxFn(limited, address, dialer, config)
	} else {
		l.conn, err = dialer.DialContext(limited, "tcp", address)
	}
	if err != nil {
		l.conn = nil
		return nil, err
	}
	l.stop = context.AfterFunc(ctx, func() { l.conn.Close() }) // so that greetings end early, too
	conn := l.conn
	if config != nil {
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(limited); err != nil {
			return nil, err
		}
		conn = secure
	}
	return &watched{conn, func() { s.fail(l, errLost) }}, nil
}

// close waits until nothing of a link that has failed is left.
func (l *connection) close() {
	l.stop()
	if l.client != nil {
		l.client.Close()
	}
}

// probe tries what every Load does: a Redis that cannot be read, because it is loading its data or the user may not, is down.
func (s *Store) probe(ctx context.Context, l *connection) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	keys := s.keys(EntryID{})
	return l.client.Do(ctx, l.client.B().Mget().Key(keys.value, keys.tombstone).Build()).Error()
}

// reason returns what may be said of a failure: no address, no credential, and of Redis' words the code alone, since it may
// repeat the command that it refuses.
func reason(err error) error {
	text := "it does not answer as Redis does"
	if refusal, ok := rueidis.IsRedisErr(err); ok {
		text = "it refuses with " + code(refusal)
	} else if errno, ok := errors.AsType[syscall.Errno](err); ok {
		text = errno.Error()
	} else if _, ok := errors.AsType[*net.DNSError](err); ok {
		text = "its host is not found"
	} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		text = "its certificate is not trusted"
	} else if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		text = "it does not speak TLS"
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		text = "it does not answer in time"
	} else if errors.Is(err, errLost) || errors.Is(err, io.EOF) {
		text = "the connection was lost"
	}
	return errors.New("redis: " + text)
}

// code returns the first word of Redis' error where it is one of capitals, else ERR.
func code(refusal *rueidis.RedisError) string {
	word, _, _ := strings.Cut(refusal.Error(), " ")
	if len(word) < 3 || len(word) > 16 || strings.ContainsFunc(word, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return "ERR"
	}
	return word
}
