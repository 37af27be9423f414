package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/relaytest"
)

const cvmsQuery = `query($first: Int, $after: String, $last: Int, $before: String) {
	cvms(first: $first, after: $after, last: $last, before: $before) {
		totalCount
		edges { cursor node { id vmId } }
		nodes { id vmId }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
	}
}`

func calls(lo, hi int) int {
	n, _ := relaytest.Cheapest(lo, hi)
	return n
}

func TestConnection_traversalOfUnchangingList(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const total = 1000
			upstream := demo.New(demo.Options{Items: total})
			want := upstream.IDs(tenant())
			for _, n := range []int{1, 7, 30, 50, 99, 100, 101, 250, 1000} {
				t.Run(fmt.Sprintf("forward, %d a page", n), func(t *testing.T) {
					t.Parallel()
					g := newGatewayOf(t, version, upstream)
					var got []string
					var after *string
					for position := -1; ; position = len(got) - 1 {
						page := g.post(t, cvmsQuery, vars{"first": n, "after": after}, nil).cvms(t)
						got = append(got, check(t, page, total, len(got), len(got)+len(page.Edges))...)
						wantCalls := calls(max(position, 0), min(position+1+n, total))
						if got := len(g.takeCalls()); got != wantCalls {
							t.Fatalf("after position %d: got %d upstream calls, want %d", position, got, wantCalls)
						}
						if !page.PageInfo.HasNextPage {
							break
						}
						after = page.PageInfo.EndCursor
					}
					if !slices.Equal(got, want) {
						t.Errorf("got %d CVMs, want the upstream's %d in its order", len(got), len(want))
					}
				})
				t.Run(fmt.Sprintf("backward, %d a page", n), func(t *testing.T) {
					t.Parallel()
					g := newGatewayOf(t, version, upstream)
					var got []string
					var before *string
					for position := total; ; position = total - len(got) {
						page := g.post(t, cvmsQuery, vars{"last": n, "before": before}, nil).cvms(t)
						got = append(check(t, page, total, position-len(page.Edges), position), got...)
						wantCalls := 1 + calls(total-n, total)
						if before != nil {
							wantCalls = calls(max(position-n, 0), position+1)
						}
						if got := len(g.takeCalls()); got != wantCalls {
							t.Fatalf("before position %d: got %d upstream calls, want %d", position, got, wantCalls)
						}
						if !page.PageInfo.HasPreviousPage {
							break
						}
						before = page.PageInfo.StartCursor
					}
					if !slices.Equal(got, want) {
						t.Errorf("got %d CVMs, want the upstream's %d in its order", len(got), len(want))
					}
				})
			}
		})
	}
}

// check compares a page with the positions that it should have. It returns the uuids of its VMs.
func check(t *testing.T, page connection, total, lo, hi int) []string {
	t.Helper()
	if page.TotalCount != total {
		t.Fatalf("totalCount: got %d, want %d", page.TotalCount, total)
	}
	if got, want := page.PageInfo.HasPreviousPage, lo > 0; got != want {
		t.Fatalf("hasPreviousPage at %d to %d: got %v, want %v", lo, hi, got, want)
	}
	if got, want := page.PageInfo.HasNextPage, hi < total; got != want {
		t.Fatalf("hasNextPage at %d to %d: got %v, want %v", lo, hi, got, want)
	}
	if len(page.Nodes) != len(page.Edges) || len(page.Edges) == 0 {
		t.Fatalf("got %d nodes and %d edges, want as many, and some", len(page.Nodes), len(page.Edges))
	}
	if *page.PageInfo.StartCursor != page.Edges[0].Cursor || *page.PageInfo.EndCursor != page.Edges[len(page.Edges)-1].Cursor {
		t.Fatal("startCursor and endCursor: got others than the edges'")
	}
	ids := make([]string, len(page.Edges))
	for i, e := range page.Edges {
		if e.Node != page.Nodes[i] {
			t.Fatalf("node %d: got %v, want the edge's %v", i, page.Nodes[i], e.Node)
		}
		ids[i] = e.Node.VMID
	}
	return ids
}

func TestConnection_sharesPages(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			upstream := demo.New(demo.Options{})
			g := newGatewayOf(t, version, upstream)
			after := g.post(t, cvmsQuery, vars{"first": 9}, nil).cvms(t).PageInfo.EndCursor
			tests := map[string]struct {
				query string
				want  int
			}{
				"one connection":                 {query: `query($a: String) { a: cvms(after: $a) { nodes { name } } }`, want: 1},
				"the same twice":                 {query: `{ a: cvms { nodes { name } } b: cvms { edges { cursor } } }`, want: 1},
				"a window within another":        {query: `{ a: cvms(first: 5) { nodes { name } } b: cvms(first: 50) { nodes { id } } }`, want: 1},
				"a total besides":                {query: `{ a: cvms { totalCount } b: cvms(first: 50) { nodes { id } } }`, want: 1},
				"the total alone, twice":         {query: `{ a: cvms { totalCount } b: cvms(first: 5) { totalCount __typename } }`, want: 1},
				"neighbors":                      {query: `query($a: String) { a: cvms(first: 9) { nodes { name } } b: cvms(first: 9, after: $a) { nodes { id } } }`, want: 1},
				"the last ones know the total":   {query: `{ a: cvms(first: 5) { nodes { name } } b: cvms(last: 5) { nodes { id } } }`, want: 2},
				"fragments":                      {query: `{ a: cvms { ...n } a: cvms { ...e } } fragment n on CvmConnection { nodes { name } } fragment e on CvmConnection { edges { cursor } }`, want: 1},
				"a fragment on the root":         {query: `{ ...q b: cvms(first: 7) { nodes { id } } } fragment q on Query { a: cvms(first: 8) { nodes { id } } }`, want: 1},
				"another filter has other pages": {query: `{ a: cvms(nodeId: 18) { nodes { name } } b: cvms { nodes { name } } c: cvms(userId: "0") { nodes { name } } }`, want: 3},
				"a skipped connection":           {query: `{ a: cvms(first: 5) { nodes { name } } b: cvms(last: 90) @skip(if: true) { nodes { id } } }`, want: 1},
				"an invalid connection":          {query: `{ a: cvms(first: 5) { nodes { name } } b: cvms(first: -1) { nodes { id } } }`, want: 1},
				"several pages, several times":   {query: `{ a: cvms(first: 300) { nodes { id } } b: cvms(first: 290) { nodes { id } } c: cvms(first: 150) { nodes { id } } }`, want: 4},
				"the last ones, several times":   {query: `{ a: cvms(last: 50) { nodes { id } } b: cvms(last: 45) { nodes { id } } c: cvms(last: 30) { nodes { id } } }`, want: 2},
				"no connection":                  {query: `{ __typename __schema { queryType { name } } }`, want: 0},
			}
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					for range 5 { // fields are resolved in any order
						g := newGatewayOf(t, version, upstream)
						a := g.post(t, test.query, vars{"a": after}, nil)
						if a.Data == nil {
							t.Fatalf("got no data: %s", a.raw)
						}
						if calls := g.takeCalls(); len(calls) != test.want {
							t.Errorf("got the upstream calls %q, want %d", calls, test.want)
						}
					}
				})
			}
		})
	}
}

func TestConnection_pageWithWholeList(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{Items: 60}))
	a := g.post(t, `{ a: cvms(first: 100) { nodes { id } } b: cvms(last: 5) { nodes { id } } c: cvms { totalCount } d: cvm(vmId: "none") { id } }`, nil, nil)
	if len(a.Errors) > 0 || strings.Count(a.raw, `"id"`) != 65 {
		t.Errorf("got %.300s, want 60 and 5 CVMs", a.raw)
	}
	if calls := g.takeCalls(); len(calls) != 1 {
		t.Errorf("got the calls %q, want one", calls)
	}
}

func TestConnection_callsOfSmallSelections(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		want  []string
	}{
		"the total alone":               {query: `{ cvms { totalCount } }`, want: []string{"page=1&page_size=1"}},
		"first: 0":                      {query: `{ cvms(first: 0) { totalCount edges { cursor } pageInfo { hasNextPage startCursor } } }`, want: []string{"page=1&page_size=1"}},
		"a filter goes by its old name": {query: `{ cvms(first: 1, nodeId: 18, userId: "usr_alice") { totalCount } }`, want: []string{"page=1&page_size=1&teepod_id=18&user_id=usr_alice"}},
		"nulls are absent":              {query: `{ cvms(first: null, after: null, last: null, before: null, nodeId: null, userId: null) { totalCount nodes { id } } }`, want: []string{"page=1&page_size=30"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{}))
			g.post(t, test.query, nil, nil).cvms(t)
			if got := g.takeCalls(); !slices.Equal(got, test.want) {
				t.Errorf("upstream calls: got %q, want %q", got, test.want)
			}
		})
	}
}

func TestConnection_emptyList(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{Items: -1}))
	for _, v := range []vars{{}, {"first": 5}, {"last": 5}, {"first": 0}} {
		page := g.post(t, cvmsQuery, v, nil).cvms(t)
		if page.TotalCount != 0 || page.Edges == nil || len(page.Edges) > 0 || page.PageInfo.HasNextPage || page.PageInfo.HasPreviousPage ||
			page.PageInfo.StartCursor != nil || page.PageInfo.EndCursor != nil {
			t.Errorf("%v: got %+v, want an empty list without cursors", v, page)
		}
	}
}
