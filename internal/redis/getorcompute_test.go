//go:build unix

package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/redis"
)

// crowd calls Once for a name from so many goroutines of each store, and returns what they got, in the stores' order.
func crowd(ctx context.Context, stores []store, each int, name redis.EntryID, life, wait time.Duration,
	produce func(context.Context) ([]byte, bool, error),
) []outcome {
	outcomes := make([]outcome, len(stores)*each)
	var group sync.WaitGroup
	for i := range outcomes {
		group.Go(func() {
			o, begun := &outcomes[i], time.Now()
			o.value, o.stored, o.produced, o.err = stores[i/each].GetOrCompute(ctx, name, life, wait, produce)
			o.took = time.Since(begun)
		})
	}
	group.Wait()
	return outcomes
}

type outcome struct {
	value    []byte
	stored   time.Time
	produced bool
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

func TestGetOrCompute_producesOnce(t *testing.T) {
	t.Parallel()
	stores := replicas(t, anyRedis(t), 3, patient)
	for round := range 5 {
		var calls atomic.Int64
		outcomes := crowd(t.Context(), stores, 50, redis.EntryID{Name: fmt.Sprint(round)}, time.Minute, time.Minute,
			func(ctx context.Context) ([]byte, bool, error) {
				calls.Add(1)
				select {
				case <-time.After(20 * time.Millisecond):
				case <-ctx.Done():
				}
				return []byte("value"), true, nil
			})
		if got := calls.Load(); got != 1 {
			t.Errorf("round %d: got %d calls of produce, want 1", round, got)
		}
		produced := 0
		for _, o := range outcomes {
			if string(o.value) != "value" || o.err != nil || !o.stored.Equal(outcomes[0].stored) {
				t.Fatalf("round %d: got %+v, want what was produced and %v", round, o, outcomes[0].stored)
			}
			if o.produced {
				produced++
			}
		}
		if produced != 1 {
			t.Errorf("round %d: got %d callers that produced, want 1", round, produced)
		}
	}
	for i, s := range stores {
		if len(s.down()) > 0 {
			t.Errorf("store %d: got the outages %q", i, s.down())
		}
	}
}

// What comes to those who wait for one that holds the lock.
func TestGetOrCompute_waitsForLockHolder(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	errUpstream := errors.New("upstream")
	const slow = 30 * time.Second // longer than any of these tests may take
	for name, test := range map[string]struct {
		wait time.Duration
		// holder is produce of the one that has the lock; it is called when the others wait, and leave is what its caller does.
		holder func(ctx context.Context, leave func()) ([]byte, bool, error)
		// calls is how often those who wait produce.
		least, most int64
		value       string // that they get
		together    bool   // whether none of them waits for another
	}{
		"it stores": {
			wait: slow, value: "first",
			holder: func(context.Context, func()) ([]byte, bool, error) { return []byte("first"), true, nil },
		},
		"it fails": {
			wait: slow, value: "second", least: 1, most: 1,
			holder: func(context.Context, func()) ([]byte, bool, error) { return []byte("no"), true, errUpstream },
		},
		"its caller leaves": {
			wait: slow, value: "second", least: 1, most: 1,
			holder: func(ctx context.Context, leave func()) ([]byte, bool, error) {
				leave()
				return nil, true, context.Cause(ctx)
			},
		},
		"it panics": {
			wait: slow, value: "second", least: 1, most: 1,
			holder: func(context.Context, func()) ([]byte, bool, error) { panic("produce") },
		},
		"it may not store": {
			wait: slow, value: "second", least: 20, most: 20, together: true,
			holder: func(context.Context, func()) ([]byte, bool, error) { return []byte("first"), false, nil },
		},
		"its value is too large": {
			wait: slow, value: "second", least: 1, most: 20, // one that stores ends the others' turns
			holder: func(context.Context, func()) ([]byte, bool, error) {
				return make([]byte, redis.MaxValueBytes+1), true, nil
			},
		},
		"it is too slow": {
			wait: 400 * time.Millisecond, value: "second", least: 1, most: 20,
			holder: func(ctx context.Context, _ func()) ([]byte, bool, error) {
				<-ctx.Done()
				return nil, false, context.Cause(ctx)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stores := replicas(t, address, 2, patient)
			thing := redis.EntryID{Name: "a"}
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			holds, waited, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				defer func() { _ = recover() }()
				_, _, _, _ = stores[0].GetOrCompute(ctx, thing, time.Minute, test.wait, func(ctx context.Context) ([]byte, bool, error) {
					close(holds)
					select {
					case <-waited:
					case <-ctx.Done():
					}
					return test.holder(ctx, leave)
				})
			}()
			<-holds
			time.AfterFunc(100*time.Millisecond, func() { close(waited) })
			var calls atomic.Int64
			all := make(chan struct{})
			begun := time.Now()
			outcomes := crowd(t.Context(), stores[1:], 20, thing, time.Minute, test.wait,
				func(context.Context) ([]byte, bool, error) {
					if calls.Add(1) == 20 {
						close(all)
					}
					if test.together {
						<-all
					}
					return []byte("second"), !test.together, nil
				})
			took := time.Since(begun)
			leave()
			<-ended
			if got := calls.Load(); got < test.least || got > test.most {
				t.Errorf("got %d calls of produce, want %d to %d", got, test.least, test.most)
			}
			for _, o := range outcomes {
				if string(o.value) != test.value || o.err != nil {
					t.Fatalf("got %q, %v, want %q", o.value, o.err, test.value)
				}
			}
			if took > slow/2 {
				t.Errorf("got an end after %v", took)
			}
		})
	}
}

// A replica that dies while it holds the lock leaves it to its end; who does not want to wait so long does not.
func TestGetOrCompute_lockHolderDies(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	client := raw(t, address)
	for name, test := range map[string]struct {
		left, wait  time.Duration // of the lock, and of those who wait
		calls       int64
		least, most time.Duration
	}{
		"a lock that ends":     {left: 300 * time.Millisecond, wait: time.Minute, calls: 1, least: 150 * time.Millisecond, most: patient},
		"a lock that does not": {left: time.Minute, wait: 300 * time.Millisecond, calls: 20, least: 300 * time.Millisecond, most: patient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey()
			s := connected(t, address, key, patient)
			thing := redis.EntryID{Name: "a"}
			_, _, lock := newSealer(t, key).Keys(thing)
			if err := client.Do(t.Context(), client.B().Set().Key(lock).Value("dead").Px(test.left).Build()).Error(); err != nil {
				t.Fatal(err)
			}
			var calls atomic.Int64
			all := make(chan struct{})
			begun := time.Now()
			for _, o := range crowd(t.Context(), []store{s}, 20, thing, time.Minute, test.wait, func(context.Context) ([]byte, bool, error) {
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
			if got, took := calls.Load(), time.Since(begun); got != test.calls || took < test.least || took > test.most {
				t.Errorf("got %d calls after %v, want %d after %v to %v", got, took, test.calls, test.least, test.most)
			}
		})
	}
}

// A holder that was too slow leaves the lock to whom it went to.
func TestGetOrCompute_keepsLockOfOthers(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	client := raw(t, address)
	for name, produced := range map[string]func() ([]byte, bool, error){
		"and stores":     func() ([]byte, bool, error) { return []byte("value"), true, nil },
		"and stores not": func() ([]byte, bool, error) { return []byte("value"), false, nil },
		"and fails":      func() ([]byte, bool, error) { return nil, false, context.Canceled },
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
				return produced()
			})
			if holder, err := client.Do(t.Context(), client.B().Get().Key(lock).Build()).ToString(); !ok || holder != "another" {
				t.Errorf("got the holder %q, %v, want the other one", holder, err)
			}
		})
	}
}

func TestGetOrCompute(t *testing.T) {
	t.Parallel()
	address := anyRedis(t)
	errUpstream, errLeft := errors.New("upstream"), errors.New("left")
	stored := func(context.Context) ([]byte, bool, error) { return []byte("value"), true, nil }
	for name, test := range map[string]struct {
		life, wait   time.Duration
		left         bool // whether the caller has left
		produce      func(context.Context) ([]byte, bool, error)
		value        string
		produced     bool
		err          error
		stays        bool // whether the next caller gets it
		hits, misses int64
	}{
		"what is kept":        {life: time.Minute, wait: time.Second, produce: stored, value: "value", produced: true, stays: true, misses: 1},
		"without waiting":     {life: time.Minute, produce: stored, value: "value", produced: true, stays: true, misses: 1},
		"a life of nothing":   {wait: time.Second, produce: stored, value: "value", produced: true},
		"a caller that left":  {life: time.Minute, wait: time.Second, left: true, produce: stored, err: errLeft},
		"what is not kept":    {life: time.Minute, wait: time.Second, value: "value", produced: true, misses: 1, produce: func(context.Context) ([]byte, bool, error) { return []byte("value"), false, nil }},
		"an error of produce": {life: time.Minute, wait: time.Second, produced: true, misses: 1, err: errUpstream, produce: func(context.Context) ([]byte, bool, error) { return []byte("value"), true, errUpstream }},
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
			begun := time.Now().Truncate(time.Millisecond)
			value, at, produced, err := s.GetOrCompute(ctx, redis.EntryID{Name: "a"}, test.life, test.wait, test.produce)
			if string(value) != test.value || produced != test.produced || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v, %v, want %q, %v, %v", value, produced, err, test.value, test.produced, test.err)
			}
			if err == nil && (at.Before(begun) || at.After(time.Now())) {
				t.Errorf("got it stored at %v, want that after %v", at, begun)
			}
			if hits, misses := s.hits.Load(), s.misses.Load()-misses; hits != test.hits || misses != test.misses {
				t.Errorf("got %d hits and %d misses, want %d and %d", hits, misses, test.hits, test.misses)
			}
			if again, stored, ok := s.Load(t.Context(), redis.EntryID{Name: "a"}); ok != test.stays || ok && (string(again) != test.value || !stored.Equal(at)) {
				t.Errorf("got %q of %v, %v, the next time, want it to stay: %v", again, stored, ok, test.stays)
			}
			if test.life > 0 && !test.left { // nothing is left of the lock that would keep the next caller waiting
				begun := time.Now()
				_, _, _, err := s.GetOrCompute(t.Context(), redis.EntryID{Name: "a"}, test.life, time.Minute, stored)
				if took := time.Since(begun); took > patient || err != nil {
					t.Errorf("got the next caller waiting for %v, %v", took, err)
				}
			}
		})
	}
}

// One that waits and leaves does not wait any longer.
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
	begun := time.Now()
	_, _, produced, err := s.GetOrCompute(ctx, redis.EntryID{}, time.Minute, time.Minute, func(context.Context) ([]byte, bool, error) { return nil, true, nil })
	if took := time.Since(begun); produced || !errors.Is(err, errLeft) || took > patient {
		t.Errorf("got %v, %v after %v, want %v at once", produced, err, took, errLeft)
	}
	if left, err := client.Do(t.Context(), client.B().Get().Key(lock).Build()).ToString(); left != "another" {
		t.Errorf("got the lock's holder %q, %v, want the other one", left, err)
	}
}
