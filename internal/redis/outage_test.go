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

// load is callers that call Once all the time, each for names of its own and shared ones.
type load struct {
	stop  chan struct{}
	group sync.WaitGroup

	mu    sync.Mutex
	calls []call
}

type call struct {
	begun time.Time
	took  time.Duration
	err   error
}

func startLoad(s store, callers int, produce time.Duration) *load {
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
				name := redis.EntryID{Name: fmt.Sprint(serial.Add(1) / 2)} // two callers want the same
				c := call{begun: time.Now()}
				var value []byte
				value, _, _, c.err = s.GetOrCompute(context.Background(), name, time.Minute, time.Second, func(context.Context) ([]byte, bool, error) {
					<-time.After(produce)
					return []byte(name.Name), true, nil
				})
				c.took = time.Since(c.begun)
				if c.err == nil && string(value) != name.Name {
					c.err = fmt.Errorf("got %q for %q", value, name.Name)
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
	// The timeout is long enough for a busy machine to answer within it, and to tell who paid one.
	const timeout, produce = time.Second, 10 * time.Millisecond
	for name, test := range map[string]struct {
		begin, end func(t *testing.T, s *server)
	}{
		"killed and started again": {
			begin: func(_ *testing.T, s *server) { s.end() },
			end:   func(t *testing.T, s *server) { t.Helper(); s.start(t) },
		},
		"standing still": {
			begin: func(_ *testing.T, s *server) { s.freeze() },
			end:   func(_ *testing.T, s *server) { s.thaw() },
		},
		"standing still, then killed": {
			begin: func(_ *testing.T, s *server) { s.freeze() },
			end:   func(t *testing.T, s *server) { t.Helper(); s.end(); s.start(t) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownRedis(t)
			s := connected(t, server.address(), newKey(), timeout)
			l := startLoad(s, 10, produce)
			wait(t, 500*time.Millisecond)
			if downs := s.down(); len(downs) > 0 {
				t.Fatalf("got the outages %q before there was one", downs)
			}

			begun := time.Now()
			test.begin(t, server)
			eventually(t, "Down is called", func() bool { return len(s.down()) > 0 })
			noticed := time.Since(begun)
			wait(t, 2500*time.Millisecond) // over two probes
			over := time.Now()
			test.end(t, server)
			eventually(t, "Up is called", func() bool { return s.ups.Load() > 0 })
			back := time.Since(over)
			hits := s.hits.Load()
			eventually(t, "values are shared again", func() bool { return s.hits.Load() > hits })
			calls := l.end()

			var first, later time.Duration // how long callers took
			var paid, spared int           // how many of each
			for _, c := range calls {
				if c.err != nil {
					t.Errorf("got the error %v, want none", c.err)
				}
				switch {
				case c.begun.Add(c.took).Before(begun) || c.begun.After(over): // with Redis
				case c.begun.Before(begun.Add(noticed)):
					paid, first = paid+1, max(first, c.took)
				default:
					spared, later = spared+1, max(later, c.took)
				}
			}
			t.Logf("%d calls; noticed after %v: %d callers took up to %v until then, and %d up to %v later; Up %v after its end",
				len(calls), noticed, paid, first, spared, later, back)
			if first > 2*timeout {
				t.Errorf("got %v for a caller at first, want %v and what produce takes", first, timeout)
			}
			if later >= timeout {
				t.Errorf("got %v for a caller later, want what produce takes, and no wait for Redis", later)
			}
			if downs, ups := s.down(), s.ups.Load(); len(downs) != 1 || ups != 1 {
				t.Errorf("got the outages %q and %d ends, want one", downs, ups)
			}
		})
	}
}

// The first caller whose time is up ends the wait of all.
func TestLoad_oneTimeoutForAllCallers(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	const timeout = 2 * time.Second // before the idle connection is tried
	s := connected(t, server.address(), newKey(), timeout)
	server.freeze()
	begun := time.Now()
	var group sync.WaitGroup
	group.Go(func() { s.Load(t.Context(), redis.EntryID{}) })
	wait(t, timeout/2)
	group.Go(func() { s.Load(t.Context(), redis.EntryID{}) })
	group.Wait()
	if took := time.Since(begun); took >= timeout+timeout/2 {
		t.Errorf("got the second caller's end %v after the first one's begin, want %v", took, timeout)
	}
	if got := s.failed("load"); got == 0 || len(s.down()) > 1 {
		t.Errorf("got %d errors and the outages %q, want errors and one outage", got, s.down())
	}
}

// Who is idle is told of an outage, too, and finds Redis again without waiting for it.
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

// A Redis that comes up after the replicas is used from then on.
func TestStore_redisStartsLater(t *testing.T) {
	t.Parallel()
	server := ownRedis(t)
	server.end()
	begun := time.Now()
	s := open(t, "redis://"+server.address(), newKey(), patient)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("got Open after %v, want that at once", took)
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
		"connected":      {func(*server) {}},
		"standing still": {func(s *server) { s.freeze() }},
		"killed":         {func(s *server) { s.end() }},
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
			begun := time.Now()
			s.Close()
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("got Close after %v, want that at once", took)
			}
			leave()
			group.Wait()
			// Those that gave up an answer end by themselves, when the connection has.
			eventually(t, "no goroutine is left", func() bool { return len(goroutines()) <= len(before) })
			for _, stack := range goroutines() {
				if strings.Contains(stack, "rueidis.") || strings.Contains(stack, "redis.(*Store)") {
					t.Errorf("got a goroutine after Close:\n%s", stack)
				}
			}
			if _, _, ok := s.Load(t.Context(), redis.EntryID{}); ok {
				t.Error("got a value after Close")
			}
			value, _, produced, err := s.GetOrCompute(t.Context(), redis.EntryID{}, time.Minute, time.Minute,
				func(context.Context) ([]byte, bool, error) { return []byte("a"), true, nil })
			if string(value) != "a" || !produced || err != nil {
				t.Errorf("got %q, %v, %v after Close, want what was produced", value, produced, err)
			}
		})
	}
}

func goroutines() []string {
	stacks := make([]byte, 1<<20)
	return strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
}
