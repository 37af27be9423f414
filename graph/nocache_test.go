package graph_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/testmode"
)

// versionedList is an upstream list whose items all show the version of the list in their names.
type versionedList struct {
	mu      sync.Mutex
	version int
	next    int   // the number of the next new item
	items   []int // numbers
}

func newVersionedList(size int) *versionedList {
	l := &versionedList{}
	for range size {
		l.items, l.next = append(l.items, l.next), l.next+1
	}
	return l
}

// edit changes the list and its version.
func (l *versionedList) edit(change func(items []int, next int) []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = change(l.items, l.next)
	l.next++
	l.version++
}

func (l *versionedList) insertAtHead() {
	l.edit(func(items []int, next int) []int { return slices.Insert(items, 0, next) })
}

func (l *versionedList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	var items []string
	for _, number := range l.items[min((page-1)*size, len(l.items)):min(page*size, len(l.items))] {
		items = append(items, fmt.Sprintf(`{"hosted":{"id":"vm-%d"},"name":"version %d"}`, number, l.version))
	}
	_, _ = fmt.Fprintf(w, `{"items":[%s],"total":%d,"page":%d,"page_size":%d,"pages":%d}`,
		strings.Join(items, ","), len(l.items), page, size, (len(l.items)+size-1)/size)
}

// oldest returns the oldest version of the list that a response shows. It returns false if the
// response shows no item.
func oldest(t *testing.T, a response) (version int, ok bool) {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("got %+v, want no errors", a.Errors)
	}
	for _, part := range strings.Split(a.raw, `"version `)[1:] {
		number, _, _ := strings.Cut(part, `"`)
		shown, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || shown < version {
			version, ok = shown, true
		}
	}
	return version, ok
}

func TestCache_neverBackInTimeAfterNoCache(t *testing.T) {
	t.Parallel()
	const window = `query($first: Int, $last: Int, $after: String) {
		cvms(first: $first, last: $last, after: $after) { totalCount nodes { id name } pageInfo { endCursor } } }`
	for name, tt := range map[string]struct {
		older     string // what is cached before the change
		olderArgs vars
		fresh     vars // the window that is loaded with no-cache
		query     string
		args      vars
	}{
		"a wider older page":         {older: window, olderArgs: vars{"first": 31}, fresh: vars{"first": 10}, query: window, args: vars{"first": 10}},
		"an equal window":            {older: window, olderArgs: vars{"first": 10}, fresh: vars{"first": 10}, query: window, args: vars{"first": 10}},
		"a narrower older page":      {older: window, olderArgs: vars{"first": 5}, fresh: vars{"first": 10}, query: window, args: vars{"first": 5}},
		"another range":              {older: window, olderArgs: vars{"first": 60}, fresh: vars{"first": 10}, query: window, args: vars{"first": 60}},
		"the end of the list":        {older: window, olderArgs: vars{"last": 20}, fresh: vars{"first": 10}, query: window, args: vars{"last": 20}},
		"several pages":              {older: window, olderArgs: vars{"first": 250}, fresh: vars{"first": 150}, query: window, args: vars{"first": 250}},
		"a lookup":                   {older: window, olderArgs: vars{"first": 31}, fresh: vars{"first": 10}, query: `{ cvm(vmId: "vm-20") { name } }`},
		"a lookup of a deleted item": {older: window, olderArgs: vars{"first": 31}, fresh: vars{"first": 10}, query: `{ nodes(ids: ["Q3ZtOnZtLTA", "Q3ZtOnZtLTIw"]) { ... on Cvm { name } } }`},
		"after a lookup":             {older: `{ cvm(vmId: "vm-3") { name } }`, fresh: vars{"first": 10}, query: `{ cvm(vmId: "vm-3") { name } }`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := newVersionedList(300)
			g := cachingGateway(t, list, pages.CacheOptions{TTL: time.Hour})
			g.post(t, tt.older, tt.olderArgs, nil)
			list.edit(func(items []int, next int) []int {
				items[0] = next // the item vm-0 is replaced
				return items
			})
			g.post(t, window, tt.fresh, uncached())
			for range 4 { // the later ones may be cached responses
				if version, ok := oldest(t, g.post(t, tt.query, tt.args, nil)); !ok || version < 1 {
					t.Errorf("got version %d, %t, want the version of the response with no-cache", version, ok)
				}
			}
		})
	}
}

// TestCache_pagesOfNoCacheAreCached loads several pages with no-cache. They serve the same window
// again.
func TestCache_pagesOfNoCacheAreCached(t *testing.T) {
	t.Parallel()
	g := cachingGateway(t, newVersionedList(400), pages.CacheOptions{TTL: time.Hour})
	for _, first := range []int{250, 10, 90} {
		g.post(t, cvmsQuery, vars{"first": first}, uncached())
		g.takeCalls()
		g.post(t, cvmsQuery, vars{"first": first}, nil)
		if calls := g.takeCalls(); len(calls) > 0 {
			t.Errorf("first: %d: got the calls %q, want none", first, calls)
		}
	}
}

// TestCache_randomRequestsWithNoCache changes a list between random requests of one caller.
func TestCache_randomRequestsWithNoCache(t *testing.T) {
	t.Parallel()
	for seed := range testmode.Count(30, 300) {
		random := rand.New(rand.NewPCG(uint64(seed), 5))
		list := newVersionedList(1 + random.IntN(260))
		g := cachingGateway(t, list, pages.CacheOptions{TTL: time.Duration(random.IntN(2)) * time.Hour})
		lowest := 0
		var cursor *string
		for step := range 40 {
			list.edit(func(items []int, next int) []int {
				switch at := random.IntN(len(items)); random.IntN(4) {
				case 0:
					return slices.Insert(items, at, next)
				case 1:
					items[at] = next
				case 2:
					return slices.Insert(items, 0, next)
				}
				return items
			})
			query := `query($first: Int, $last: Int, $after: String) { cvms(first: $first, last: $last, after: $after) {
				nodes { id name } pageInfo { endCursor } } }`
			variables := vars{"first": 1 + random.IntN(150)}
			switch random.IntN(4) {
			case 0:
				variables = vars{"last": 1 + random.IntN(150)}
			case 1:
				variables["after"] = cursor
			case 2:
				query = fmt.Sprintf(`{ cvm(vmId: "vm-%d") { name } }`, random.IntN(list.next))
				variables = nil
			}
			var header http.Header
			fresh := random.IntN(4) == 0
			if fresh {
				header = uncached()
			}
			a := g.post(t, query, variables, header)
			version, ok := oldest(t, a)
			if ok && version < lowest {
				t.Fatalf("seed %d, step %d: %s %v: got version %d after a response with no-cache of version %d",
					seed, step, query, variables, version, lowest)
			}
			if fresh {
				lowest = list.version
			}
			if a.Data["cvms"] != nil {
				cursor = a.cvms(t).PageInfo.EndCursor
			}
		}
	}
}

// TestCache_callInFlightDuringNoCache delays a call that began before a response with no-cache
// until that response is complete. Later requests do not get its page.
func TestCache_callInFlightDuringNoCache(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, time.Hour} {
		list := newVersionedList(50)
		held, release := make(chan struct{}), make(chan struct{})
		var calls atomic.Int64
		g := cachingGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if calls.Add(1) == 1 {
				recorder := newRecorder()
				list.ServeHTTP(recorder, r)
				close(held)
				<-release
				_, _ = w.Write(recorder.body)
				return
			}
			list.ServeHTTP(w, r)
		}), pages.CacheOptions{TTL: ttl})
		g.within = 10 * time.Second // those who wait for the held call fail
		const query = `{ cvms(first: 31) { nodes { name } } }`
		var group sync.WaitGroup
		group.Go(func() { g.post(t, query, nil, nil) })
		<-held
		list.insertAtHead()
		if version, _ := oldest(t, g.post(t, `{ cvms(first: 10) { nodes { name } } }`, nil, uncached())); version != 1 {
			t.Errorf("no-cache: got version %d, want 1", version)
		}
		for range 3 {
			if version, _ := oldest(t, g.post(t, query, nil, nil)); version != 1 {
				t.Errorf("TTL %v: got version %d while an older call is in flight, want 1", ttl, version)
			}
		}
		close(release)
		group.Wait()
		for range 3 {
			if version, _ := oldest(t, g.post(t, query, nil, nil)); version != 1 {
				t.Errorf("TTL %v: got version %d after the older call, want 1", ttl, version)
			}
		}
	}
}

// newRecorder returns a ResponseWriter that records the body.
func newRecorder() *capture { return &capture{header: make(http.Header)} }

// TestCache_staleAfterNoCache fails the upstream after a response with no-cache. An older page does
// not replace the failed one.
func TestCache_staleAfterNoCache(t *testing.T) {
	t.Parallel()
	list := newVersionedList(50)
	var down atomic.Bool
	now := newClock()
	g := cachingGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		list.ServeHTTP(w, r)
	}), pages.CacheOptions{TTL: time.Second, StaleIfError: time.Hour, Now: now.Now})
	const query = `query($first: Int) { cvms(first: $first) { nodes { name } } }`
	g.post(t, query, vars{"first": 31}, nil)
	list.insertAtHead()
	now.advance(time.Millisecond)
	header := uncached()
	g.post(t, query, vars{"first": 10}, header)
	now.advance(time.Minute)
	down.Store(true)
	if version, _ := oldest(t, g.post(t, query, vars{"first": 10}, nil)); version != 1 {
		t.Errorf("got version %d, want the page of the response with no-cache", version)
	}
	if a := g.post(t, query, vars{"first": 31}, nil); a.onlyError(t).code() != "UPSTREAM_ERROR" {
		t.Errorf("an older page: got %s, want UPSTREAM_ERROR", a.raw)
	}
}
