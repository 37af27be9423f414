package restclient_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/memorynet"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// The matrix of neighbors: each fault that a tenant can cause, each way to cause it, and each
// protocol. Meanwhile a neighbor, whose list is served, calls at a modest rate. Time is virtual, so
// its durations do not depend on the machine.

const (
	neighborLatency = 20 * time.Millisecond // of the upstream
	neighborEvery   = 250 * time.Millisecond
	outage          = 10 * time.Second // after which the breaker opens
)

// attack is one tenant, or a few, that make calls with a fault.
type attack struct {
	clients int
	every   time.Duration // the pause of a client between two calls
	// tenant returns which tenant makes the n-th call of a client.
	tenant func(client, n int) int
	// known tenants have had a page before the fault begins.
	known int
	// faults are those that a short run tries.
	faults []string
	// list serves the neighbor; nil for small pages.
	list func(page []byte) http.HandlerFunc
	// pause is the time between two calls of the neighbor; 0 for neighborEvery.
	pause time.Duration
	// newcomers reports whether neighbors that have not had a page are served, too. They cannot be
	// told from invented credentials.
	newcomers bool
}

func attacks() map[string]attack {
	return map[string]attack{
		"a tenant that polls": {
			clients: 4, tenant: func(_, _ int) int { return 0 }, known: 1, newcomers: true, faults: []string{"500", "closed", "flood"},
		},
		"a tenant with parallel calls": {
			clients: testmode.Count(150, 300), every: time.Second, tenant: func(_, _ int) int { return 0 }, known: 1, newcomers: true,
			faults: []string{"hang", "503", "reset", "truncated", "drip", "slow", "html", "late-by-1s"},
		},
		"a forged credential": {
			clients: testmode.Count(150, 300), every: time.Second, tenant: func(_, _ int) int { return 0 }, newcomers: true, faults: []string{"500", "hang"},
		},
		"invented credentials": {
			clients: testmode.Count(150, 300), every: time.Second, tenant: func(client, n int) int { return client*1000 + n },
			faults: []string{"500", "hang", "closed"},
		},
		"some broken tenants": {
			clients: 200, every: time.Second, tenant: func(client, _ int) int { return client % 8 }, known: 8, faults: []string{"500", "hang-in-body"},
		},
		"broken tenants beside a neighbor that calls rarely": { // the breaker is open each time
			clients: 16, every: time.Second, tenant: func(client, _ int) int { return client % 8 }, known: 8,
			faults: []string{"500", "closed"}, pause: 2 * outage,
		},
		"a tenant beside a list that needs retries": {
			clients: 150, every: time.Second, tenant: func(_, _ int) int { return 0 }, known: 1, list: needsRetries, faults: []string{"hang", "429-late"},
		},
		"a tenant beside a list with large pages": {
			clients: 150, every: time.Second, tenant: func(_, _ int) int { return 0 }, known: 1, list: largePages,
			faults: []string{"hang-in-large-body", "many-objects"},
		},
	}
}

// isLarge reports whether the fault costs the test much time or memory.
func isLarge(fault string) bool {
	return strings.HasPrefix(fault, "flood") || strings.HasPrefix(fault, "bomb") || strings.HasPrefix(fault, "many-") ||
		strings.HasPrefix(fault, "long-") || strings.HasPrefix(fault, "deep-") || fault == "500-flood" || fault == "large-items" || fault == "hang-in-large-body" ||
		fault == "large-header" || fault == "drip" || fault == "drip-header"
}

// TestNeighbors is the matrix. A short run tries some faults of each attack.
//
//nolint:paralleltest // it takes all processors, and other tests measure time
func TestNeighbors(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
		for name, attack := range attacks() {
			faults := attack.faults
			if testmode.Full() {
				faults = append(faulty.New(nil, "").Faults(), "500", "503", "503-html", "429", "401", "404", "302", "late-by-1s")
			}
			for _, fault := range faults {
				if protocol == "HTTP/2" && isLarge(fault) {
					continue // faulty's server of HTTP/2 ignores the client's window
				}
				t.Run(protocol+"/"+name+"/"+fault, func(t *testing.T) {
					t.Parallel()
					if isLarge(fault) {
						attack.clients, attack.every = min(attack.clients, 12), 2*time.Second
					}
					synctest.Test(t, func(t *testing.T) { neighbors(t, protocol, attack, fault) })
				})
			}
		}
	}
}

// neighbors runs one attack.
func neighbors(t *testing.T, protocol string, attack attack, fault string) {
	t.Helper()
	var broken atomic.Bool
	page := healthyPage(t)
	small := late(page)
	faults, list := faulty.New(small, "http://elsewhere.example"), small
	if attack.list != nil {
		list = attack.list(page)
	}
	client := connect(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Api-Key") == "tenant-0":
			list(w, r)
		case broken.Load():
			faults.ServeHTTP(w, r)
		default:
			small(w, r)
		}
	}))
	attacker := func(tenant int) restclient.Credential {
		return restclient.NewCredential(restclient.Headers{Authorization: "Bearer " + faults.Token(fault, faulty.Always, strconv.Itoa(tenant))})
	}
	var neighbor, newcomers calls
	normal := func() {
		for range 40 {
			neighbor.add(t, client, as(0))
			<-time.After(neighborEvery)
		}
	}
	normal()
	usual := neighbor.quantile(0.99)
	neighbor = calls{}
	for tenant := range attack.known {
		if _, err := client.Fetch(t.Context(), attacker(tenant), eightItems); err != nil {
			t.Fatal(err)
		}
	}
	broken.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	var attackers sync.WaitGroup
	for i := range attack.clients {
		attackers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if page, err := client.Fetch(ctx, attacker(attack.tenant(i, n)), eightItems); err == nil {
					page.Release()
				}
				<-time.After(max(attack.every, 10*time.Millisecond))
			}
		})
	}
	var group sync.WaitGroup
	for n := range testmode.Count(24, 120) {
		<-time.After(cmp.Or(attack.pause, neighborEvery))
		group.Go(func() { neighbor.add(t, client, as(0)) })
		if attack.newcomers && n%4 == 0 {
			group.Go(func() { newcomers.add(t, client, as(1000+n)) })
		}
	}
	group.Wait()
	cancel()
	attackers.Wait()
	neighbor.want(t, "the neighbor", usual)
	newcomers.want(t, "the newcomers", usual)
}

// calls are the results of calls.
type calls struct {
	mu     sync.Mutex
	took   []time.Duration // of the pages
	failed []error
}

// add makes a call.
func (c *calls) add(t *testing.T, client *restclient.Client, credential restclient.Credential) {
	t.Helper()
	begin := time.Now()
	page, err := client.ListCvms(t.Context(), credential, eightItems)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && len(page.Items) != eightItems.PageSize {
		err = errors.New("page without items")
	}
	if err != nil {
		c.failed = append(c.failed, err)
		return
	}
	c.took = append(c.took, time.Since(begin))
}

func (c *calls) quantile(q float64) time.Duration {
	slices.Sort(c.took)
	return c.took[int(q*float64(len(c.took)-1))]
}

// want checks that 99 % of the calls had a page, and that 99 % of the pages took at most twice as
// long as usual.
func (c *calls) want(t *testing.T, who string, usual time.Duration) {
	t.Helper()
	n := len(c.took) + len(c.failed)
	if n == 0 {
		return
	}
	if len(c.failed)*100 > n {
		t.Errorf("%s: got no page from %d of %d calls, such as %v, want at most 1 %%", who, len(c.failed), n, c.failed[0])
	} else if got := c.quantile(0.99); got > 2*usual {
		t.Errorf("%s: got a p99 of %v, want at most twice %v", who, got, usual)
	}
}

var eightItems = restclient.PageRequest{Page: 1, PageSize: 8}

// healthyPage returns the body of a page.
func healthyPage(t *testing.T) []byte {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, demo.ListPath+"?page=1&page_size=8", nil)
	request.Header.Set("X-Api-Key", "a")
	request.Header.Set("X-Phala-Version", restclient.DefaultAPIVersion)
	demo.New(demo.Options{}).ServeHTTP(recorder, request)
	return recorder.Body.Bytes()
}

// late serves a page.
func late(page []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		<-time.After(neighborLatency)
		_, _ = w.Write(page)
	}
}

// needsRetries serves a page to every other call.
func needsRetries(page []byte) http.HandlerFunc {
	return responding(status(503, ""), late(page)).cycle
}

// largePages serves a page that needs a slot for large bodies.
func largePages(page []byte) http.HandlerFunc {
	return late(append(bytes.Repeat([]byte(" "), restclient.LargeBody+1), page...))
}

// connect returns a client of a server in memory, inside a bubble.
func connect(t *testing.T, protocol string, handler http.Handler) *restclient.Client {
	t.Helper()
	listener := memorynet.Listen()
	options := restclient.Options{BaseURL: "http://example.com", Timeout: 3 * time.Second}
	if protocol == "HTTP/2" {
		server := faulty.NewHTTP2ServerOn(listener, handler)
		options.BaseURL, options.TLS = "https://example.com", trusting(server)
		t.Cleanup(func() { _ = server.Config.Close() })
	} else {
		server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
	}
	client, err := restclient.New(options)
	if err != nil {
		t.Fatal(err)
	}
	client.SetDial(listener.Dial)
	t.Cleanup(client.Close)
	return client
}
