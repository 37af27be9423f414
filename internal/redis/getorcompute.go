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
	// firstPoll and lastPoll are the pauses of who waits for another's value: at first, and at most.
	firstPoll = 5 * time.Millisecond
	lastPoll  = 50 * time.Millisecond

	// nobody stands in a lock's place where there will be no value, for as long as those who wait need to see it.
	noValue    = "-"
	noValueTTL = time.Second

	// A lock is its holder's as long as it has that token.
	release = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`
	abandon = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3]) end return 0`
)

// Once returns what is stored under a name and when, as Load does, or has one caller of all replicas produce and store it, while
// the others wait for that, each for at most the wait. A caller produces, beside others that may be doing so, where it has
// waited so long, or where produce of the one that it waited for returned keep = false. Where that one failed, or died, or takes
// longer than three quarters of the wait, one of those who wait takes its place. Where Redis does not answer in time, a caller
// produces at once, and what it produces may not be stored.
//
// Produce is called at most once, by the calling goroutine, with the caller's context. It says whether what it returns may be
// stored; a value whose life is shorter than 1 ms, that is larger than 16 MiB, or that took longer than a minute, is not. With a
// wait shorter than 1 ms nobody waits.
//
// Produced says whether produce was called; the value is what it returned, and stored the time at which it did. The error is that
// of produce, or the context's cause for a caller that leaves before.
func (s *Store) GetOrCompute(ctx context.Context, name EntryID, life, wait time.Duration,
	produce func(context.Context) (value []byte, keep bool, err error),
) (value []byte, stored time.Time, produced bool, err error) {
	t := lockAttempt{store: s, ttl: life}
	var f lookup
	if life >= time.Millisecond && s.connection.Load() != nil {
		t.keys = s.keys(name)
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

// turn is one caller's part in Once.
type lockAttempt struct {
	store      *Store
	keys       keys
	ttl        time.Duration
	reachable  bool // whether Redis answered so far
	generation generation
	token      string // of the lock; empty without it
}

// await returns when there is a value, or when the caller is to produce it; then it may hold the lock.
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
		// Not all at once, where many wait.
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

// attempt tries to take the lock and reads what there is, in one round trip. Refused says that Redis gives no locks.
func (t *lockAttempt) tryLock(ctx context.Context, token string, life time.Duration) (f lookup, locked, refused bool) {
	s := t.store
	lock := step{"lock", func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(t.keys.lock).Value(token).Nx().Px(max(life, time.Millisecond)).Build()
	}}
	// Whoever had the lock before stored its value first, so this order shows that value.
	wanted := []string{t.keys.value, t.keys.tombstone, t.keys.lock}
	var got reply
	if got, t.reachable = s.send(ctx, lock, step{"load", mget(wanted)}); !t.reachable {
		t.token = token // Redis may have given it all the same
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

// take produces the value, stores it, and lets those who wait go on.
func (t *lockAttempt) compute(ctx context.Context, produce func(context.Context) ([]byte, bool, error),
) (value []byte, stored time.Time, produced bool, err error) {
	defer t.unlock(ctx) // where produce fails, or panics
	begun := time.Now()
	value, keep, err := produce(ctx)
	if err != nil {
		return nil, time.Time{}, true, err
	}
	stored = time.Now().Truncate(time.Millisecond)
	t.finish(ctx, value, stored, keep && time.Since(begun) <= maxProduceTime)
	return value, stored, true, nil
}

// settle stores a value and releases the lock, or says in the lock's place that there is no value to wait for.
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

// leave releases the lock where it is still held.
func (t *lockAttempt) unlock(ctx context.Context) {
	if t.token != "" {
		t.store.write(ctx, t.script(release, t.token))
		t.token = ""
	}
}

func (t *lockAttempt) script(text string, arguments ...string) step {
	return step{"lock", func(b rueidis.Builder) rueidis.Completed {
		return b.Eval().Script(text).Numkeys(1).Key(t.keys.lock).Arg(arguments...).Build()
	}}
}
