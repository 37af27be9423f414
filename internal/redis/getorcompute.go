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
	// value that another caller is producing.
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

// GetOrCompute returns a stored value like Load, or calls produce and stores its result. Across all
// replicas, one caller at a time produces a value while the others wait for it, each for at most
// wait. A caller calls produce, even if others are doing so, if it has waited that long or if the
// caller that it waited for got keep = false from produce. If that caller fails, dies, or takes
// longer than three quarters of wait, one of the waiting callers takes over. If Redis does not
// respond in time, a caller calls produce at once, and the result may not be stored.
//
// GetOrCompute calls produce at most once, in the calling goroutine and with the caller's context.
// Produce returns a value and whether it may be stored. A value is not stored if its TTL is less
// than 1 ms, if it is larger than 16 MiB, or if producing it took longer than a minute. If wait is
// less than 1 ms, callers do not wait for each other.
//
// GetOrCompute returns the value, the time at which it was stored or produced, and whether produce
// was called. The error is the error of produce, or the cause of ctx if ctx ends before.
func (s *Store) GetOrCompute(ctx context.Context, id EntryID, ttl, wait time.Duration,
	produce func(context.Context) (value []byte, keep bool, err error),
) (value []byte, stored time.Time, produced bool, err error) {
	t := lockAttempt{store: s, ttl: ttl}
	var f lookup
	if ttl >= time.Millisecond && s.connection.Load() != nil {
		t.keys = s.keys(id)
		f, t.reachable = s.find(ctx, t.keys)
		if t.reachable && !f.ok && wait >= time.Millisecond {
			f = t.waitForValue(ctx, wait)
		}
	}
	if f.ok {
		s.observer.Hit()
		return f.value, f.stored, false, nil
	}
	if ctx.Err() != nil {
		t.unlock(ctx)
		return nil, time.Time{}, false, context.Cause(ctx)
	}
	if t.reachable {
		s.observer.Miss()
	}
	t.generation, t.reachable = f.generation, t.reachable && f.readable
	return t.compute(ctx, produce)
}

// lockAttempt is the state of one GetOrCompute call.
type lockAttempt struct {
	store      *Store
	keys       keys
	ttl        time.Duration
	reachable  bool // whether Redis has responded so far
	generation generation
	token      string // of the lock; empty if the call does not hold it
}

// waitForValue returns when there is a value, or when the caller must produce it. In the latter
// case the caller may hold the lock.
func (t *lockAttempt) waitForValue(ctx context.Context, wait time.Duration) (f lookup) {
	token := rand.Text()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for pause := firstPoll; ; pause = min(pause*3/2, lastPoll) {
		var locked, refused bool
		f, locked, refused = t.tryLock(ctx, token, wait*3/4)
		if locked {
			t.token = token
		}
		if f.ok {
			t.unlock(ctx)
			return f
		}
		if !t.reachable || locked || refused || f.lock == noValue {
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

// tryLock tries to acquire the lock and reads the entry, in one round trip. Refused reports that
// Redis refused the lock command.
func (t *lockAttempt) tryLock(ctx context.Context, token string, ttl time.Duration) (f lookup, locked, refused bool) {
	s := t.store
	lock := step{"lock", func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(t.keys.lock).Value(token).Nx().Px(max(ttl, time.Millisecond)).Build()
	}}
	// The previous holder stored its value before it released the lock, so a caller that acquires
	// the lock first and reads second sees this value.
	wanted := []string{t.keys.value, t.keys.tombstone, t.keys.lock}
	var got reply
	if got, t.reachable = s.send(ctx, lock, step{"load", mget(wanted)}); !t.reachable {
		t.token = token // Redis may have set the lock nevertheless
		return lookup{}, false, false
	}
	if err := got.results[0].Error(); err == nil {
		locked = true
	} else if !rueidis.IsRedisNil(err) {
		s.observer.Error("lock")
		refused = true
	}
	var messages []rueidis.RedisMessage
	if messages, t.reachable = s.values("load", got.connection, got.results[1], len(wanted)); !t.reachable {
		return lookup{}, locked, refused
	}
	return s.evaluate(t.keys, messages), locked, refused
}

// compute calls produce, stores the value, and releases the lock.
func (t *lockAttempt) compute(ctx context.Context, produce func(context.Context) ([]byte, bool, error),
) (value []byte, stored time.Time, produced bool, err error) {
	defer t.unlock(ctx) // in case produce fails or panics
	started := time.Now()
	value, keep, err := produce(ctx)
	if err != nil {
		return nil, time.Time{}, true, err
	}
	stored = time.Now().Truncate(time.Millisecond)
	t.finish(ctx, value, stored, keep && time.Since(started) <= maxProduceTime)
	return value, stored, true, nil
}

// finish stores a value and releases the lock, or replaces the lock by noValue.
func (t *lockAttempt) finish(ctx context.Context, value []byte, stored time.Time, keep bool) {
	s := t.store
	var steps []step
	if keep && t.reachable && t.ttl >= time.Millisecond && len(value) <= maxValueBytes {
		save, ok := s.set(t.keys, record{stored: stored, ttl: t.ttl, generation: t.generation, value: value})
		if !ok {
			return
		}
		steps = append(steps, step{"save", save})
		if t.token != "" {
			steps = append(steps, t.script(release, t.token))
		}
	} else if t.token != "" {
		steps = append(steps, t.script(abandon, t.token, noValue, strconv.FormatInt(noValueTTL.Milliseconds(), 10)))
	}
	t.token = ""
	if len(steps) > 0 {
		s.write(ctx, steps...)
	}
}

// unlock releases the lock if the call still holds it.
func (t *lockAttempt) unlock(ctx context.Context) {
	if t.token != "" {
		t.store.write(ctx, t.script(release, t.token))
		t.token = ""
	}
}

// script returns the step that runs a script on the lock.
func (t *lockAttempt) script(source string, arguments ...string) step {
	return step{"lock", func(b rueidis.Builder) rueidis.Completed {
		return b.Eval().Script(source).Numkeys(1).Key(t.keys.lock).Arg(arguments...).Build()
	}}
}
