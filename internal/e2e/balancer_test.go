package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// balancer is a load balancer. It polls /readyz of its backends and sends requests to the ready
// ones in turn. It sends each request once.
type balancer struct {
	url      string
	backends []*backend
	turn     atomic.Int64
}

// backend is a replica of the program.
type backend struct {
	url      *url.URL
	ready    atomic.Bool
	requests atomic.Int64
}

func startBalancer(t *testing.T, ports ...string) *balancer {
	t.Helper()
	b := &balancer{}
	ctx, stop := context.WithCancel(t.Context())
	var polling sync.WaitGroup
	for _, port := range ports {
		r := &backend{url: &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}}
		b.backends = append(b.backends, r)
		polling.Go(func() { r.poll(ctx, 50*time.Millisecond) })
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(func() {
		stop()
		polling.Wait()
		transport.CloseIdleConnections()
	})
	server := httptest.NewServer(&httputil.ReverseProxy{Transport: transport, Rewrite: b.rewrite})
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// poll updates ready periodically until ctx ends.
func (r *backend) poll(ctx context.Context, interval time.Duration) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	for tick := time.Tick(interval); ; {
		if request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url.String()+"/readyz", nil); err == nil {
			response, err := client.Do(request)
			switch {
			case err == nil:
				_ = response.Body.Close()
				r.ready.Store(response.StatusCode == http.StatusOK)
			case errors.Is(err, syscall.ECONNREFUSED):
				r.ready.Store(false)
			} // another error is a timeout on a busy machine
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
	for i := range b.backends {
		chosen := b.backends[(turn+i)%len(b.backends)]
		if chosen.ready.Load() {
			chosen.requests.Add(1)
			r.SetURL(chosen.url)
			return
		}
	}
}

// waitUntilReady waits until the backend is ready, or until it is not.
func (r *backend) waitUntilReady(t *testing.T, ready bool) {
	t.Helper()
	tick, begun := time.Tick(5*time.Millisecond), time.Now()
	for r.ready.Load() != ready {
		if <-tick; time.Since(begun) > 30*time.Second {
			t.Fatalf("got ready %v for 30 s, want %v", !ready, ready)
		}
	}
}
