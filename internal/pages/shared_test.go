//go:build unix

package pages_test

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/redis"
	"cvmgraph/internal/testing/freeport"
	"cvmgraph/restclient"
)

// redisServer is a Redis server for one test.
type redisServer struct {
	port    string
	process *exec.Cmd
}

func newRedisServer(tb testing.TB) *redisServer {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Skip("needs redis-server on PATH: .ci/run installs it")
	}
	port, err := freeport.Find(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	s := &redisServer{port: strconv.Itoa(port)}
	s.start(tb)
	tb.Cleanup(s.kill)
	return s
}

func (s *redisServer) start(tb testing.TB) {
	tb.Helper()
	s.process = exec.CommandContext(context.WithoutCancel(tb.Context()), "redis-server", "--port", s.port, "--bind", "127.0.0.1",
		"--save", "", "--appendonly", "no", "--dir", tb.TempDir())
	if err := s.process.Start(); err != nil {
		tb.Fatal(err)
	}
	eventually(tb, "redis-server listens", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

func (s *redisServer) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// eventually waits until a condition is true.
func eventually(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	tick := time.Tick(5 * time.Millisecond)
	for started := time.Now(); !condition(); <-tick {
		if time.Since(started) > 20*time.Second {
			tb.Fatalf("not within 20 s: %s", what)
		}
	}
}

// replica returns a cache that shares pages through Redis. It waits until the cache is connected.
func (l *list) replica(tb testing.TB, s *redisServer, options pages.CacheOptions) *pages.Cache {
	tb.Helper()
	key := [32]byte{1, 2, 3}
	store, err := redis.Open(redis.Options{URL: "redis://127.0.0.1:" + s.port, Key: key, Timeout: 2 * time.Second})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(store.Close)
	eventually(tb, "a connection to Redis", func() bool {
		store.Save(tb.Context(), redis.EntryID{Name: "probe"}, []byte("probe"), time.Minute)
		_, _, ok := store.Load(tb.Context(), redis.EntryID{Name: "probe"})
		return ok
	})
	options.HashKey, options.Shared, options.SharedWait = key, store, 15*time.Second
	return l.cache(options)
}

func TestShared_replicasCoalesceCalls(t *testing.T) {
	t.Parallel()
	s := newRedisServer(t)
	l := &list{before: wait(50 * time.Millisecond), size: 1000}
	var replicas []*pages.Cache
	for range 3 {
		replicas = append(replicas, l.replica(t, s, pages.CacheOptions{TTL: time.Minute}))
	}
	// On a busy machine Redis may respond too late. Then each replica makes its own call.
	for try := range 8 {
		l.calls.Store(0)
		ids := make([]string, 200)
		var group sync.WaitGroup
		for i := range ids {
			group.Go(func() {
				c := replicas[i%3]
				got, err := c.Fetch(t.Context(), fetchRequest(c, bearer([]string{"a", "b"}[i%2]), try+1, 100))
				if err != nil || got.Len() != 100 {
					t.Errorf("got %v", err)
					return
				}
				ids[i] = string(got.Body())
			})
		}
		group.Wait()
		calls := l.calls.Load()
		if slices.Sort(ids); calls == 2 && len(slices.Compact(ids)) == 2 {
			for i, c := range replicas {
				r := fetchRequest(c, bearer("a"), try+1, 100)
				if got, ok := c.Cached(r.CredentialKey, r.PageRequest); !ok || got.Age > 20*time.Second {
					t.Errorf("replica %d: got %t and an age of %v", i, ok, got.Age)
				}
			}
			return
		}
		if calls > 6 {
			t.Fatalf("got %d calls, want 2, or at most 6", calls)
		}
		<-time.After(time.Second) // until the replicas reconnect to Redis
	}
	t.Error("the replicas did not coalesce their calls in 8 tries, want 1 call for each credential")
}

func TestShared_credentialRejected(t *testing.T) {
	t.Parallel()
	s := newRedisServer(t)
	l := &list{}
	one, other := l.replica(t, s, pages.CacheOptions{TTL: time.Minute}), l.replica(t, s, pages.CacheOptions{TTL: time.Minute})
	mustFetch(t, one, fetchRequest(one, bearer("a"), 1, 10))
	l.before = func(context.Context, restclient.Credential, restclient.PageRequest) error {
		return &restclient.StatusError{StatusCode: http.StatusUnauthorized}
	}
	if _, err := one.Fetch(t.Context(), fetchRequest(one, bearer("a"), 2, 10)); err == nil {
		t.Fatal("got no error, want status 401")
	}
	if got, err := other.Fetch(t.Context(), fetchRequest(other, bearer("a"), 1, 10)); err == nil {
		t.Errorf("the other replica: got a page of %d items, want status 401", got.Len())
	}
}

func TestShared_since(t *testing.T) {
	t.Parallel()
	s := newRedisServer(t)
	l := &list{}
	one, other := l.replica(t, s, pages.CacheOptions{TTL: time.Minute}), l.replica(t, s, pages.CacheOptions{TTL: time.Minute})
	mustFetch(t, one, fetchRequest(one, bearer("a"), 1, 10))
	fresh := fetchRequest(other, bearer("a"), 1, 10)
	fresh.Since = time.Now()
	got := mustFetch(t, other, fresh)
	if calls := l.calls.Load(); calls != 2 || got.Cached {
		t.Errorf("got %d calls, and Cached %t, want 2 calls and false", calls, got.Cached)
	}
	third := l.replica(t, s, pages.CacheOptions{TTL: time.Minute})
	if again := mustFetch(t, third, fetchRequest(third, bearer("a"), 1, 10)); l.calls.Load() != 2 || !again.Cached || string(again.Body()) != string(got.Body()) {
		t.Errorf("a third replica: got %d calls or another page, want the cached page of the second call", l.calls.Load())
	}
}

// One replica makes a response with no-cache. The other replica, which has no page in memory, does
// not load an older page from Redis.
func TestShared_supersededPages(t *testing.T) {
	t.Parallel()
	s := newRedisServer(t)
	l := &list{}
	one := l.replica(t, s, pages.CacheOptions{TTL: time.Minute})
	mustFetch(t, one, fetchRequest(one, bearer("a"), 1, 31))
	mustFetch(t, one, fetchRequest(one, bearer("b"), 1, 31))
	fresh := fetchRequest(one, bearer("a"), 1, 10)
	fresh.Since = time.Now()
	shown := mustFetch(t, one, fresh)
	one.Supersede(t.Context(), fresh.CredentialKey, fresh.Filter, fresh.Since, []pages.FetchResult{shown})

	other := l.replica(t, s, pages.CacheOptions{TTL: time.Minute})
	for name, tt := range map[string]struct {
		credential restclient.Credential
		size       int
		cached     bool
	}{
		"an older page":                {credential: bearer("a"), size: 31},
		"the page of the response":     {credential: bearer("a"), size: 10, cached: true},
		"a page of another credential": {credential: bearer("b"), size: 31, cached: true},
	} {
		if got := mustFetch(t, other, fetchRequest(other, tt.credential, 1, tt.size)); got.Cached != tt.cached {
			t.Errorf("%s: got Cached %t, want %t", name, got.Cached, tt.cached)
		}
	}
}

// The test kills, pauses and restarts Redis under load.
func TestShared_redisOutages(t *testing.T) {
	t.Parallel()
	s := newRedisServer(t)
	l := &list{before: wait(10 * time.Millisecond)}
	c := l.replica(t, s, pages.CacheOptions{TTL: time.Millisecond})
	const workers = 8
	var failed, requested atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for page := 1; ctx.Err() == nil; page++ {
				requested.Add(1)
				if _, err := c.Fetch(t.Context(), fetchRequest(c, bearer(strconv.Itoa(w)), page, 5)); err != nil {
					failed.Add(1)
					t.Errorf("got %v", err)
				}
			}
		})
	}
	serve := func(what string) {
		before := requested.Load()
		started := time.Now()
		eventually(t, what, func() bool { return requested.Load() > before+100 })
		t.Logf("%s: 100 requests in %v", what, time.Since(started))
	}
	serve("with Redis")
	if err := s.process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	serve("paused")
	if err := s.process.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	serve("resumed")
	s.kill()
	serve("killed")
	s.start(t)
	serve("restarted")
	stop()
	group.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), requested.Load())
	}
}
