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

// repeating is a gateway that keeps pages and answers.
type repeating struct {
	*gateway
	hits atomic.Int64
	size func() (answers int, bytes uint64)
}

func newRepeating(tb testing.TB, upstream http.Handler, bytes uint64, options pages.CacheOptions) *repeating {
	tb.Helper()
	options.MaxBytes = 16 << 20
	g := &repeating{gateway: &gateway{timeout: patience, cache: options}}
	g.over(tb, upstream, func(r *graph.Resolver) {
		r.ResponseCache = graphqlhttp.ResponseCacheOptions{
			MaxBytes: bytes, TTL: options.TTL,
			Hit:   func() { g.hits.Add(1) },
			Watch: func(size func() (int, uint64)) { g.size = size },
		}
	})
	return g
}

// repeated says whether the next request is answered as one before was.
func (g *repeating) repeated(ask func()) bool {
	before := g.hits.Load()
	ask()
	return g.hits.Load() > before
}

// documents sends so many operations of a name, each in a document of 200 KB.
func (g *gateway) documents(t *testing.T, n int, fields string) {
	t.Helper()
	padding := strings.Repeat("x", 200<<10)
	for i := range n {
		query := fmt.Sprintf("query Named { %s } #%d%s", fields, i, padding)
		for range 3 { // so that what comes again is kept
			if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
				t.Fatalf("got errors %+v", a.Errors)
			}
		}
	}
}

// TestResponseCache_keepsNoDocument holds that what is kept of a request is not a part of its document, which would be kept whole.
func TestResponseCache_keepsNoDocument(t *testing.T) { //nolint:paralleltest // what others allocate would count
	g := newRepeating(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Hour})
	g.documents(t, 40, "cvms(first: 1) { totalCount }") // the caches of parsed documents have their fill
	before := heap()
	g.documents(t, 200, "cvms(first: 1) { totalCount }")
	if got := heap() - before; got > 8<<20 {
		t.Errorf("got %d MiB more, want at most 8", got>>20)
	}
	if answers, _ := g.size(); answers < 200 {
		t.Errorf("got %d answers kept, want 200", answers)
	}
}

// heap returns what is in use of it, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what has a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestResponseCache_sameResponse(t *testing.T) {
	t.Parallel()
	const fields = `{ totalCount pageInfo { endCursor hasNextPage } edges { cursor node { id name ports: hosted { configuration { ports { vmPort } } } } } }`
	g := newRepeating(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Minute})
	first := g.post(t, `{ cvms(first: 130) `+fields+` }`, nil, nil).cvms(t)
	for name, query := range map[string]string{
		"a window":        `{ cvms(first: 7) ` + fields + ` }`,
		"several pages":   `{ cvms(first: 130) ` + fields + ` }`,
		"behind a cursor": `{ cvms(first: 3, after: "` + first.Edges[20].Cursor + `") ` + fields + ` }`,
		"several fields":  `{ __typename a: cvms(first: 2) ` + fields + ` b: cvms(last: 2) ` + fields + ` }`,
		"the total":       `{ cvms { totalCount } }`,
		"lookups":         `{ node(id: "` + first.Edges[3].Node.ID + `") { id } nodes(ids: ["` + first.Edges[120].Node.ID + `"]) { id } }`,
	} {
		want := g.post(t, query, nil, nil)
		for i := range 4 {
			var got answer
			repeated := g.repeated(func() { got = g.post(t, query, nil, nil) })
			if i > 1 && !repeated {
				t.Errorf("%s, again for the %d. time: it was executed", name, i+1)
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
		code   string // of the error, if it is one
		change func(*repeating, *clock, *atomic.Int64)
	}{
		"no-cache":              {query, with("Cache-Control", "no-cache"), "", nil},
		"one that is explained": {query, with("X-Cvmgraph-Explain", "1"), "", nil},
		"another credential":    {query, http.Header{"Authorization": {"Bearer " + tenant().Bearer + "2"}}, "", nil},
		"the same as a key":     {query, http.Header{"X-Api-Key": {tenant().Bearer}}, "", nil},
		"another workspace":     {query, with("X-Phala-Workspace", "w"), "", nil},
		"no credential":         {query, http.Header{}, "UNAUTHENTICATED", nil},
		"another text":          {query + " ", own, "", nil},
		"a page that is old":    {query, own, "", func(_ *repeating, now *clock, _ *atomic.Int64) { now.advance(time.Minute) }},
		"a page that was replaced": {query, own, "", func(g *repeating, _ *clock, _ *atomic.Int64) {
			g.post(t, query, nil, with("Cache-Control", "no-cache"))
		}},
		"a credential that was refused": {query, own, "UNAUTHENTICATED", func(g *repeating, _ *clock, status *atomic.Int64) {
			status.Store(http.StatusUnauthorized)
			g.post(t, `{ cvms(first: 3, nodeId: 1) { nodes { id } } }`, nil, nil)
		}},
		"what has no pages": {`{ __typename }`, own, "", nil},
		"an error":          {`{ cvms(first: -1) { totalCount } }`, own, "BAD_USER_INPUT", nil},
		"a part of one":     {`{ cvms(first: 3) { totalCount } node(id: "x") { id } }`, own, "BAD_USER_INPUT", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := demo.New(demo.Options{})
			var status atomic.Int64
			now := newClock()
			g := newRepeating(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if code := status.Load(); code != 0 {
					w.WriteHeader(int(code))
					return
				}
				list.ServeHTTP(w, r)
			}), 4<<20, pages.CacheOptions{TTL: time.Minute, Now: now.Now})
			for range 4 {
				g.post(t, query, nil, own)
			}
			if !g.repeated(func() { g.post(t, query, nil, own) }) {
				t.Fatal("the same request is executed")
			}
			if test.change != nil {
				test.change(g, now, &status)
			} else {
				for range 3 { // what may be kept of it is
					g.post(t, query, nil, own)
				}
			}
			var a answer
			if g.repeated(func() { a = g.post(t, test.query, nil, test.header) }) {
				t.Errorf("got an answer from before: %.200s", a.raw)
			}
			if test.code == "" && len(a.Errors) > 0 || test.code != "" && a.onlyError(t).code() != test.code {
				t.Errorf("got the errors %v, want %q", a.Errors, test.code)
			}
		})
	}
}

func TestResponseCache_get(t *testing.T) {
	t.Parallel()
	g := newRepeating(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Minute})
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
	if !g.repeated(func() {
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

// Callers with credentials that look alike ask for the same, over and over, while some of them are refused: each sees a list of its own.
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
	g := newRepeating(t, upstream, 1<<20, pages.CacheOptions{TTL: time.Second})
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
	var wrong, answered atomic.Int64
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
					answered.Add(1)
				case !bytes.HasPrefix(w.Body.Bytes(), []byte(`{"errors":`)):
					wrong.Add(1)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d requests, %d answered, %d as one before", requests, answered.Load(), g.hits.Load())
	if wrong.Load() > 0 {
		t.Errorf("got %d answers that are not the caller's", wrong.Load())
	}
	if answered.Load() < int64(requests)*9/10 || g.hits.Load() < int64(requests)/20 {
		t.Errorf("got %d answers, %d of them as one before: that tests nothing", answered.Load(), g.hits.Load())
	}
}

func TestResponseCache_size(t *testing.T) {
	t.Parallel()
	const most = 256 << 10
	g := newRepeating(t, demo.New(demo.Options{}), most, pages.CacheOptions{TTL: time.Minute})
	for i := range 300 {
		query := fmt.Sprintf(`{ cvms(first: %d) { nodes { id name status } } }`, i%90+1)
		for range 3 {
			g.post(t, query+strings.Repeat(" ", i/90), nil, nil)
		}
	}
	answers, bytes := g.size()
	if answers == 0 || bytes > most*11/10 {
		t.Errorf("got %d answers of %d bytes, want at most %d bytes", answers, bytes, most)
	}
}
