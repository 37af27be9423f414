package graph_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/testmode"
)

// cachedGateway is a gateway that caches pages and responses.
type cachedGateway struct {
	*gateway
	hits atomic.Int64
	size func() (responses int, bytes uint64)
}

func newCachedGateway(tb testing.TB, upstream http.Handler, bytes uint64, options pages.CacheOptions) *cachedGateway {
	tb.Helper()
	options.MaxBytes = 16 << 20
	g := &cachedGateway{gateway: &gateway{timeout: upstreamTimeout, cache: options}}
	g.serveRecorded(tb, upstream, func(r *graph.Resolver) {
		r.ResponseCache = graphqlhttp.ResponseCacheOptions{
			MaxBytes: bytes, TTL: options.TTL,
			Hit:   func() { g.hits.Add(1) },
			Watch: func(size func() (int, uint64)) { g.size = size },
		}
	})
	return g
}

// hit reports whether the response to the next request came from the response cache.
func (g *cachedGateway) hit(ask func()) bool {
	before := g.hits.Load()
	ask()
	return g.hits.Load() > before
}

// documents sends n operations of the same name, each in another document of 200 KB.
func (g *gateway) documents(t *testing.T, n int, fields string) {
	t.Helper()
	padding := strings.Repeat("x", 200<<10)
	for i := range n {
		query := fmt.Sprintf("query Named { %s } #%d%s", fields, i, padding)
		for range 3 { // the second response is cached
			if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
				t.Fatalf("got errors %+v", a.Errors)
			}
		}
	}
}

// TestResponseCache_keepsNoDocument checks that no cached string is a part of a document, which
// would stay in memory as a whole.
func TestResponseCache_keepsNoDocument(t *testing.T) { //nolint:paralleltest // what others allocate would count
	g := newCachedGateway(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Hour})
	g.documents(t, 40, "cvms(first: 1) { totalCount }") // fills the caches of documents
	before := heap()
	g.documents(t, 200, "cvms(first: 1) { totalCount }")
	if got := heap() - before; got > 8<<20 {
		t.Errorf("got %d MiB more, want at most 8", got>>20)
	}
	if responses, _ := g.size(); responses < 200 {
		t.Errorf("got %d cached responses, want 200", responses)
	}
}

// heap returns the size of the objects on the heap, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC() // frees objects with finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestResponseCache_sameResponse(t *testing.T) {
	t.Parallel()
	const fields = `{ totalCount pageInfo { endCursor hasNextPage } edges { cursor node { id name ports: hosted { configuration { ports { vmPort } } } } } }`
	g := newCachedGateway(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Minute})
	first := g.post(t, `{ cvms(first: 130) `+fields+` }`, nil, nil).cvms(t)
	for name, query := range map[string]string{
		"a window":       `{ cvms(first: 7) ` + fields + ` }`,
		"several pages":  `{ cvms(first: 130) ` + fields + ` }`,
		"after a cursor": `{ cvms(first: 3, after: "` + first.Edges[20].Cursor + `") ` + fields + ` }`,
		"several fields": `{ __typename a: cvms(first: 2) ` + fields + ` b: cvms(last: 2) ` + fields + ` }`,
		"the total":      `{ cvms { totalCount } }`,
		"lookups":        `{ node(id: "` + first.Edges[3].Node.ID + `") { id } nodes(ids: ["` + first.Edges[120].Node.ID + `"]) { id } }`,
	} {
		want := g.post(t, query, nil, nil)
		for i := range 4 {
			var got response
			hit := g.hit(func() { got = g.post(t, query, nil, nil) })
			if i > 1 && !hit {
				t.Errorf("%s, repetition %d: it was executed", name, i+1)
			}
			if got.raw != want.raw || len(want.Errors) > 0 {
				t.Errorf("%s: got %.300s, want %.300s", name, got.raw, want.raw)
			}
		}
	}
}

func TestResponseCache_notUsed(t *testing.T) {
	t.Parallel()
	const query = `{ cvms(first: 20) { nodes { id } } }`
	own := http.Header{"Authorization": {"Bearer " + tenant().Bearer}}
	with := func(name, value string) http.Header {
		header := own.Clone()
		header.Set(name, value)
		return header
	}
	tests := map[string]struct {
		query  string
		header http.Header
		code   string // of the error; empty if there is data
		change func(*cachedGateway, *clock, *atomic.Int64)
	}{
		"no-cache":                     {query: query, header: with("Cache-Control", "no-cache")},
		"with extensions.upstream":     {query: query, header: with("X-Cvmgraph-Explain", "1")},
		"another credential":           {query: query, header: http.Header{"Authorization": {"Bearer " + tenant().Bearer + "2"}}},
		"the same token as an API key": {query: query, header: http.Header{"X-Api-Key": {tenant().Bearer}}},
		"another workspace":            {query: query, header: with("X-Phala-Workspace", "w")},
		"no credential":                {query: query, header: http.Header{}, code: "UNAUTHENTICATED"},
		"another document":             {query: query + " ", header: own},
		"a page that is too old":       {query: query, header: own, change: func(_ *cachedGateway, now *clock, _ *atomic.Int64) { now.advance(time.Minute) }},
		"a page that was replaced": {query: query, header: own, change: func(g *cachedGateway, _ *clock, _ *atomic.Int64) {
			g.post(t, query, nil, with("Cache-Control", "no-cache"))
		}},
		"a credential that was rejected": {query: query, header: own, code: "UNAUTHENTICATED", change: func(g *cachedGateway, _ *clock, status *atomic.Int64) {
			status.Store(http.StatusUnauthorized)
			g.post(t, `{ cvms(first: 3, nodeId: 1) { nodes { id } } }`, nil, nil)
		}},
		"no page":           {query: `{ __typename }`, header: own},
		"an error":          {query: `{ cvms(first: -1) { totalCount } }`, header: own, code: "BAD_USER_INPUT"},
		"an error and data": {query: `{ cvms(first: 3) { totalCount } node(id: "x") { id } }`, header: own, code: "BAD_USER_INPUT"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := demo.New(demo.Options{})
			var status atomic.Int64
			now := newClock()
			g := newCachedGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if code := status.Load(); code != 0 {
					w.WriteHeader(int(code))
					return
				}
				list.ServeHTTP(w, r)
			}), 4<<20, pages.CacheOptions{TTL: time.Minute, Now: now.Now})
			for range 4 {
				g.post(t, query, nil, own)
			}
			if !g.hit(func() { g.post(t, query, nil, own) }) {
				t.Fatal("the same request is executed")
			}
			if test.change != nil {
				test.change(g, now, &status)
			} else {
				for range 3 { // caches what may be cached
					g.post(t, query, nil, own)
				}
			}
			var a response
			if g.hit(func() { a = g.post(t, test.query, nil, test.header) }) {
				t.Errorf("got a cached response: %.200s", a.raw)
			}
			if test.code == "" && len(a.Errors) > 0 || test.code != "" && a.onlyError(t).code() != test.code {
				t.Errorf("got the errors %v, want %q", a.Errors, test.code)
			}
		})
	}
}

func TestResponseCache_get(t *testing.T) {
	t.Parallel()
	g := newCachedGateway(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Minute})
	ask := func(method, media, tag string) *httptest.ResponseRecorder {
		address := "/graphql?query=" + url.QueryEscape(`{ cvms(first: 3) { totalCount } }`)
		request := httptest.NewRequestWithContext(t.Context(), method, address, nil)
		request.Header = http.Header{"Authorization": {"Bearer a"}, "Accept": {media}, "If-None-Match": {tag}}
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, request)
		return w
	}
	want := ask(http.MethodGet, "application/json", "")
	for range 2 {
		ask(http.MethodGet, "application/json", "")
	}
	if !g.hit(func() {
		got := ask(http.MethodGet, "application/graphql-response+json", "")
		if got.Body.String() != want.Body.String() || !strings.HasPrefix(got.Header().Get("Content-Type"), "application/graphql-response+json") {
			t.Errorf("got %s as %s, want %s in the other type", got.Body, got.Header().Get("Content-Type"), want.Body)
		}
	}) {
		t.Error("it was executed")
	}
	tag := want.Header().Get("ETag")
	if got := ask(http.MethodGet, "application/json", tag); got.Code != http.StatusNotModified || tag == "" {
		t.Errorf("with the tag %q: got status %d, want 304", tag, got.Code)
	}
}

// TestResponseCache_callersApart sends the same queries with similar credentials, some of which are
// rejected at times. Each caller must see only its own list.
func TestResponseCache_callersApart(t *testing.T) {
	t.Parallel()
	requests := testmode.Count(5_000, 60_000)
	list := demo.New(demo.Options{})
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rand.IntN(100) == 0 {
			w.WriteHeader([]int{401, 403, 500}[rand.IntN(3)])
			return
		}
		list.ServeHTTP(w, r)
	})
	g := newCachedGateway(t, upstream, 1<<20, pages.CacheOptions{TTL: time.Second})
	alone := newGateway(t, list)
	type ask struct {
		header http.Header
		query  string
		want   string
	}
	var asks []ask
	for _, token := range []string{"a", "A", "aa", "phak_1", "phak_11", "11", "1"} {
		for _, header := range []http.Header{
			{"Authorization": {"Bearer " + token}},
			{"X-Api-Key": {token}},
			{"Authorization": {"Bearer " + token}, "X-Phala-Workspace": {token}},
		} {
			for n := range 3 {
				query := fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id name } } }`, n+1)
				asks = append(asks, ask{header, query, alone.post(t, query, nil, header).raw})
			}
		}
	}
	var group sync.WaitGroup
	var wrong, withData atomic.Int64
	for range 8 {
		group.Go(func() {
			for range requests / 8 {
				a := asks[rand.IntN(len(asks))]
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"`+a.query+`"}`))
				request.Header = a.header.Clone()
				request.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				g.handler.ServeHTTP(w, request)
				switch {
				case w.Body.String() == a.want:
					withData.Add(1)
				case !bytes.HasPrefix(w.Body.Bytes(), []byte(`{"errors":`)):
					wrong.Add(1)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d requests, %d with data, %d from the cache", requests, withData.Load(), g.hits.Load())
	if wrong.Load() > 0 {
		t.Errorf("got %d responses that are not the caller's", wrong.Load())
	}
	if withData.Load() < int64(requests)*9/10 || g.hits.Load() < int64(requests)/20 {
		t.Errorf("got %d responses with data, %d of them from the cache: too few to test anything", withData.Load(), g.hits.Load())
	}
}

func TestResponseCache_size(t *testing.T) {
	t.Parallel()
	const most = 256 << 10
	g := newCachedGateway(t, demo.New(demo.Options{}), most, pages.CacheOptions{TTL: time.Minute})
	for i := range 300 {
		query := fmt.Sprintf(`{ cvms(first: %d) { nodes { id name status } } }`, i%90+1)
		for range 3 {
			g.post(t, query+strings.Repeat(" ", i/90), nil, nil)
		}
	}
	responses, bytes := g.size()
	if responses == 0 || bytes > most*11/10 {
		t.Errorf("got %d responses of %d bytes, want at most %d bytes", responses, bytes, most)
	}
}
