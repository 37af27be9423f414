package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// probeTimeout is how long a Redis that is being probed may take for one round trip: a slow one is still told from one that is gone.
const probeTimeout = 2 * time.Second

// The steps of a [ProbeError].
const (
	StepConnect = "connect" // there is no connection on which Redis can be read
	StepWrite   = "write"   // Redis does not store, or gives no locks
	StepRead    = "read"    // what was stored is not what is loaded
)

// ProbeError says why a Redis cannot be used. Its text has neither address nor credential.
type ProbeError struct {
	// Step is one of the constants StepConnect to StepRead.
	Step string
	// Code is the word with which Redis refuses, such as WRONGPASS; "" where it is not Redis that does.
	Code string

	message string
}

func (e *ProbeError) Error() string { return e.message }

// Probe does once what a store does: it connects, takes and releases a lock, stores a sealed value for a few seconds, and loads it again.
// It returns how long that took, connected, in one round trip. It waits for a few seconds at most. Where Redis fails, or ctx ends, the
// error is a *ProbeError; else it says which options are wrong, as that of [Open].
func Probe(ctx context.Context, options Options) (took time.Duration, err error) {
	if options.Timeout == 0 {
		options.Timeout = probeTimeout
	}
	s, err := newStore(options)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+2*options.Timeout)
	defer cancel()
	l, err := s.dial(ctx)
	if err != nil {
		return 0, probeError(StepConnect, err)
	}
	defer l.close()
	defer s.fail(l, errLost)
	begun := time.Now()
	err = s.roundTrip(ctx, l)
	return time.Since(begun), err
}

// try stores and loads on a link.
func (s *Store) roundTrip(ctx context.Context, l *connection) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	written := record{stored: time.Now(), ttl: 5 * time.Second, value: []byte(rand.Text())}
	t := lockAttempt{store: s, keys: s.keys(EntryID{Name: "probe " + rand.Text()}), token: rand.Text()}
	save, ok := s.set(t.keys, written)
	if !ok {
		return probeError(StepWrite, errUnreadable)
	}
	builder := l.client.B()
	results := l.client.DoMulti(
		ctx,
		builder.Set().Key(t.keys.lock).Value(t.token).Nx().Px(written.ttl).Build(),
		save(builder),
		t.script(release, t.token).command(builder),
		mget([]string{t.keys.value, t.keys.tombstone})(builder),
	)
	for _, result := range results[:3] {
		if err := result.Error(); err != nil {
			return probeError(StepWrite, err)
		}
	}
	messages, err := results[3].ToArray()
	switch {
	case err != nil:
		return probeError(StepRead, err)
	case len(messages) != 2:
		return probeError(StepRead, errUnreadable)
	}
	if read := s.evaluate(t.keys, messages); !read.ok || !bytes.Equal(read.value, written.value) {
		return probeError(StepRead, errUnreadable)
	}
	return nil
}

func probeError(step string, err error) error {
	e := &ProbeError{Step: step, message: reason(err).Error()}
	if errors.Is(err, errUnreadable) {
		e.message = "redis: it does not return what was stored"
	}
	if refusal, ok := rueidis.IsRedisErr(err); ok {
		e.Code = code(refusal)
	}
	return e
}
