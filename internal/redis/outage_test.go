//go:build unix

package redis_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/redis"
)

// load is a group of callers that call GetOrCompute continuously.
type load struct {
	stop  chan struct{}
	group sync.WaitGroup

	mu    sync.Mutex
	calls []call
}

type call struct {
	started time.Time
	took    time.Duration
	err     error
}

func startLoad(s store, callers int, compute time.Duration) *load {
	l := &load{stop: make(chan struct{})}
	var serial atomic.Int64
	for range callers {
		l.group.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				id := redis.EntryID{Name: fmt.Sprint(serial.Add(1) / 2)} // two callers request the same entry
				c := call{started: time.Now()}
				var value []byte
				value, _, _, c.err = s.GetOrCompute(context.Background(), id, time.Minute, time.Second, func(context.Context) ([]byte, bool, error) {
					<-time.After(compute)
					return []byte(id.Name), true, nil
				})
				c.took = time.Since(c.started)
				if c.err == nil && string(value) != id.Name {
					c.err = fmt.Errorf("got %q for %q", value, id.Name)
				}
				l.mu.Lock()
				l.calls = append(l.calls, c)
				l.mu.Unlock()
			}
		})
	}
	return l
}

func (l *load) end() []call {
	close(l.stop)
	l.group.Wait()
	return l.calls
}

func TestStore_outages(t *testing.T) {
	t.Parallel()
	// The timeout is long enough for a busy machine, and long enough to recognize callers that
	// waited for it.
	const timeout, compute = time.Second, 10 * time.Millisecond
	for name, test := range map[string]struct {
		begin, end func(t *testing.T, s *server)
	}{
		"killed and started again": {
			begin: func(_ *testing.T, s *server) { s.end() },
			end:   func(t *testing.T, s *server) { t.Helper(); s.start(t) },
		},
		"frozen": {
			begin: func(_ *testing.T, s *server) { s.freeze() },
			end:   func(_ *testing.T, s *server) { s.thaw() },
		},
		"frozen, then killed": {
			begin: func(_ *testing.T, s *server) { s.freeze() },
			end:   func(t *testing.T, s *server) { t.Helper(); s.end(); s.start(t) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownRedis(t)
			s := connected(t, server.address(), newKey(), timeout)
			l := startLoad(s, 10, compute)
			wait(t, 500*time.Millisecond)
			if downs := s.down(); len(downs) > 0 {
				t.Fatalf("got the outages %q before the first one", downs)
			}

			started := time.Now()
			test.begin(t, server)
			eventually(t, "Down is called", func() bool { return len(s.down()) > 0 })
			noticed := time.Since(started)
			wait(t, 2500*time.Millisecond) // more than two attempts to reconnect
			over := time.Now()
			test.end(t, server)
			eventually(t, "Up is called", func() bool { return s.ups.Load() > 0 })
			back := time.Since(over)
			hits := s.hits.Load()
			eventually(t, "values are shared again", func() bool { return s.hits.Load() > hits })
			calls := l.end()

			// Callers before and after the outage was noticed: the longest duration, and their
			// number.
			var first, later time.Duration
			var early, late int
			for _, c := range calls {
				if c.err != nil {
					t.Errorf("got the error %v, want none", c.err)
				}
				switch {
				case c.started.Add(c.took).Before(started) || c.started.After(over): // with Redis
				case c.started.Before(started.Add(noticed)):
					early, first = early+1, max(first, c.took)
				default:
					late, later = late+1, max(later, c.took)
				}
			}
			t.Logf("%d calls; outage noticed after %v; %d callers took up to %v before, and %d up to %v afterwards; Up %v after the end",
				len(calls), noticed, early, first, late, later, back)
			if first > 2*timeout {
				t.Errorf("got %v for an early caller, want %v plus the time of compute", first, timeout)
			}
			if later >= timeout {
				t.Errorf("got %v for a late caller, want the time of compute without a wait for Redis", later)
			}
			if downs, ups := s.down(), s.ups.Load(); len(downs) != 1 || ups != 1 {
				t.Errorf("got the outages %q and %d ends, want one", downs, ups)
			}
		})
	}
}

// The timeout of the first caller ends the wait of all callers.
func TestLoad_oneTimeoutForAllCallers(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	const timeout = 2 * time.Second // before the idle connection is tried
	s := connected(t, server.address(), newKey(), timeout)
	server.freeze()
	started := time.Now()
	var group sync.WaitGroup
	group.Go(func() { s.Load(t.Context(), redis.EntryID{}) })
	wait(t, timeout/2)
	group.Go(func() { s.Load(t.Context(), redis.EntryID{}) })
	group.Wait()
	if took := time.Since(started); took >= timeout+timeout/2 {
		t.Errorf("the second caller returned %v after the start of the first one, want %v", took, timeout)
	}
	if got := s.failed("load"); got == 0 || len(s.down()) > 1 {
		t.Errorf("got %d errors and the outages %q, want errors and one outage", got, s.down())
	}
}

// An idle store notices an outage, and reconnects in the background.
func TestStore_outageWhileIdle(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	s := connected(t, server.address(), newKey(), patient)
	server.end()
	eventually(t, "Down is called", func() bool { return len(s.down()) > 0 })
	server.start(t)
	eventually(t, "Up is called", func() bool { return s.ups.Load() > 0 })
	s.Save(t.Context(), redis.EntryID{}, []byte("a"), time.Minute)
	if _, _, ok := s.Load(t.Context(), redis.EntryID{}); !ok {
		t.Error("got nothing after the outage")
	}
	server.freeze()
	eventually(t, "Down is called again", func() bool { return len(s.down()) > 1 })
	server.thaw()
	eventually(t, "Up is called again", func() bool { return s.ups.Load() > 1 })
	if got := s.failed("load") + s.failed("save"); got != 0 {
		t.Errorf("got %d errors of callers, want none", got)
	}
}

// A store uses a Redis that starts later.
func TestStore_redisStartsLater(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	server.end()
	started := time.Now()
	s := open(t, "redis://"+server.address(), newKey(), patient)
	if took := time.Since(started); took > time.Second {
		t.Errorf("got Open after %v, want no wait", took)
	}
	eventually(t, "Down is called", func() bool { return len(s.down()) > 0 })
	server.start(t)
	s.reach(t)
	if downs, ups := s.down(), s.ups.Load(); len(downs) != 1 || ups != 1 {
		t.Errorf("got the outages %q and %d ends, want one", downs, ups)
	}
}

//nolint:paralleltest // it counts the goroutines of the whole process
func TestClose_endsGoroutines(t *testing.T) {
	for name, test := range map[string]struct {
		before func(s *server) // Close
	}{
		"connected": {before: func(*server) {}},
		"frozen":    {before: func(s *server) { s.freeze() }},
		"killed":    {before: func(s *server) { s.end() }},
	} {
		t.Run(name, func(t *testing.T) {
			server := ownRedis(t)
			before := goroutines()
			s := connected(t, server.address(), newKey(), patient)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			var group sync.WaitGroup
			holds := make(chan struct{})
			group.Go(func() {
				_, _, _, _ = s.GetOrCompute(ctx, redis.EntryID{}, time.Minute, time.Minute, func(context.Context) ([]byte, bool, error) {
					close(holds)
					<-ctx.Done()
					return nil, true, nil
				})
			})
			<-holds
			test.before(server)
			for range 10 {
				group.Go(func() { s.Load(context.Background(), redis.EntryID{Name: "a"}) })
			}
			wait(t, 20*time.Millisecond)
			started := time.Now()
			s.Close()
			if took := time.Since(started); took > 2*time.Second {
				t.Errorf("got Close after %v, want no wait", took)
			}
			leave()
			group.Wait()
			// Goroutines of abandoned replies end when the connection has ended.
			eventually(t, "no goroutine is left", func() bool { return len(goroutines()) <= len(before) })
			for _, stack := range goroutines() {
				if strings.Contains(stack, "rueidis.") || strings.Contains(stack, "redis.(*Store)") {
					t.Errorf("got a goroutine after Close:\n%s", stack)
				}
			}
			if _, _, ok := s.Load(t.Context(), redis.EntryID{}); ok {
				t.Error("got a value after Close")
			}
			value, _, computed, err := s.GetOrCompute(t.Context(), redis.EntryID{}, time.Minute, time.Minute,
				func(context.Context) ([]byte, bool, error) { return []byte("a"), true, nil })
			if string(value) != "a" || !computed || err != nil {
				t.Errorf("got %q, %v, %v after Close, want the computed value", value, computed, err)
			}
		})
	}
}

func goroutines() []string {
	stacks := make([]byte, 1<<20)
	return strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
}
