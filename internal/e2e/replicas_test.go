package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

// startReplicas starts three replicas with one Redis and an upstream with a latency, and waits
// until they share pages. It also returns a counter of the upstream calls.
func startReplicas(t *testing.T, redis *redisServer, latency, ttl time.Duration) (replicas []*process, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		<-time.After(latency)
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	for range 3 {
		replicas = append(replicas, start(t,
			"--upstream-url", upstream.URL+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl="+ttl.String(),
			"--redis-url=redis://127.0.0.1:"+redis.port, "--shared-key="+testKey))
	}
	for i := range 100 {
		before := calls.Load()
		for _, p := range replicas {
			_, _ = p.query(t.Context(), fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id } } }`, i+1), "probe")
		}
		// All replicas are connected to Redis when one call is enough for the three of them.
		if calls.Load() == before+1 {
			return replicas, calls
		}
	}
	t.Fatal("the replicas do not share pages")
	return nil, nil
}

// TestReplicas_oneUpstreamCall requests the same page from three replicas concurrently. With Redis
// they make one upstream call for each credential, and without Redis one call each.
func TestReplicas_oneUpstreamCall(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	replicas, calls := startReplicas(t, redis, 100*time.Millisecond, time.Minute)
	request := func(window int, tokens ...string) {
		t.Helper()
		var group sync.WaitGroup
		for i := range 200 {
			group.Go(func() {
				query := fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id name } } }`, window)
				got, err := replicas[i%3].query(t.Context(), query, tokens[i%len(tokens)])
				if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
					t.Errorf("got %.200s, %v, want data", got, err)
				}
			})
		}
		group.Wait()
	}
	for i, tokens := range [][]string{{"one"}, {"two", "three"}} {
		want := int64(len(tokens))
		window := 20 + 10*i
		if !cost.InThreeTries(func() bool {
			calls.Store(0)
			request(window, tokens...)
			got := calls.Load()
			if got < want || got > 3*want {
				t.Errorf("200 requests of %v: got %d calls, want %d, and at most one of each replica", tokens, got, want)
			}
			if got == want || !testmode.QuietMachine() {
				return true
			}
			t.Logf("200 requests of %v: got %d calls, want %d", tokens, got, want)
			window++
			<-time.After(2 * time.Second) // if Redis is too slow, each replica goes on without it for a second
			return false
		}) {
			t.Errorf("200 requests of %v: got more than %d calls three times", tokens, want)
		}
	}
	redis.kill()
	calls.Store(0)
	request(50, "one")
	if got := calls.Load(); got < 1 || got > 3 {
		t.Errorf("without Redis: got %d calls, want at most one of each replica", got)
	}
}

// outageTest is a number of replicas under load.
type outageTest struct {
	replicas []*process
	calls    *atomic.Int64
	requests atomic.Int64
}

// TestLatency_redisOutages kills, restarts and pauses the Redis of three replicas under load. Each
// request must get data, and in each phase the 99th percentile of the times must be at most twice
// as long as with Redis.
func TestLatency_redisOutages(t *testing.T) { //nolint:paralleltest // other tests would distort its times
	needsQuietMachine(t)
	redis := startRedis(t)
	o := &outageTest{}
	o.replicas, o.calls = startReplicas(t, redis, 20*time.Millisecond, 100*time.Millisecond)
	o.load(t, "warmup", func() {})
	var slow []string
	if !cost.InThreeTries(func() bool {
		slow = nil
		normal := max(o.load(t, "with Redis", func() {}), o.load(t, "still with Redis", func() {}))
		for _, phase := range []struct {
			name  string
			begin func()
		}{
			{name: "killed", begin: redis.kill},
			{name: "restarted", begin: func() { redis.start(t) }},
			{name: "paused", begin: func() { _ = redis.Process.Signal(syscall.SIGSTOP) }},
			{name: "resumed", begin: func() { _ = redis.Process.Signal(syscall.SIGCONT) }},
		} {
			if got := o.load(t, phase.name, phase.begin); got > 2*normal {
				slow = append(slow, fmt.Sprintf("%s: got p99 %v, want at most twice the %v with Redis", phase.name, got, normal))
			}
		}
		return len(slow) == 0
	}) {
		t.Errorf("too slow in each of three tries; in the last one:\n%s", strings.Join(slow, "\n"))
	}
}

// load sends requests from 12 clients for four seconds, and calls begin after half a second. It
// returns the 99th percentile of the times.
func (o *outageTest) load(t *testing.T, phase string, begin func()) time.Duration {
	t.Helper()
	var mu sync.Mutex
	var times []time.Duration
	var group sync.WaitGroup
	until := time.Now().Add(4 * time.Second)
	group.Go(func() {
		<-time.After(time.Second / 2)
		begin()
	})
	for i := range 12 {
		group.Go(func() {
			for time.Now().Before(until) {
				n := o.requests.Add(1)
				query := fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id } } }`, n%5+1)
				begun := time.Now()
				got, err := o.replicas[i%3].query(t.Context(), query, fmt.Sprint("token", n%40))
				if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
					t.Errorf("%s: got %.200s, %v, want data", phase, got, err)
					return
				}
				mu.Lock()
				times = append(times, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(times)
	if len(times) < 500 {
		t.Fatalf("%s: got %d responses, which are too few for a percentile", phase, len(times))
	}
	p99 := times[len(times)*99/100]
	t.Logf("%s: %d responses, p50 %v, p99 %v, slowest %v, %d calls",
		phase, len(times), times[len(times)/2], p99, times[len(times)-1], o.calls.Swap(0))
	return p99
}
