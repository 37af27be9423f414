package e2e_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/freeport"
	"cvmgraph/internal/testing/testmode"
)

// testKey is the shared key of replicas.
var testKey = base64.StdEncoding.EncodeToString([]byte("of this test alone, 32 bytes long"[:32]))

// redisServer is a Redis of the test's own.
type redisServer struct {
	*exec.Cmd
	port      string
	arguments []string
}

// startRedis starts a Redis that ends with the test, with these arguments beside those that keep it on this machine and off the disk.
func startRedis(t *testing.T, arguments ...string) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server on PATH: .ci/run installs it")
	}
	r := &redisServer{port: freePort(t), arguments: arguments}
	r.run(t)
	t.Cleanup(r.kill)
	return r
}

// run runs the server; it is not running.
func (r *redisServer) run(t *testing.T) {
	t.Helper()
	arguments := append([]string{"--port", r.port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}, r.arguments...)
	r.Cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", arguments...)
	if err := r.Start(); err != nil {
		t.Error(err)
	}
}

func (r *redisServer) kill() { _ = r.Process.Kill(); _ = r.Wait() }

// startReplicas starts three replicas on one Redis, over an upstream that takes its time, and waits until they share. It returns how often
// the upstream was called.
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
		replicas = append(replicas, start(t, "--upstream-url", upstream.URL+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl="+ttl.String(),
			"--redis-url=redis://127.0.0.1:"+redis.port, "--shared-key="+testKey))
	}
	for i := range 100 {
		before := calls.Load()
		for _, p := range replicas {
			_, _ = p.query(t.Context(), fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id } } }`, i+1), "probe")
		}
		// Each replica is connected once it has loaded what another one saved.
		if calls.Load() == before+1 {
			return replicas, calls
		}
	}
	t.Fatal("the replicas do not share")
	return nil, nil
}

// TestReplicas_oneUpstreamCall asks three replicas on one Redis for the same page at once, by two credentials, and then without Redis.
func TestReplicas_oneUpstreamCall(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	replicas, calls := startReplicas(t, redis, 100*time.Millisecond, time.Minute)
	ask := func(window int, tokens ...string) {
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
			ask(window, tokens...)
			got := calls.Load()
			if got < want || got > 3*want {
				t.Errorf("200 requests of %v: got %d calls, want %d, and one of each replica at most", tokens, got, want)
			}
			if got == want || !testmode.QuietMachine() {
				return true
			}
			t.Logf("200 requests of %v: got %d calls, want %d", tokens, got, want)
			window++
			<-time.After(2 * time.Second) // Redis answered too late, and then each replica calls for itself for a second
			return false
		}) {
			t.Errorf("200 requests of %v: got more than %d calls three times", tokens, want)
		}
	}
	redis.kill()
	calls.Store(0)
	ask(50, "one")
	if got := calls.Load(); got < 1 || got > 3 {
		t.Errorf("without Redis: got %d calls, want one of each replica at most", got)
	}
}

// TestLatency_redisOutages kills, restarts and pauses the Redis of three replicas under load: no request fails, and in each phase
// 99 of 100 take no longer than twice as long as before.
func TestLatency_redisOutages(t *testing.T) { //nolint:paralleltest // what others use would count
	if !testmode.QuietMachine() {
		t.Skip("times mean something only on a machine that does nothing else: set CVMGRAPH_TEST_LATENCY=1")
	}
	redis := startRedis(t)
	replicas, calls := startReplicas(t, redis, 20*time.Millisecond, 100*time.Millisecond)
	var requests atomic.Int64
	// load has 12 callers ask for four seconds, and something begin under that load. It returns how long 99 of 100 requests took at most.
	load := func(phase string, begin func()) time.Duration {
		t.Helper()
		var mu sync.Mutex
		var took []time.Duration
		var group sync.WaitGroup
		until := time.Now().Add(4 * time.Second)
		group.Go(func() {
			<-time.After(time.Second / 2)
			begin()
		})
		for i := range 12 {
			group.Go(func() {
				for time.Now().Before(until) {
					n := requests.Add(1)
					begun := time.Now()
					got, err := replicas[i%3].query(t.Context(), fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id } } }`, n%5+1), fmt.Sprint("token", n%40))
					if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"totalCount":`) {
						t.Errorf("%s: got %.200s, %v, want data", phase, got, err)
						return
					}
					mu.Lock()
					took = append(took, time.Since(begun))
					mu.Unlock()
				}
			})
		}
		group.Wait()
		slices.Sort(took)
		if len(took) < 500 {
			t.Fatalf("%s: got %d answers: that tells nothing", phase, len(took))
		}
		p99 := took[len(took)*99/100]
		t.Logf("%s: %d answers, p50 %v, p99 %v, the slowest %v, %d calls", phase, len(took), took[len(took)/2], p99, took[len(took)-1], calls.Swap(0))
		return p99
	}
	load("warming up", func() {})
	var slow []string
	if !cost.InThreeTries(func() bool {
		slow = nil
		normal := max(load("with Redis", func() {}), load("still with Redis", func() {}))
		for _, phase := range []struct {
			name  string
			begin func()
		}{
			{"killed", redis.kill},
			{"started again", func() { redis.run(t) }},
			{"standing still", func() { _ = redis.Process.Signal(syscall.SIGSTOP) }},
			{"going on", func() { _ = redis.Process.Signal(syscall.SIGCONT) }},
		} {
			if got := load(phase.name, phase.begin); got > 2*normal {
				slow = append(slow, fmt.Sprintf("%s: 99 of 100 requests took up to %v, want at most twice the %v with Redis", phase.name, got, normal))
			}
		}
		return len(slow) == 0
	}) {
		t.Errorf("three times, at last:\n%s", strings.Join(slow, "\n"))
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := freeport.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}
