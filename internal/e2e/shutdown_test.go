package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cvmgraph/internal/demo"
)

// heldUpstream starts a demo upstream that responds only after release is closed. Each call sends
// to arrived, which has a buffer of that many calls.
func heldUpstream(t *testing.T, calls int) (url string, arrived, release chan struct{}) {
	t.Helper()
	arrived, release = make(chan struct{}, calls), make(chan struct{})
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	return upstream.URL + demo.BasePath, arrived, release
}

// TestShutdown_pendingRequests terminates the program while requests wait for the upstream.
func TestShutdown_pendingRequests(t *testing.T) {
	t.Parallel()
	const clients = 10
	upstream, arrived, release := heldUpstream(t, clients)
	p := start(t, "--upstream-url", upstream, "--drain-delay=0")

	var requests sync.WaitGroup
	for i := range clients {
		requests.Go(func() {
			token := fmt.Sprint("load-", i) // requests with the same token would share a call
			got, err := p.query(t.Context(), `{ cvms(first: 3) { nodes { id } } }`, token)
			if err != nil || !strings.HasPrefix(got, `{"data":{"cvms":{"nodes":[{`) {
				t.Errorf("a request was lost: got %.200s, %v", got, err)
			}
		})
	}
	for range clients {
		<-arrived
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for refused := false; !refused; {
		conn, err := net.Dial("tcp", trimScheme(p.url))
		if refused = errors.Is(err, syscall.ECONNREFUSED); err == nil {
			_ = conn.Close()
		}
	}
	close(release)
	requests.Wait()
	p.waitForExit(t)
}
