package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
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

// slowDemo starts a demo upstream whose calls take long enough for a signal to arrive during them.
func slowDemo(t *testing.T) (url string) {
	t.Helper()
	upstream := httptest.NewServer(demo.New(demo.Options{Latency: 50 * time.Millisecond}))
	t.Cleanup(upstream.Close)
	return upstream.URL + demo.BasePath
}

// traffic is a number of clients that send requests continuously.
type traffic struct {
	group sync.WaitGroup
	stop  func()
	data  atomic.Int64 // responses with data

	mu   sync.Mutex
	lost []string // the requests without data, by what came instead
}

// startTraffic starts the clients. A request is lost if its response has no data, or if it fails
// with an error for which retry returns false.
func startTraffic(t *testing.T, clients int, url string, retry func(error) bool) *traffic {
	t.Helper()
	stopped := make(chan struct{})
	tr := &traffic{stop: sync.OnceFunc(func() { close(stopped) })}
	t.Cleanup(func() {
		tr.stop()
		tr.group.Wait()
	})
	for i := range clients {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
		tr.group.Go(func() {
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-stopped:
					return
				default:
				}
				query := fmt.Sprintf(`{ cvms(first: %d) { nodes { id } } }`, 1+n%50)
				got, err := post(t.Context(), client, url, query, bearer(fmt.Sprintf("client-%d", i)))
				switch {
				case err != nil && retry(err):
					<-time.After(10 * time.Millisecond)
				case err != nil || !strings.HasPrefix(got.body, `{"data":{"cvms":{"nodes":[{`):
					tr.mu.Lock()
					tr.lost = append(tr.lost, fmt.Sprintf("%.200s, %v", got.body, err))
					tr.mu.Unlock()
				default:
					tr.data.Add(1)
				}
			}
		})
	}
	return tr
}

// end stops the clients, and returns the lost requests.
func (tr *traffic) end(t *testing.T) (lost []string) {
	t.Helper()
	tr.stop()
	tr.group.Wait()
	t.Logf("%d responses, %d lost requests", tr.data.Load(), len(tr.lost))
	return tr.lost
}

// waitForMore waits for 100 more responses.
func (tr *traffic) waitForMore(t *testing.T) {
	t.Helper()
	tick, begun, from := time.Tick(10*time.Millisecond), time.Now(), tr.data.Load()
	for tr.data.Load() < from+100 {
		if <-tick; time.Since(begun) > 30*time.Second {
			t.Fatal("got no responses for 30 s")
		}
	}
}

// TestRestart_rolling restarts two replicas in turn under the load of 20 clients. The load balancer
// never sends a request twice.
func TestRestart_rolling(t *testing.T) {
	t.Parallel()
	upstream := slowDemo(t)
	ports := []string{freePort(t), freePort(t)}
	startReplica := func(i int) *process {
		return start(t, "--upstream-url", upstream, "--listen=127.0.0.1:"+ports[i], "--cache-ttl=0")
	}
	replicas := []*process{startReplica(0), startReplica(1)}
	b := startBalancer(t, ports...)
	for _, backend := range b.backends {
		backend.waitUntilReady(t, true)
	}
	clients := startTraffic(t, 20, b.url, func(error) bool { return false })
	clients.waitForMore(t)
	for i := range testmode.Count(2, 5) {
		i %= 2
		if err := replicas[i].Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		b.backends[i].waitUntilReady(t, false)
		replicas[i].waitForExit(t)
		before := b.backends[i].requests.Load()
		clients.waitForMore(t)
		replicas[i] = startReplica(i)
		b.backends[i].waitUntilReady(t, true)
		clients.waitForMore(t)
		if got := b.backends[i].requests.Load() - before; got == 0 {
			t.Errorf("replica %d: got no requests after its restart, want some", i)
		}
	}
	if lost := clients.end(t); len(lost) > 0 {
		t.Errorf("got %d lost requests, want none: %.2000q", len(lost), lost)
	}
}

// TestRestart_inPlace restarts the only instance. On a busy machine, the kernel may reset a
// connection that arrives while the port closes (docs/adr/0011-drain.md), but hardly in three
// tries.
func TestRestart_inPlace(t *testing.T) {
	t.Parallel()
	upstream := slowDemo(t)
	var lost []string
	if !cost.InThreeTries(func() bool {
		lost = restartInPlace(t, upstream)
		return len(lost) == 0
	}) {
		t.Errorf("got lost requests in three tries, want none: in the last %.2000q", lost)
	}
}

// restartInPlace restarts an instance under load, and returns the lost requests. Clients retry
// refused connections, on which nothing has been sent.
func restartInPlace(t *testing.T, upstream string) (lost []string) {
	t.Helper()
	port := freePort(t)
	startAgain := func() *process {
		return start(t, "--upstream-url", upstream, "--listen=127.0.0.1:"+port, "--cache-ttl=0")
	}
	p := startAgain()
	clients := startTraffic(t, 20, p.url, func(err error) bool {
		failed, ok := errors.AsType[*net.OpError](err)
		return ok && failed.Op == "dial"
	})
	clients.waitForMore(t)
	for range testmode.Count(1, 5) {
		p.terminate(t)
		p = startAgain()
		clients.waitForMore(t)
	}
	lost = clients.end(t)
	p.terminate(t)
	return lost
}
