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
}

// startTraffic starts the clients. Any response without data fails the test, and any error for
// which retry returns false.
func startTraffic(t *testing.T, clients int, url string, retry func(error) bool) *traffic {
	t.Helper()
	stopped := make(chan struct{})
	tr := &traffic{stop: sync.OnceFunc(func() { close(stopped) })}
	t.Cleanup(func() { tr.end() })
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
					t.Errorf("a request was lost: got %.200s, %v", got.body, err)
				default:
					tr.data.Add(1)
				}
			}
		})
	}
	return tr
}

// end stops the clients, and returns the number of responses with data.
func (tr *traffic) end() int64 {
	tr.stop()
	tr.group.Wait()
	return tr.data.Load()
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
	for i := range 3 {
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
	t.Logf("%d responses", clients.end())
}

// TestRestart_inPlace restarts the only instance. Clients retry refused connections, on which
// nothing has been sent. Any other error is a lost request.
func TestRestart_inPlace(t *testing.T) {
	t.Parallel()
	upstream := slowDemo(t)
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
	for range 3 {
		p.terminate(t)
		p = startAgain()
		clients.waitForMore(t)
	}
	t.Logf("%d responses", clients.end())
}
