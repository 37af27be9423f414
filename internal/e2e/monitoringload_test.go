package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

// monitoredLoad is the load of two gateways with one Redis.
type monitoredLoad struct {
	healthy *process // with a demo upstream
	faulty  *process // with an upstream that fails
	faults  *faulty.Upstream
	down    atomic.Bool // whether the second upstream fails all calls
	redis   *redisServer
	admin   rueidis.Client // of redis

	ctx     context.Context
	clients sync.WaitGroup
}

// startMonitoring starts the gateways, their load, and Prometheus.
func startMonitoring(t *testing.T) *monitoringTest {
	t.Helper()
	l := &monitoredLoad{redis: startRedis(t)}
	l.admin = l.redis.client(t)
	list := withNewKey(demo.New(demo.Options{Latency: 5 * time.Millisecond}))
	l.faults = faulty.New(list, "http://127.0.0.1:1")
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		l.faults.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	shared := []string{
		"--admin-listen=127.0.0.1:0", "--redis-url=redis://127.0.0.1:" + l.redis.port, "--shared-key=" + testKey,
	}
	l.healthy = start(t, append(shared, "--demo")...)
	// The memory limit has a panel. The small cache has to evict pages.
	l.faulty = startWith(t, []string{
		"GOMEMLIMIT=1GiB", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT=500", "OTEL_BSP_SCHEDULE_DELAY=500",
	}, append(
		shared, "--upstream-url="+upstream.URL+demo.BasePath, "--upstream-timeout=200ms", "--cache-bytes=1MiB", "--stale-if-error=1m",
		"--trusted-documents=internal/config/testdata/documents/relay-md5.json", "--trusted-documents-mode=log",
	)...)
	m := &monitoringTest{
		prometheus: startPrometheus(t, l.healthy.admin(), l.faulty.admin()),
		metrics:    listedMetrics(t), observed: map[string]bool{},
	}
	m.queries = dashboardQueries(t, m.metrics)
	ctx, stop := context.WithCancel(t.Context())
	l.ctx = ctx
	t.Cleanup(func() { stop(); l.clients.Wait() })
	l.start()
	return m
}

// repeat calls do with increasing numbers, and pauses after each call.
func (l *monitoredLoad) repeat(pause time.Duration, do func(n int)) {
	l.clients.Go(func() {
		for n := 0; l.ctx.Err() == nil; n++ {
			do(n)
			select {
			case <-l.ctx.Done():
			case <-time.After(pause):
			}
		}
	})
}

// page requests the first CVMs of a list. Errors are a part of the load.
func (l *monitoredLoad) page(p *process, first int, token string) {
	_, _ = p.query(l.ctx, fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id name status } } }`, first), token)
}

// start starts the clients.
func (l *monitoredLoad) start() {
	l.repeat(50*time.Millisecond, func(n int) { l.page(l.healthy, 1+n%7, "demo") })
	l.repeat(70*time.Millisecond, func(n int) { l.page(l.faulty, 1+n%7, "demo") }) // mostly from Redis
	l.repeat(100*time.Millisecond, func(n int) { l.page(l.faulty, 20+n%60, "steady-"+strconv.Itoa(n%20)) })
	l.repeat(500*time.Millisecond, func(n int) { // concurrent requests that share a call
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { l.page(l.healthy, 50, "together-"+strconv.Itoa(n)) })
		}
		group.Wait()
	})
	l.repeat(300*time.Millisecond, func(int) {
		l.page(l.healthy, 1, "invalid")
		for _, path := range []string{"/", "/readyz", "/nowhere", "/graphql"} { // the last one without a query
			if request, err := http.NewRequestWithContext(l.ctx, http.MethodGet, l.healthy.url+path, nil); err == nil {
				if response, err := http.DefaultClient.Do(request); err == nil {
					_ = response.Body.Close()
				}
			}
		}
	})
	for _, fault := range []string{"503", "429", "reset", "truncated", "hang", "half-json"} {
		for range 2 {
			for _, when := range []faulty.When{faulty.Once, faulty.Always} {
				l.repeat(200*time.Millisecond, func(n int) { l.page(l.faulty, 10, l.faults.Token(fault, when, strconv.Itoa(n))) })
			}
		}
	}
	broken := l.faults.Token("503", faulty.Always, "paused")
	l.repeat(100*time.Millisecond, func(int) { l.page(l.faulty, 10, broken) })
	l.repeat(3*time.Second, func(n int) { // every other time, Redis has no memory for writes
		ctx, cancel := context.WithTimeout(l.ctx, time.Second)
		defer cancel()
		_ = l.admin.Do(ctx, l.admin.B().Arbitrary("CONFIG", "SET", "maxmemory", []string{"0", "1"}[n%2]).Build()).Error()
	})
	// Every other time, the upstream fails and Redis is paused. The breaker opens after 10 s.
	l.repeat(16*time.Second, func(n int) {
		l.down.Store(n%2 == 1)
		_ = l.redis.Process.Signal([]os.Signal{syscall.SIGCONT, syscall.SIGSTOP}[n%2])
	})
}

// withNewKey adds a key to each item that is not in the schema.
func withNewKey(list http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		list.ServeHTTP(recorder, r)
		maps.Copy(w.Header(), recorder.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(bytes.ReplaceAll(recorder.Body.Bytes(), []byte(`"billing_period":`), []byte(`"billing_cycle":1,"billing_period":`)))
	})
}
