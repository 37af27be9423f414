package graph_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// examplePage returns a page of 100 CVMs that are the upstream's example. A longer compose file
// replaces its white space, which responses do not have.
func examplePage(tb testing.TB) []byte {
	tb.Helper()
	example, err := os.ReadFile("../restclient/testdata/item.json")
	if err != nil {
		tb.Fatal(err)
	}
	var item struct{ Hosted struct{ ID string } }
	var compact bytes.Buffer
	if err := errors.Join(json.Unmarshal(example, &item), json.Compact(&compact, example)); err != nil {
		tb.Fatal(err)
	}
	const compose = `"docker_compose_file":"`
	longer := compose + strings.Repeat("x", len(example)-compact.Len())
	sized := bytes.Replace(compact.Bytes(), []byte(compose), []byte(longer), 1)
	body := []byte(`{"items":[`)
	for i := range 100 {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, bytes.ReplaceAll(sized, []byte(item.Hosted.ID), fmt.Appendf(nil, "%08x-0000-4000-8000-000000000000", i))...)
	}
	return append(body, `],"total":100,"page":1,"page_size":100,"pages":1}`...)
}

// newExampleGateway returns the address of a gateway whose list is the example page. The gateway
// has the page cached, or calls the upstream for each request.
func newExampleGateway(tb testing.TB, page []byte, cached bool) string {
	tb.Helper()
	request := restclient.PageRequest{Page: 1, PageSize: 100}
	indexed, err := pages.NewUpstreamFunc(restclient.ShapeHosted, nil).Page(page, request)
	if err != nil {
		tb.Fatal(err)
	}
	g := &gateway{timeout: upstreamTimeout}
	g.serve(tb, rawUpstream(tb, map[int][]byte{100: page}), func(r *graph.Resolver) {
		if r.Projection = true; cached {
			r.Pages = &cachedPages{map[restclient.PageRequest]*pages.Page{request: indexed}}
		}
	})
	return listen(tb, g.handler)
}

// connectionsOf returns an operation with n connections, each with all fields of 100 CVMs. The
// response has about n half megabytes.
func connectionsOf(tb testing.TB, n int) string {
	tb.Helper()
	query := "{"
	for i := range n {
		query += fmt.Sprintf(" c%d: cvms(first: 100) { nodes { ...f } }", i)
	}
	return query + " } fragment f on Cvm { " + allFields(tb) + " }"
}

// TestAllocations_largeResponse checks that no new memory is needed for a response of up to 4 MB.
func TestAllocations_largeResponse(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	page := examplePage(t)
	for name, test := range map[string]struct {
		connections int
		called      bool
		gzip        bool
		most        budget
	}{
		"100 CVMs":                 {connections: 1, most: budget{130, 20_000}},
		"200 CVMs":                 {connections: 2, most: budget{250, 25_000}},
		"700 CVMs":                 {connections: 7, most: budget{450, 45_000}},
		"100 CVMs, gzipped":        {connections: 1, gzip: true, most: budget{130, 20_000}},
		"100 CVMs of the upstream": {connections: 1, called: true, most: budget{230, 1.25*float64(len(page)) + 28_000}},
	} {
		c := newRawCaller(t, newExampleGateway(t, page, !test.called), connectionsOf(t, test.connections))
		if test.gzip {
			c.request = bytes.Replace(c.request, []byte("\r\n\r\n"), []byte("\r\nAccept-Encoding: gzip\r\n\r\n"), 1)
		}
		got := allocated(func() { c.call(t) })
		t.Logf("%s: %.0f allocations, %.0f bytes, for a response of %d", name, got.allocations, got.bytes, c.size)
		if !test.gzip && c.size < test.connections*500_000 {
			t.Errorf("%s: got a response of %d bytes, want at least %d", name, c.size, test.connections*500_000)
		}
		if got.allocations > test.most.allocations || got.bytes > test.most.bytes {
			t.Errorf("%s: got %+v, want at most %+v", name, got, test.most)
		}
	}
}

// TestAllocations_largeResponsesAtOnce checks the allocations of 16 callers at once, while the
// garbage collector runs.
func TestAllocations_largeResponsesAtOnce(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	const callers, warm, runs = 16, 5, 60
	address, query := newExampleGateway(t, examplePage(t), true), connectionsOf(t, 3)
	all := make([]*rawCaller, callers)
	for i := range all {
		all[i] = newRawCaller(t, address, query)
	}
	call := func(times int) {
		var group sync.WaitGroup
		for _, c := range all {
			group.Go(func() {
				for range times {
					c.call(t)
				}
			})
		}
		group.Wait()
	}
	call(warm)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call(runs)
	runtime.ReadMemStats(&after)
	got := float64(after.TotalAlloc-before.TotalAlloc) / (callers * runs)
	t.Logf("%.0f bytes a request, %d collections", got, after.NumGC-before.NumGC)
	// A caller can need a buffer of 2 MB that others have not allocated before, which is 35 KB a
	// request.
	if got > 100_000 {
		t.Errorf("got %.0f bytes a request, want at most 100000", got)
	}
}

func BenchmarkLargeResponse(b *testing.B) {
	page := examplePage(b)
	for _, connections := range []int{1, 2, 7} {
		b.Run(fmt.Sprintf("CVMs=%d", connections*100), func(b *testing.B) {
			c := newRawCaller(b, newExampleGateway(b, page, true), connectionsOf(b, connections))
			b.ReportAllocs()
			for b.Loop() {
				c.call(b)
			}
			b.SetBytes(int64(c.size))
		})
	}
}
