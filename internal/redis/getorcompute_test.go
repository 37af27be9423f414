//go:build unix

package redis_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/redis"
)

// callConcurrently calls GetOrCompute from several goroutines for each store. It returns the
// outcomes in the order of the stores.
func callConcurrently(ctx context.Context, stores []store, each int, id redis.EntryID, ttl, wait time.Duration,
	compute func(context.Context) ([]byte, bool, error),
) []outcome {
	outcomes := make([]outcome, len(stores)*each)
	var group sync.WaitGroup
	for i := range outcomes {
		group.Go(func() {
			o, started := &outcomes[i], time.Now()
			o.value, o.stored, o.computed, o.err = stores[i/each].GetOrCompute(ctx, id, ttl, wait, compute)
			o.took = time.Since(started)
		})
	}
	group.Wait()
	return outcomes
}

type outcome struct {
	value    []byte
	stored   time.Time
	computed bool
	err      error
	took     time.Duration
}

func replicas(tb testing.TB, address string, count int, timeout time.Duration) []store {
	tb.Helper()
	key := newKey()
	stores := make([]store, count)
	for i := range stores {
		stores[i] = connected(tb, address, key, timeout)
	}
	return stores
}

func TestGetOrCompute_computesOnce(t *testing.T) {
	t.Parallel()
	stores := replicas(t, anyRedis(t), 3, patient)
	for round := range 5 {
		var calls atomic.Int64
		outcomes := callConcurrently(t.Context(), stores, 50, redis.EntryID{Name: fmt.Sprint(round)}, time.Minute, time.Minute,
			func(ctx context.Context) ([]byte, bool, error) {
				calls.Add(1)
				select {
				case <-time.After(20 * time.Millisecond):
				case <-ctx.Done():
				}
				return []byte("value"), true, nil
			})
		if got := calls.Load(); got != 1 {
			t.Errorf("round %d: got %d calls of compute, want 1", round, got)
		}
		computed := 0
		for _, o := range outcomes {
			if string(o.value) != "value" || o.err != nil || !o.stored.Equal(outcomes[0].stored) {
				t.Fatalf("round %d: got %+v, want the computed value and %v", round, o, outcomes[0].stored)
			}
			if o.computed {
				computed++
			}
		}
		if computed != 1 {
			t.Errorf("round %d: got %d callers that computed, want 1", round, computed)
		}
	}
	for i, s := range stores {
		if len(s.down()) > 0 {
			t.Errorf("store %d: got the outages %q", i, s.down())
		}
	}
}

// lockHolderTests are the tests of TestGetOrCompute_waitsForLockHolder.
var lockHolderTests = map[string]struct {
	wait time.Duration // zero for slow
	// holder is compute of the lock holder, called while the others wait. Leave cancels its
	// context.
	holder     func(ctx context.Context, leave func()) ([]byte, bool, error)
	min, max   int64  // calls of compute by the waiting callers
	value      string // that the waiting callers get
	concurrent bool   // whether the waiting callers must compute concurrently
}{
	"it stores a value": {
		value:  "first",
		holder: func(context.Context, func()) ([]byte, bool, error) { return []byte("first"), true, nil },
	},
	"it fails": {
		value: "second", min: 1, max: 1,
		holder: func(context.Context, func()) ([]byte, bool, error) { return []byte("no"), true, errors.New("upstream") },
	},
	"its caller leaves": {
		value: "second", min: 1, max: 1,
		holder: func(ctx context.Context, leave func()) ([]byte, bool, error) {
			leave()
			return nil, true, context.Cause(ctx)
		},
	},
	"it panics": {
		value: "second", min: 1, max: 1,
		holder: func(context.Context, func()) ([]byte, bool, error) { panic("compute") },
	},
	"its value may not be stored": {
		value: "second", min: 20, max: 20, concurrent: true,
		holder: func(context.Context, func()) ([]byte, bool, error) { return []byte("first"), false, nil },
	},
	"its value is too large": {
		value: "second", min: 1, max: 20, // the first one that stores a value ends the others' wait
		holder: func(context.Context, func()) ([]byte, bool, error) {
			return make([]byte, redis.MaxValueBytes+1), true, nil
		},
	},
	"it is too slow": {
		wait: 400 * time.Millisecond, value: "second", min: 1, max: 20,
		holder: func(ctx context.Context, _ func()) ([]byte, bool, error) {
			<-ctx.Done()
			return nil, false, context.Cause(ctx)
		},
	},
}

func TestGetOrCompute_waitsForLockHolder(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	const slow = 30 * time.Second // longer than any of these tests may take
	for name, test := range lockHolderTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wait := cmp.Or(test.wait, slow)
			stores := replicas(t, address, 2, patient)
			id := redis.EntryID{Name: "a"}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			locked, waiting, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				defer func() { _ = recover() }()
				_, _, _, _ = stores[0].GetOrCompute(ctx, id, time.Minute, wait, func(ctx context.Context) ([]byte, bool, error) {
					close(locked)
					select {
					case <-waiting:
					case <-ctx.Done():
					}
					return test.holder(ctx, leave)
				})
			}()
			<-locked
			time.AfterFunc(100*time.Millisecond, func() { close(waiting) })
			var calls atomic.Int64
			all := make(chan struct{})
			started := time.Now()
			outcomes := callConcurrently(t.Context(), stores[1:], 20, id, time.Minute, wait,
				func(context.Context) ([]byte, bool, error) {
					if calls.Add(1) == 20 {
						close(all)
					}
					if test.concurrent {
						<-all
					}
					return []byte("second"), !test.concurrent, nil
				})
			took := time.Since(started)
			leave()
			<-ended
			if got := calls.Load(); got < test.min || got > test.max {
				t.Errorf("got %d calls of compute, want %d to %d", got, test.min, test.max)
			}
			for _, o := range outcomes {
				if string(o.value) != test.value || o.err != nil {
					t.Fatalf("got %q, %v, want %q", o.value, o.err, test.value)
				}
			}
			if took > slow/2 {
				t.Errorf("got a duration of %v", took)
			}
		})
	}
}

// If a replica dies while it holds the lock, the lock expires. Callers wait no longer than their
// own limit.
func TestGetOrCompute_lockHolderDies(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	client := raw(t, address)
	for name, test := range map[string]struct {
		lockTTL  time.Duration
		wait     time.Duration // of the callers
		calls    int64
		min, max time.Duration
	}{
		"the lock expires":       {lockTTL: 300 * time.Millisecond, wait: time.Minute, calls: 1, min: 150 * time.Millisecond, max: patient},
		"the callers' wait ends": {lockTTL: time.Minute, wait: 300 * time.Millisecond, calls: 20, min: 300 * time.Millisecond, max: patient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey()
			s := connected(t, address, key, patient)
			id := redis.EntryID{Name: "a"}
			_, _, lock := newSealer(t, key).Keys(id)
			if err := client.Do(t.Context(), client.B().Set().Key(lock).Value("dead").Px(test.lockTTL).Build()).Error(); err != nil {
				t.Fatal(err)
			}
			var calls atomic.Int64
			all := make(chan struct{})
			started := time.Now()
			for _, o := range callConcurrently(t.Context(), []store{s}, 20, id, time.Minute, test.wait, func(context.Context) ([]byte, bool, error) {
				if calls.Add(1) == test.calls {
					close(all)
				}
				<-all
				return []byte("value"), true, nil
			}) {
				if string(o.value) != "value" || o.err != nil {
					t.Fatalf("got %q, %v, want the value", o.value, o.err)
				}
			}
			if got, took := calls.Load(), time.Since(started); got != test.calls || took < test.min || took > test.max {
				t.Errorf("got %d calls after %v, want %d after %v to %v", got, took, test.calls, test.min, test.max)
			}
		})
	}
}

// A holder that was too slow must not release the lock of the next holder.
func TestGetOrCompute_keepsLockOfOthers(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	client := raw(t, address)
	for name, computed := range map[string]func() ([]byte, bool, error){
		"it stores a value":           func() ([]byte, bool, error) { return []byte("value"), true, nil },
		"its value may not be stored": func() ([]byte, bool, error) { return []byte("value"), false, nil },
		"it fails":                    func() ([]byte, bool, error) { return nil, false, context.Canceled },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey()
			s := connected(t, address, key, patient)
			_, _, lock := newSealer(t, key).Keys(redis.EntryID{})
			_, _, ok, _ := s.GetOrCompute(t.Context(), redis.EntryID{}, time.Minute, time.Minute, func(ctx context.Context) ([]byte, bool, error) {
				if err := client.Do(ctx, client.B().Set().Key(lock).Value("another").Xx().Px(time.Minute).Build()).Error(); err != nil {
					t.Errorf("got %v, want a lock to replace", err)
				}
				return computed()
			})
			if holder, err := client.Do(t.Context(), client.B().Get().Key(lock).Build()).ToString(); !ok || holder != "another" {
				t.Errorf("got the holder %q, %v, want the other holder", holder, err)
			}
		})
	}
}

func TestGetOrCompute_results(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	errUpstream, errLeft := errors.New("upstream"), errors.New("left")
	storable := func(context.Context) ([]byte, bool, error) { return []byte("value"), true, nil }
	for name, test := range map[string]struct {
		ttl, wait    time.Duration
		left         bool // whether ctx has ended before
		compute      func(context.Context) ([]byte, bool, error)
		value        string
		computed     bool
		err          error
		stored       bool // whether Load returns the value afterwards
		hits, misses int64
	}{
		"a storable value":    {ttl: time.Minute, wait: time.Second, compute: storable, value: "value", computed: true, stored: true, misses: 1},
		"without waiting":     {ttl: time.Minute, compute: storable, value: "value", computed: true, stored: true, misses: 1},
		"a TTL of zero":       {wait: time.Second, compute: storable, value: "value", computed: true},
		"a caller that left":  {ttl: time.Minute, wait: time.Second, left: true, compute: storable, err: errLeft},
		"an unstorable value": {ttl: time.Minute, wait: time.Second, value: "value", computed: true, misses: 1, compute: func(context.Context) ([]byte, bool, error) { return []byte("value"), false, nil }},
		"an error of compute": {ttl: time.Minute, wait: time.Second, computed: true, misses: 1, err: errUpstream, compute: func(context.Context) ([]byte, bool, error) { return []byte("value"), true, errUpstream }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := connected(t, address, newKey(), patient)
			ctx, leave := context.WithCancelCause(t.Context())
			defer leave(nil)
			if test.left {
				leave(errLeft)
			}
			misses := s.misses.Load()
			started := time.Now().Truncate(time.Millisecond)
			value, at, computed, err := s.GetOrCompute(ctx, redis.EntryID{Name: "a"}, test.ttl, test.wait, test.compute)
			if string(value) != test.value || computed != test.computed || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v, %v, want %q, %v, %v", value, computed, err, test.value, test.computed, test.err)
			}
			if err == nil && (at.Before(started) || at.After(time.Now())) {
				t.Errorf("got it stored at %v, want a time after %v", at, started)
			}
			if hits, misses := s.hits.Load(), s.misses.Load()-misses; hits != test.hits || misses != test.misses {
				t.Errorf("got %d hits and %d misses, want %d and %d", hits, misses, test.hits, test.misses)
			}
			if again, stored, ok := s.Load(t.Context(), redis.EntryID{Name: "a"}); ok != test.stored || ok && (string(again) != test.value || !stored.Equal(at)) {
				t.Errorf("got %q stored at %v, %v, from Load, want it stored: %v", again, stored, ok, test.stored)
			}
			if test.ttl > 0 && !test.left { // the lock is released, so the next caller need not wait
				started := time.Now()
				_, _, _, err := s.GetOrCompute(t.Context(), redis.EntryID{Name: "a"}, test.ttl, time.Minute, storable)
				if took := time.Since(started); took > patient || err != nil {
					t.Errorf("the next caller waited for %v, %v", took, err)
				}
			}
		})
	}
}

// A waiting caller returns as soon as its context ends.
func TestGetOrCompute_waitingCallerLeaves(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	key := newKey()
	s := connected(t, address, key, patient)
	_, _, lock := newSealer(t, key).Keys(redis.EntryID{})
	client := raw(t, address)
	if err := client.Do(t.Context(), client.B().Set().Key(lock).Value("another").Px(time.Minute).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	errLeft := errors.New("left")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errLeft)
	defer cancel()
	started := time.Now()
	_, _, computed, err := s.GetOrCompute(ctx, redis.EntryID{}, time.Minute, time.Minute, func(context.Context) ([]byte, bool, error) { return nil, true, nil })
	if took := time.Since(started); computed || !errors.Is(err, errLeft) || took > patient {
		t.Errorf("got %v, %v after %v, want %v at once", computed, err, took, errLeft)
	}
	if left, err := client.Do(t.Context(), client.B().Get().Key(lock).Build()).ToString(); left != "another" {
		t.Errorf("got the lock's holder %q, %v, want the other holder", left, err)
	}
}
