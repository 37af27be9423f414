package redis

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

const (
	// firstPoll and lastPoll are the first and the longest pause between two attempts to get the
	// value that another caller is computing.
	firstPoll = 5 * time.Millisecond
	lastPoll  = 50 * time.Millisecond

	// noValue replaces the token of a lock if its holder will not store a value. It expires after
	// noValueTTL, which is long enough for all waiting callers to read it.
	noValue    = "-"
	noValueTTL = time.Second

	// Only the caller whose token is in the lock may change it.
	release = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`
	abandon = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3]) end return 0`
)

// GetOrCompute returns a stored value like Load, or calls compute and stores its result. Across all
// replicas, one caller at a time computes a value while the others wait for it, each for at most
// wait. A caller calls compute, even if others are doing so, if it has waited that long or if the
// caller that it waited for got keep = false from compute. If that caller fails, dies, or takes
// longer than three quarters of wait, one of the waiting callers takes over. If Redis does not
// respond in time, a caller calls compute at once, and the result may not be stored.
//
// GetOrCompute calls compute at most once, in the calling goroutine and with the caller's context.
// compute returns a value and whether it may be stored. A value is not stored if its TTL is less
// than 1 ms, if it is larger than 16 MiB, or if computing it took longer than a minute. If wait is
// less than 1 ms, callers do not wait for each other.
//
// GetOrCompute returns the value, the time at which it was stored or computed, and whether compute
// was called. The error is the error of compute, or the cause of ctx if ctx ends before.
func (s *Store) GetOrCompute(ctx context.Context, id EntryID, ttl, wait time.Duration,
	compute func(context.Context) (value []byte, keep bool, err error),
) (value []byte, stored time.Time, computed bool, err error) {
	c := computation{store: s, ttl: ttl}
	var f lookup
	if ttl >= time.Millisecond && s.connection.Load() != nil {
		c.keys = s.keys(id)
		f, c.reachable = s.find(ctx, c.keys)
		if c.reachable && !f.ok && wait >= time.Millisecond {
			f = c.waitForValue(ctx, wait)
		}
	}
	if f.ok {
		s.observer.Hit()
		return f.value, f.stored, false, nil
	}
	if ctx.Err() != nil {
		c.unlock(ctx)
		return nil, time.Time{}, false, context.Cause(ctx)
	}
	if c.reachable {
		s.observer.Miss()
	}
	c.generation, c.reachable = f.generation, c.reachable && f.readable
	return c.run(ctx, compute)
}

// computation is the state of one GetOrCompute call.
type computation struct {
	store      *Store
	keys       keys
	ttl        time.Duration
	reachable  bool // whether Redis has responded so far
	generation generation
	token      string // of the lock; empty if the call does not hold it
}

// waitForValue returns when there is a value, or when the caller must compute it. In the latter
// case the caller may hold the lock.
func (c *computation) waitForValue(ctx context.Context, wait time.Duration) (f lookup) {
	token := rand.Text()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for pause := firstPoll; ; pause = min(pause*3/2, lastPoll) {
		var locked, rejected bool
		f, locked, rejected = c.tryLock(ctx, token, wait*3/4)
		if locked {
			c.token = token
		}
		if f.ok {
			c.unlock(ctx)
			return f
		}
		if !c.reachable || locked || rejected || f.lock == noValue {
			return f
		}
		// Random pauses keep waiting callers from polling all at once.
		timer := time.NewTimer(pause/2 + mathrand.N(pause/2))
		select {
		case <-timer.C:
		case <-deadline.C:
			timer.Stop()
			return f
		case <-ctx.Done():
			timer.Stop()
			return f
		}
	}
}

// tryLock tries to acquire the lock and reads the entry, in one round trip. rejected reports that
// Redis rejected the lock command.
func (c *computation) tryLock(ctx context.Context, token string, ttl time.Duration) (f lookup, locked, rejected bool) {
	s := c.store
	lock := step{"lock", func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(c.keys.lock).Value(token).Nx().Px(max(ttl, time.Millisecond)).Build()
	}}
	// The previous holder stored its value before it released the lock, so a caller that acquires
	// the lock first and reads second sees this value.
	wanted := []string{c.keys.value, c.keys.tombstone, c.keys.lock}
	var got reply
	if got, c.reachable = s.send(ctx, lock, step{"load", mget(wanted)}); !c.reachable {
		c.token = token // Redis may have set the lock nevertheless
		return lookup{}, false, false
	}
	if err := got.results[0].Error(); err == nil {
		locked = true
	} else if !rueidis.IsRedisNil(err) {
		s.refused(got.connection, "lock", err)
		rejected = true
	}
	var messages []rueidis.RedisMessage
	if messages, c.reachable = s.values("load", got.connection, got.results[1], len(wanted)); !c.reachable {
		return lookup{}, locked, rejected
	}
	return s.evaluate(c.keys, messages), locked, rejected
}

// run calls compute, stores the value, and releases the lock.
func (c *computation) run(ctx context.Context, compute func(context.Context) ([]byte, bool, error),
) (value []byte, stored time.Time, computed bool, err error) {
	defer c.unlock(ctx) // in case compute fails or panics
	started := time.Now()
	value, keep, err := compute(ctx)
	if err != nil {
		return nil, time.Time{}, true, err
	}
	stored = time.Now().Truncate(time.Millisecond)
	c.finish(ctx, value, stored, keep && time.Since(started) <= maxComputeTime)
	return value, stored, true, nil
}

// finish stores a value and releases the lock, or replaces the lock by noValue.
func (c *computation) finish(ctx context.Context, value []byte, stored time.Time, keep bool) {
	s := c.store
	var steps []step
	if keep && c.reachable && c.ttl >= time.Millisecond && len(value) <= maxValueBytes {
		save, ok := s.set(c.keys, record{stored: stored, ttl: c.ttl, generation: c.generation, value: value})
		if !ok {
			return
		}
		steps = append(steps, step{"save", save})
		if c.token != "" {
			steps = append(steps, c.script(release, c.token))
		}
	} else if c.token != "" {
		steps = append(steps, c.script(abandon, c.token, noValue, strconv.FormatInt(noValueTTL.Milliseconds(), 10)))
	}
	c.token = ""
	if len(steps) > 0 {
		s.write(ctx, steps...)
	}
}

// unlock releases the lock if the call still holds it.
func (c *computation) unlock(ctx context.Context) {
	if c.token != "" {
		c.store.write(ctx, c.script(release, c.token))
		c.token = ""
	}
}

// script returns the step that runs a script on the lock.
func (c *computation) script(source string, arguments ...string) step {
	return step{"lock", func(b rueidis.Builder) rueidis.Completed {
		return b.Eval().Script(source).Numkeys(1).Key(c.keys.lock).Arg(arguments...).Build()
	}}
}
