package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
)

// cachingGateway returns a gateway that caches pages.
func cachingGateway(t *testing.T, upstream http.Handler, options pages.CacheOptions) *gateway {
	t.Helper()
	return cachingGatewayOf(t, "", upstream, options)
}

// cachingGatewayOf returns a caching gateway that requests an API version.
func cachingGatewayOf(t *testing.T, version string, upstream http.Handler, options pages.CacheOptions) *gateway {
	t.Helper()
	options.MaxBytes = 16 << 20
	g := &gateway{version: version, timeout: upstreamTimeout, cache: options}
	g.serveRecorded(t, upstream)
	return g
}

// clock is a clock that the test advances.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestCache_windowOnCachedPages(t *testing.T) {
	t.Parallel()
	g := cachingGateway(t, demo.New(demo.Options{}), pages.CacheOptions{TTL: time.Minute})
	all := g.post(t, `{ cvms(first: 100) { edges { cursor node { id } } } }`, nil, nil)
	cursor := all.cvms(t).Edges[29].Cursor
	g.takeCalls()
	for name, query := range map[string]string{
		"the same window":                 `{ cvms(first: 100) { nodes { id } } }`,
		"a smaller window":                `{ cvms(first: 20) { nodes { name } } }`,
		"a window after a cursor":         `{ cvms(first: 30, after: "` + cursor + `") { nodes { id } } }`,
		"a window before a cursor":        `{ cvms(last: 10, before: "` + cursor + `") { nodes { id } } }`,
		"windows far from their cursor":   `{` + strings.Repeat(` #: cvms(last: 5, after: "`+cursor+`", before: "`+all.cvms(t).Edges[80].Cursor+`") { nodes { id } }`, 8) + ` }`,
		"the total":                       `{ cvms { totalCount } }`,
		"a lookup of an item on the page": `{ node(id: "` + all.cvms(t).Edges[50].Node.ID + `") { id } }`,
	} {
		for i := range 8 {
			query = strings.Replace(query, "#", fmt.Sprintf("f%d", i), 1)
		}
		if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
			t.Errorf("%s: got %v", name, a.Errors)
		}
		if calls := g.takeCalls(); len(calls) > 0 {
			t.Errorf("%s: got the calls %v, want none", name, calls)
		}
	}
	g.post(t, `{ cvms(first: 30, nodeId: 1) { nodes { id } } }`, nil, nil)
	if calls := g.takeCalls(); len(calls) != 1 {
		t.Errorf("another list: got %d calls, want 1", len(calls))
	}
}

func TestCache_noCacheHeader(t *testing.T) {
	t.Parallel()
	g := cachingGateway(t, demo.New(demo.Options{}), pages.CacheOptions{TTL: time.Minute})
	query := `{ cvms(first: 20) { nodes { id } } }`
	for i, want := range []int{1, 0} {
		g.post(t, query, nil, nil)
		if calls := g.takeCalls(); len(calls) != want {
			t.Errorf("request %d: got %d calls, want %d", i, len(calls), want)
		}
	}
	for i, want := range []int{1, 1} {
		g.post(t, query, nil, http.Header{"Authorization": {"Bearer " + tenant().Bearer}, "Cache-Control": {"max-age=0, No-Cache"}})
		if calls := g.takeCalls(); len(calls) != want {
			t.Errorf("request %d with no-cache: got %d calls, want %d", i, len(calls), want)
		}
	}
	g.post(t, query, nil, nil)
	if calls := g.takeCalls(); len(calls) != 0 {
		t.Errorf("after it: got %d calls, want its page", len(calls))
	}
}

func TestCache_stalePages(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	var status atomic.Int64
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := status.Load(); code != 0 {
			w.WriteHeader(int(code))
			return
		}
		list.ServeHTTP(w, r)
	})
	now := newClock()
	g := cachingGateway(t, upstream, pages.CacheOptions{TTL: time.Second, StaleIfError: time.Hour, Now: now.Now})
	query := `{ cvms(first: 20) { nodes { id } } }`
	fresh := g.post(t, query, nil, nil)
	now.advance(time.Minute)
	status.Store(http.StatusBadGateway)
	stale := g.post(t, query, nil, nil)
	if len(stale.Errors) > 0 || string(stale.Data["cvms"]) != string(fresh.Data["cvms"]) {
		t.Errorf("got %v and %.80s, want the older page", stale.Errors, stale.Data["cvms"])
	}
	if got := stale.raw; !strings.Contains(got, `"extensions":{"stale":{"age":60}}`) {
		t.Errorf("got %s, want the age in its extensions", got[max(len(got)-200, 0):])
	}
	status.Store(http.StatusUnauthorized)
	if a := g.post(t, query, nil, nil); a.onlyError(t).code() != "UNAUTHENTICATED" {
		t.Errorf("a rejected credential: got %v", a.Errors)
	}
	status.Store(http.StatusBadGateway)
	if a := g.post(t, query, nil, nil); a.onlyError(t).code() != "UPSTREAM_ERROR" {
		t.Errorf("after that: got %v, want no older page", a.Errors)
	}
}
