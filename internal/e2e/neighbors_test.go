package e2e_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

// TestNeighbors_areServed has a tenant whose calls all fail or hang, and a healthy one, who gets
// data for each request within 2 s. TestNeighbors of restclient has all faults, and compares times.
func TestNeighbors_areServed(t *testing.T) {
	t.Parallel()
	for name, attack := range map[string]struct {
		fault   string
		clients int
	}{
		"a list that is always an error": {"500", 4},
		"calls that hang":                {"hang", 300},
		"pages that hang in their body":  {"hang-in-large-body", 40},
		"rate limits":                    {"429", 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := startFaulty(t)
			p := start(t, "--upstream-url", upstream.url+demo.BasePath, "--cache-ttl=0")
			broken := upstream.Token(attack.fault, faulty.Always, "neighbor")
			ctx, stop := context.WithCancel(t.Context())
			var clients sync.WaitGroup
			for range attack.clients {
				clients.Go(func() {
					for ctx.Err() == nil {
						_, _ = p.query(ctx, `{ cvms(first: 1) { nodes { name } } }`, broken)
						<-time.After(10 * time.Millisecond)
					}
				})
			}
			waitFor(t, func() bool { return upstream.Calls(broken) > 0 })
			const requests = 30
			for n := range requests {
				begun := time.Now()
				body, err := p.query(ctx, `{ cvms(first: 1) { nodes { name } } }`, "healthy")
				if took := time.Since(begun); err != nil || strings.Contains(body, "errors") || took > 2*time.Second {
					t.Errorf("request %d of the healthy tenant: got %v, %.300s after %s", n, err, body, took)
				}
				<-time.After(100 * time.Millisecond)
			}
			stop()
			clients.Wait()
		})
	}
}
