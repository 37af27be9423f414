package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

// The limits of a response in bytes, and of what gqlgen executes of it.
const (
	maxResponse = 32 << 20
	maxExecuted = 8 << 20
)

func newListGateway(t *testing.T, list *cost.List, projected bool) *gateway {
	t.Helper()
	return newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages, r.Projection = list.Cached(), projected })
}

// TestResponseSize_tooLarge also checks that a rejected response takes memory in proportion to the
// limit, however large it would be.
func TestResponseSize_tooLarge(t *testing.T) { //nolint:paralleltest // it counts the allocations of the process
	list, large := cost.NewList(0), cost.NewList(4_000_000)
	everything := "fragment f on Cvm { " + allFields(t) + " }"
	connections := func(n int, selection string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " c%d: %s", i, selection)
		}
		return "{" + b.String() + " } " + everything
	}
	aliased := "{ cvms(first: 1) { nodes { hosted { configuration { composeFile {"
	for i := range 29 {
		aliased += fmt.Sprintf(" t%d: dockerComposeFile", i)
	}
	aliased += " } } } } } }"
	ids := ""
	for _, node := range newListGateway(t, list, true).post(t, "{ cvms(first: 100) { nodes { id } } }", nil, nil).cvms(t).Nodes[:95] {
		ids += fmt.Sprintf(" %q", node.ID)
	}
	tests := map[string]struct {
		list      *cost.List
		projected bool
		query     string
		limit     int // 0 if it is not rejected
	}{
		"30 connections of 1000 items":           {list: list, projected: true, query: connections(30, "cvms(first: 1000) { edges { cursor node { ...f } } }"), limit: maxResponse},
		"30 connections of 1000 items, plain":    {list: list, query: connections(30, "cvms(first: 1000) { edges { cursor node { ...f } } }"), limit: maxExecuted},
		"30 connections of 1000 items, deferred": {list: list, projected: true, query: connections(30, "cvms(first: 1000) { edges { cursor node { ...f @defer } } }"), limit: maxExecuted},
		"16 times 95 ids, plain":                 {list: list, query: connections(16, "nodes(ids: ["+ids+"]) { ...f }"), limit: maxExecuted},
		"7 connections of 1000 items":            {list: list, projected: true, query: connections(7, "cvms(first: 1000) { nodes { ...f } }"), limit: maxResponse},
		"5 connections of 1000 items":            {list: list, projected: true, query: connections(5, "cvms(first: 1000) { nodes { ...f } }")},
		"1000 items with everything, plain":      {list: list, query: connections(1, "cvms(first: 1000) { nodes { ...f } }")},
		"a string of 2 MB, 29 times":             {list: large, projected: true, query: aliased, limit: maxResponse},
		"a string of 2 MB, 29 times, plain":      {list: large, query: aliased, limit: maxExecuted},
	}
	for name, test := range tests { //nolint:paralleltest // it counts the allocations of the process
		t.Run(name, func(t *testing.T) {
			g := newListGateway(t, test.list, test.projected)
			body, err := json.Marshal(map[string]string{"query": test.query})
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			raw := serve(t.Context(), g.handler, "Bearer x", body)
			runtime.ReadMemStats(&after)
			var a response
			if err := json.Unmarshal(raw, &a); err != nil {
				t.Fatal(err)
			}
			if test.limit == 0 {
				if len(a.Errors) > 0 || len(raw) < maxExecuted/2 {
					t.Errorf("got %d bytes, %.300s, want data", len(raw), raw)
				}
				return
			}
			e := a.onlyError(t)
			actual, _ := e.Extensions["actual"].(float64)
			if e.code() != "QUERY_TOO_COMPLEX" || e.Extensions["limit"] != float64(test.limit) || actual <= float64(test.limit) ||
				len(e.Path) != 1 || !strings.HasSuffix(string(raw), `"data":null}`) {
				t.Errorf("got %.300s, want QUERY_TOO_COMPLEX of a field, with limit %d, and no data", raw, test.limit)
			}
			got := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d MB allocated", got>>20)
			if most := uint64(8 * maxResponse); got > most && !testmode.Race {
				t.Errorf("got %d bytes allocated, want at most %d", got, most)
			}
		})
	}
}
