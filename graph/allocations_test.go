package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// workloads are the operations whose costs are compared: a few fields of 20 CVMs (a), two fields of
// 100 (b), all fields of 100 (c), and the selection of a client that pages (r).
func workloads(tb testing.TB) map[string]string {
	tb.Helper()
	return map[string]string{
		"r": `{ cvms(first: 20) { edges { cursor node { id name status __typename } } pageInfo { endCursor hasNextPage } } }`,
		"a": `{ cvms(first: 20) { edges { node { id name status memory hosted { uptime } node { name } } } } }`,
		"b": `{ cvms(first: 100) { edges { node { name status } } } }`,
		"c": `{ cvms(first: 100) { edges { node { ` + allFields(tb) + ` } } } }`,
	}
}

// cachedPages is a source that has only cached pages.
type cachedPages struct {
	pages map[restclient.PageRequest]*pages.Page
}

func newCachedPages(tb testing.TB) *cachedPages {
	tb.Helper()
	upstream := httptest.NewServer(demo.New(demo.Options{}))
	tb.Cleanup(upstream.Close)
	client, err := restclient.New(restclient.Options{BaseURL: upstream.URL + demo.BasePath})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	source := pages.NewUpstream(client)
	cached := &cachedPages{make(map[restclient.PageRequest]*pages.Page)}
	for _, size := range []int{1, 20, 100} {
		request := restclient.PageRequest{Page: 1, PageSize: size}
		if cached.pages[request], _, err = source.Fetch(tb.Context(), restclient.NewCredential(restclient.Headers{Authorization: "Bearer budget"}), request); err != nil {
			tb.Fatal(err)
		}
	}
	return cached
}

func (h *cachedPages) CredentialKey(restclient.Credential) pages.CredentialKey {
	return pages.CredentialKey{}
}

func (h *cachedPages) CachedPages(dst []relay.CachedPage, _ pages.CredentialKey, _ restclient.Filter, _ time.Time) []relay.CachedPage {
	return dst
}

func (h *cachedPages) Cached(_ pages.CredentialKey, request restclient.PageRequest) (pages.FetchResult, bool) {
	page, ok := h.pages[request]
	return pages.FetchResult{Page: page, Request: request, Cached: true}, ok
}

func (h *cachedPages) Fetch(_ context.Context, request pages.FetchRequest) (pages.FetchResult, error) {
	return pages.FetchResult{}, fmt.Errorf("no page for %+v", request.PageRequest)
}

func (h *cachedPages) Supersede(context.Context, pages.CredentialKey, restclient.Filter, time.Time, []pages.FetchResult) {
}

// sink discards a response and records its size.
type sink struct {
	header http.Header
	status int
	size   int
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) Write(b []byte) (int, error) {
	s.size += len(b)
	return len(b), nil
}

func (s *sink) WriteHeader(status int) { s.status = status }

// caller sends one operation repeatedly.
type caller struct {
	handler  http.Handler
	request  *http.Request
	body     *bytes.Reader
	response *sink
}

func newCaller(tb testing.TB, handler http.Handler, query string) *caller {
	tb.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		tb.Fatal(err)
	}
	c := &caller{handler: handler, body: bytes.NewReader(body), response: &sink{header: make(http.Header)}}
	c.request = httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "/graphql", nil)
	c.request.Header.Set("Content-Type", "application/json")
	c.request.Header.Set("Authorization", "Bearer budget")
	c.request.ContentLength = int64(len(body))
	c.request.Body = io.NopCloser(c.body)
	return c
}

func (c *caller) call(tb testing.TB) {
	tb.Helper()
	_, _ = c.body.Seek(0, io.SeekStart)
	clear(c.response.header)
	c.response.size = 0
	c.handler.ServeHTTP(c.response, c.request)
	if c.response.status != http.StatusOK || c.response.size < 1000 {
		tb.Fatalf("got status %d and %d bytes", c.response.status, c.response.size)
	}
}

// TestAllocations_cachedPage checks the allocations of an operation whose page is cached.
func TestAllocations_cachedPage(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	operations := workloads(t)
	for name, most := range map[string]budget{
		"a": {90, 6900},
		"b": {90, 6900},
		"c": {110, 17000},
		"r": {95, 7000},
	} {
		g := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) {
			r.Pages, r.Projection = newCachedPages(t), true
		})
		c := newCaller(t, g.handler, operations[name])
		got := allocated(func() { c.call(t) })
		t.Logf("%s: %.0f allocations, %.0f bytes", name, got.allocations, got.bytes)
		if got.allocations > most.allocations || got.bytes > most.bytes {
			t.Errorf("%s: got %+v, want at most %+v", name, got, most)
		}
	}
}

// budget is a number of allocations and their total size, in bytes.
type budget struct{ allocations, bytes float64 }

// allocated returns the allocations of a run after some runs to warm up.
func allocated(run func()) budget {
	const runs = 200
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a garbage collection empties the pools
	for range 20 {
		run()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		run()
	}
	runtime.ReadMemStats(&after)
	return budget{math.Floor(float64(after.Mallocs-before.Mallocs) / runs), float64(after.TotalAlloc-before.TotalAlloc) / runs}
}

func BenchmarkHandler(b *testing.B) {
	for name, query := range workloads(b) {
		for _, projected := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/projection=%t", name, projected), func(b *testing.B) {
				g := newGateway(b, http.NotFoundHandler(), func(r *graph.Resolver) {
					r.Pages, r.Projection = newCachedPages(b), projected
				})
				c := newCaller(b, g.handler, query)
				b.ReportAllocs()
				for b.Loop() {
					c.call(b)
				}
				b.SetBytes(int64(c.response.size))
			})
		}
	}
}

// allFields returns the selection of all fields of Cvm.
func allFields(tb testing.TB) string {
	tb.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: publicSchema(tb)})
	var selection func(typeName string) string
	selection = func(typeName string) string {
		var fields []string
		for _, field := range schema.Types[typeName].Fields {
			text := field.Name
			if below := schema.Types[field.Type.Name()]; below.Kind == ast.Object {
				text += " { " + selection(below.Name) + " }"
			}
			fields = append(fields, text)
		}
		return strings.Join(fields, " ")
	}
	return selection("Cvm")
}

func publicSchema(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// BenchmarkUncachedDocument sends documents that the gateway has not parsed before.
func BenchmarkUncachedDocument(b *testing.B) {
	for name, query := range workloads(b) {
		b.Run(name, func(b *testing.B) {
			g := newGateway(b, http.NotFoundHandler(), func(r *graph.Resolver) {
				r.Pages, r.Projection = newCachedPages(b), true
			})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				c := newCaller(b, g.handler, fmt.Sprintf("%s # %d", query, i))
				b.StartTimer()
				c.call(b)
			}
		})
	}
}
