package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// slowDemo is a demo upstream whose calls are in flight long enough to be met by a signal.
func slowDemo(t *testing.T) string {
	t.Helper()
	upstream := httptest.NewServer(demo.New(demo.Options{Latency: 50 * time.Millisecond}))
	t.Cleanup(upstream.Close)
	return upstream.URL + demo.BasePath
}

// traffic asks from a number of clients at a time, without a pause, until it is ended.
type traffic struct {
	group    sync.WaitGroup
	stop     chan struct{}
	answered atomic.Int64
}

// begin starts the clients. What they get instead of data fails the test, but for errors that they are patient with.
func begin(t *testing.T, clients int, url string, patient func(error) bool) *traffic {
	t.Helper()
	tr := &traffic{stop: make(chan struct{})}
	for i := range clients {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
		tr.group.Go(func() {
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-tr.stop:
					return
				default:
				}
				got, err := postAs(client, url, fmt.Sprintf(`{ cvms(first: %d) { nodes { id } } }`, 1+n%50), fmt.Sprintf("client-%d", i))
				switch {
				case err != nil && patient(err):
					<-time.After(10 * time.Millisecond)
				case err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`):
					t.Errorf("a request was lost: got %.200s, %v", got, err)
				default:
					tr.answered.Add(1)
				}
			}
		})
	}
	return tr
}

// end ends the clients, and returns how many of their requests have been answered.
func (tr *traffic) end() int64 {
	close(tr.stop)
	tr.group.Wait()
	return tr.answered.Load()
}

// some waits until the clients have got more answers.
func (tr *traffic) some(t *testing.T) {
	t.Helper()
	tick, begun, from := time.Tick(10*time.Millisecond), time.Now(), tr.answered.Load()
	for tr.answered.Load() < from+100 {
		if <-tick; time.Since(begun) > 30*time.Second {
			t.Fatal("got no answers for 30 s")
		}
	}
}

// postAs sends an operation by a client of the test's.
func postAs(client *http.Client, url, query, token string) (string, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/graphql", strings.NewReader(fmt.Sprintf(`{"query":%q}`, query)))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return string(answer), err
}

// balancer sends requests to those of its replicas that say at /readyz that they are ready, by turns. It sends each once.
type balancer struct {
	replicas []*replica
	turn     atomic.Int64
	proxy    httputil.ReverseProxy
}

type replica struct {
	url   *url.URL
	ready atomic.Bool
	sent  atomic.Int64
}

func newBalancer(t *testing.T, ports ...string) *balancer {
	t.Helper()
	b := &balancer{}
	ctx, stop := context.WithCancel(t.Context())
	var polling sync.WaitGroup
	for _, port := range ports {
		r := &replica{url: &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}}
		b.replicas = append(b.replicas, r)
		polling.Go(func() { r.poll(ctx, 50*time.Millisecond) })
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	b.proxy = httputil.ReverseProxy{Transport: transport, Rewrite: b.rewrite}
	t.Cleanup(func() {
		stop()
		polling.Wait()
		transport.CloseIdleConnections()
	})
	return b
}

// poll asks whether the replica is ready, every now and then.
func (r *replica) poll(ctx context.Context, pause time.Duration) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	for tick := time.Tick(pause); ; {
		if request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String()+"/readyz", nil); err == nil {
			response, err := client.Do(request)
			switch {
			case err == nil:
				_ = response.Body.Close()
				r.ready.Store(response.StatusCode == http.StatusOK)
			case errors.Is(err, syscall.ECONNREFUSED):
				r.ready.Store(false)
			} // else it is slow, which a busy machine is too
		}
		select {
		case <-tick:
		case <-ctx.Done():
			return
		}
	}
}

func (b *balancer) rewrite(r *httputil.ProxyRequest) {
	turn := int(b.turn.Add(1))
	for i := range b.replicas {
		chosen := b.replicas[(turn+i)%len(b.replicas)]
		if chosen.ready.Load() {
			chosen.sent.Add(1)
			r.SetURL(chosen.url)
			return
		}
	}
}

func (r *replica) wait(t *testing.T, ready bool) {
	t.Helper()
	tick, begun := time.Tick(5*time.Millisecond), time.Now()
	for r.ready.Load() != ready {
		if <-tick; time.Since(begun) > 30*time.Second {
			t.Fatalf("got ready %v for 30 s, want %v", !ready, ready)
		}
	}
}

// TestRestartsLoseNoRequest restarts two replicas by turns behind a load balancer that does nothing twice, under 20 clients.
func TestRestartsLoseNoRequest(t *testing.T) {
	t.Parallel()
	upstream := slowDemo(t)
	ports := []string{freePort(t), freePort(t)}
	again := func(i int) *process {
		return start(t, "--upstream-url", upstream, "--listen=127.0.0.1:"+ports[i], "--cache-ttl=0")
	}
	replicas := []*process{again(0), again(1)}
	b := newBalancer(t, ports...)
	for _, r := range b.replicas {
		r.wait(t, true)
	}
	front := httptest.NewServer(&b.proxy)
	t.Cleanup(front.Close)
	clients := begin(t, 20, front.URL, func(error) bool { return false })
	clients.some(t)
	for i := range 3 {
		i %= 2
		if err := replicas[i].Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		b.replicas[i].wait(t, false)
		if err := replicas[i].Wait(); err != nil {
			t.Errorf("exit: got %v, want status 0", err)
		}
		before := b.replicas[i].sent.Load()
		clients.some(t)
		replicas[i] = again(i)
		b.replicas[i].wait(t, true)
		clients.some(t)
		if got := b.replicas[i].sent.Load() - before; got == 0 {
			t.Errorf("restart of replica %d: got no requests afterwards, want some", i)
		}
	}
	t.Logf("%d requests answered", clients.end())
}

// TestRestartsInPlaceLoseNoRequest restarts the one program that there is. A connection that nobody takes is tried again: nothing
// has been sent on it. All else is a request lost.
func TestRestartsInPlaceLoseNoRequest(t *testing.T) {
	t.Parallel()
	upstream := slowDemo(t)
	port := freePort(t)
	again := func() *process {
		return start(t, "--upstream-url", upstream, "--listen=127.0.0.1:"+port, "--cache-ttl=0")
	}
	p := again()
	clients := begin(t, 20, p.url, func(err error) bool {
		failed, ok := errors.AsType[*net.OpError](err)
		return ok && failed.Op == "dial"
	})
	clients.some(t)
	for range 3 {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := p.Wait(); err != nil {
			t.Errorf("exit: got %v, want status 0", err)
		}
		p = again()
		clients.some(t)
	}
	t.Logf("%d requests answered", clients.end())
}
