package redis

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// probeTimeout is the default timeout of a round trip in Probe. It is long enough to distinguish a
// slow Redis from an unavailable one.
const probeTimeout = 2 * time.Second

// The steps of a [ProbeError].
const (
	StepConnect = "connect" // no connection, or Redis rejects reads
	StepWrite   = "write"   // Redis rejects storing a value or locking
	StepRead    = "read"    // Redis does not return the stored value
)

// ProbeError is the reason why a Redis cannot be used. Its message contains neither an address nor
// a credential.
type ProbeError struct {
	// Step is the step that failed: one of the constants StepConnect to StepRead.
	Step string
	// Code is the code of the Redis error, such as WRONGPASS. It is empty for other errors.
	Code string

	message string
}

func (e *ProbeError) Error() string { return e.message }

// Probe checks whether a Store could use Redis. It connects, acquires and releases a lock, stores a
// sealed value for a few seconds, and loads it again. It takes a few seconds at most. Probe returns
// the duration of the one round trip after connecting. The error is a *ProbeError if Redis fails or
// ctx ends. Otherwise it lists the invalid options, as in [Open].
func Probe(ctx context.Context, options Options) (took time.Duration, err error) {
	options.Timeout = cmp.Or(options.Timeout, probeTimeout)
	s, err := newStore(options)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout+2*options.Timeout)
	defer cancel()
	c, err := s.dial(ctx)
	if err != nil {
		return 0, probeError(StepConnect, err)
	}
	defer c.close()
	defer s.fail(c, errLost)
	started := time.Now()
	err = s.roundTrip(ctx, c)
	return time.Since(started), err
}

// roundTrip acquires and releases a lock, and stores and loads a value, in one round trip.
func (s *Store) roundTrip(ctx context.Context, c *connection) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	written := record{stored: time.Now(), ttl: 5 * time.Second, value: []byte(rand.Text())}
	t := computation{store: s, keys: s.keys(EntryID{Name: "probe " + rand.Text()}), token: rand.Text()}
	save, ok := s.set(t.keys, written)
	if !ok {
		return probeError(StepWrite, errUnreadable)
	}
	builder := c.client.B()
	results := c.client.DoMulti(
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
		e.message = "redis: the server does not return the stored value"
	}
	if redisErr, ok := rueidis.IsRedisErr(err); ok {
		e.Code = code(redisErr)
	}
	return e
}
