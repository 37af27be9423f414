package graph_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/testing/testmode"
)

// allowing returns a change of the resolver: the maximum number of upstream calls of an operation.
func allowing(calls int) func(*graph.Resolver) {
	return func(r *graph.Resolver) { r.MaxUpstreamCalls = calls }
}

// limitedGateways are gateways over one list, by the maximum number of upstream calls of an
// operation.
type limitedGateways struct {
	upstream http.Handler
	ttl      time.Duration // of their cached pages
	gateways map[int]*gateway
}

func (b *limitedGateways) allowing(t *testing.T, calls int) *gateway {
	t.Helper()
	g := b.gateways[calls]
	if g == nil {
		g = &gateway{timeout: upstreamTimeout, cache: pages.CacheOptions{TTL: b.ttl, MaxBytes: 64 << 20}}
		g.serveRecorded(t, b.upstream, allowing(calls), func(r *graph.Resolver) {
			r.Limits = querylimit.Limits{Tokens: 20_000, Depth: 40, Aliases: 2000}
		})
		b.gateways[calls] = g
	}
	g.takeCalls()
	return g
}

// maxCalls returns the maximum number of upstream calls of an operation, from the errors that
// reject it.
func (b *limitedGateways) maxCalls(t *testing.T, query string, variables vars) int {
	t.Helper()
	limit, ok := b.rejection(t, 1, query, variables)
	if !ok {
		return 1
	}
	if again, ok := b.rejection(t, limit-1, query, variables); !ok || again != limit {
		t.Errorf("%d calls allowed: got a rejection: %v, of %d, want one of %d", limit-1, ok, again, limit)
	}
	return limit
}

// rejection returns the number of calls in the error of a gateway that allows so many upstream
// calls. It returns false if the gateway does not reject the operation.
func (b *limitedGateways) rejection(t *testing.T, allowed int, query string, variables vars) (actual int, ok bool) {
	t.Helper()
	g := b.allowing(t, allowed)
	a := g.post(t, query, variables, nil)
	if len(a.Errors) == 0 || a.Errors[0].code() != "QUERY_TOO_COMPLEX" || !strings.HasPrefix(a.Errors[0].Message, "the operation may take ") {
		return 0, false // it is executed, or its document is too large
	}
	e := a.onlyError(t)
	if calls := g.takeCalls(); len(calls) > 0 || a.Data != nil || e.Extensions["limit"] != float64(allowed) {
		t.Errorf("rejected: got %s and the upstream calls %q, want the limit %d, no data and no call", a.raw, calls, allowed)
	}
	return int(e.Extensions["actual"].(float64)), true
}

// windows makes random arguments of connections to a list.
type windows struct {
	random
	cursors, filtered []string // of the list, and of the list of node 18
	long              bool     // most windows begin at an end of the list and take several pages
}

func (w windows) arguments() string {
	sizes, cursor := []int{0, 1, 7, 20, 30, 49, 50, 51, 99, 100, 101, 102, 130, 150, 199, 300, 450}, 40
	if w.long {
		sizes, cursor = []int{60, 103 + w.IntN(20), 120 + w.IntN(100), 250 + w.IntN(200)}, 15
	}
	cursors, arguments := w.cursors, []string{fmt.Sprintf("%s: %d", pick(w.random, []string{"first", "first", "last"}), pick(w.random, sizes))}
	if w.in100(10) {
		cursors, arguments = w.filtered, append(arguments, "nodeId: 18")
	}
	if w.in100(cursor) {
		arguments = append(arguments, fmt.Sprintf("after: %q", pick(w.random, cursors)))
	}
	if w.in100(cursor / 2) {
		arguments = append(arguments, fmt.Sprintf("before: %q", pick(w.random, cursors)))
	}
	return "(" + strings.Join(arguments, ", ") + ")"
}

// operation makes an operation with many connections, some of them in fragments or with conditions.
func (w windows) operation() string {
	var set, fragment strings.Builder
	for i := range 1 + w.IntN(12) {
		field := fmt.Sprintf("f%d: cvms%s%s { %s } ", i, w.arguments(),
			pick(w.random, []string{"", "", " @include(if: $b0)", " @skip(if: $b1)"}),
			pick(w.random, []string{"nodes { id }", "pageInfo { hasNextPage }", "totalCount"}))
		if w.in100(20) {
			fragment.WriteString(field)
		} else {
			set.WriteString(field)
		}
	}
	return fmt.Sprintf("query($b0: Boolean!, $b1: Boolean!) { %s ...f } fragment f on Query { __typename @include(if: $b0) @skip(if: $b1) %s }", &set, &fragment)
}

// next makes any operation, with its variables.
func (w windows) next(schema *ast.Schema, ids, vmIDs []string) (string, vars) {
	if w.in100(60) {
		return w.operation(), vars{"b0": w.in100(50), "b1": w.in100(50)}
	}
	arguments := make([]string, 6)
	for i := range arguments {
		arguments[i] = w.arguments()
	}
	doc := newDocument(w.random, schema, arguments...)
	doc.operations = doc.operations[:1]
	return doc.String(), variables(w.random, ids, vmIDs, w.cursors)
}

// TestCallBudget_randomOperations sends random operations to gateways that allow exactly as many
// upstream calls as the operation may make according to its arguments, and to gateways that allow
// one call less. A lookup may make as many more calls as the whole list has pages.
func TestCallBudget_randomOperations(t *testing.T) {
	t.Parallel()
	const total, pagesOfAll = 700, 9
	upstream := demo.New(demo.Options{Items: total})
	ids, vmIDs := everyID(t, newGateway(t, upstream))
	cursors, filtered := everyCursor(t, upstream, ""), everyCursor(t, upstream, ", nodeId: 18")
	schema := loadedSchema(t)
	operations := testmode.Count(150, 2000)
	if testmode.Race { // .ci/run runs the large count without the race detector
		operations = 300
	}
	for name, ttl := range map[string]time.Duration{"without a cache": 0, "with cached pages": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			var calls, limits int
			// Each block has its own gateways, because in the end all pages would be cached.
			const block = 15
			for first := 0; first < operations && !t.Failed(); first += block {
				t.Run(fmt.Sprint("from ", first), func(t *testing.T) {
					b := &limitedGateways{upstream: upstream, ttl: ttl, gateways: make(map[int]*gateway)}
					for i := first; i < first+block; i++ {
						r := random{rand.New(rand.NewPCG(seed, uint64(i)))}
						query, variables := windows{r, cursors, filtered, r.in100(30)}.next(schema, ids, vmIDs)
						limit := b.maxCalls(t, query, variables)
						most, looksUp := limit, lookups.MatchString(query)
						if looksUp {
							most += pagesOfAll
						}
						got := b.within(t, most, query, variables)
						if t.Failed() {
							t.Fatalf("seeds {%d, %d}, the limit is %d: %s", seed, i, limit, query)
						}
						if !looksUp {
							calls, limits = calls+got, limits+limit
						}
					}
				})
			}
			t.Logf("%d calls, limits of %d in total", calls, limits)
			if ttl == 0 && calls < limits/2 {
				t.Errorf("got %d calls, %d allowed: want a closer limit", calls, limits)
			}
		})
	}
}

var lookups = regexp.MustCompile(`(node|nodes|cvm|_entities)\(`)

// within sends an operation to a gateway that allows so many upstream calls. It returns the number
// of calls.
func (b *limitedGateways) within(t *testing.T, most int, query string, variables vars) int {
	t.Helper()
	g := b.allowing(t, most)
	a := g.post(t, query, variables, nil)
	calls := g.takeCalls()
	for _, e := range a.Errors {
		if e.code() == "QUERY_TOO_COMPLEX" && e.Extensions["limit"] == float64(most) { // not for the size of the response
			t.Errorf("got %+v after the calls %q, want no rejection", a.Errors, calls)
			break
		}
	}
	got := len(calls)
	if got > most {
		t.Errorf("got %d upstream calls, want at most %d", got, most)
	}
	return got
}

func everyCursor(t *testing.T, upstream http.Handler, filter string) []string {
	t.Helper()
	page := newGateway(t, upstream).post(t, "{ cvms(first: 1000"+filter+") { edges { cursor } } }", nil, nil).cvms(t)
	var cursors []string
	for _, e := range page.Edges {
		cursors = append(cursors, e.Cursor)
	}
	return slices.Clip(cursors)
}

func TestCallBudget_operationTooLarge(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 450})
	cursors := everyCursor(t, upstream, "")
	repeated := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " f%d: %s", i, strings.ReplaceAll(field, "#", fmt.Sprint(i+1)))
		}
		return "{" + b.String() + " }"
	}
	tests := map[string]struct {
		query        string
		limit        int
		wantActual   int // 0 if the operation is executed
		wantArgument any
	}{
		"1000 items":                    {query: `{ cvms(first: 1000) { nodes { id } } }`, limit: 12, wantActual: 13, wantArgument: "first"},
		"1000 items, 13 calls allowed":  {query: `{ cvms(first: 1000) { nodes { id } } }`, limit: 13, wantActual: 0, wantArgument: nil},
		"the last 1000":                 {query: `{ cvms(last: 1000) { nodes { id } } }`, limit: 13, wantActual: 14, wantArgument: "last"},
		"the last 30":                   {query: `{ cvms(last: 30) { nodes { id } } }`, limit: 1, wantActual: 2, wantArgument: "last"},
		"99 after a cursor":             {query: fmt.Sprintf(`{ cvms(first: 99, after: %q) { nodes { id } } }`, cursors[149]), limit: 1, wantActual: 2, wantArgument: "first"},
		"1000 items, twice":             {query: repeated(2, `cvms(first: 1000) { nodes { id } }`), limit: 13, wantActual: 0, wantArgument: nil},
		"1000 items, 30 times":          {query: repeated(30, `cvms(first: 1000) { nodes { id } }`), limit: 12, wantActual: 13, wantArgument: nil},
		"1000 items of 30 lists":        {query: repeated(30, `cvms(first: 1000, nodeId: #) { nodes { id } }`), limit: 100, wantActual: 390, wantArgument: nil},
		"30 items of 30 lists":          {query: repeated(30, `cvms(nodeId: #) { nodes { id } }`), limit: 30, wantActual: 0, wantArgument: nil},
		"the totals of 30 lists":        {query: repeated(30, `cvms(first: 1000, nodeId: #) { totalCount }`), limit: 29, wantActual: 30, wantArgument: nil},
		"the total of a long window":    {query: `{ cvms(first: 1000) { totalCount } }`, limit: 1, wantActual: 0, wantArgument: nil},
		"a skipped connection":          {query: `query($no: Boolean = false) { cvms(first: 1000) @include(if: $no) { nodes { id } } }`, limit: 1, wantActual: 0, wantArgument: nil},
		"a connection in a fragment":    {query: `{ ...f } fragment f on Query { cvms(first: 1000) { ...g } } fragment g on CvmConnection { nodes { id } }`, limit: 5, wantActual: 13, wantArgument: "first"},
		"a long and a short connection": {query: `{ a: cvms(first: 1000) { nodes { id } } b: cvms(first: 30) { nodes { id } } }`, limit: 5, wantActual: 13, wantArgument: nil},
		"an invalid argument":           {query: `{ cvms(first: 1001) { nodes { id } } }`, limit: 1, wantActual: 0, wantArgument: nil},
		"900 ids, twice":                {query: repeated(2, "nodes(ids: ["+strings.Repeat(`"Q3ZtOm5vbmU",`, 900)+"]) { id }"), limit: 10, wantActual: 0, wantArgument: nil},
		"a router's lookup beside a connection that uses the budget": {
			query: `{ _entities(representations: [{__typename: "Cvm", vmId: "none"}]) { __typename } cvms(first: 1000) { nodes { id } } }`, limit: 13, wantActual: 14, wantArgument: "first",
		},
		"a lookup beside a connection that uses the budget": {query: `{ cvm(vmId: "none") { id } cvms(first: 1000) { nodes { id } } }`, limit: 13, wantActual: 14, wantArgument: "first"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, upstream, allowing(test.limit))
			a := g.post(t, test.query, nil, nil)
			calls := g.takeCalls()
			if test.wantActual == 0 {
				if len(calls) > test.limit || strings.Contains(a.raw, "QUERY_TOO_COMPLEX") {
					t.Errorf("got %.300s and %d calls, want no rejection", a.raw, len(calls))
				}
				return
			}
			e := a.onlyError(t)
			if e.code() != "QUERY_TOO_COMPLEX" || e.Extensions["limit"] != float64(test.limit) || e.Extensions["actual"] != float64(test.wantActual) ||
				e.Extensions["argument"] != test.wantArgument || a.Data != nil {
				t.Errorf("got %s, want QUERY_TOO_COMPLEX with limit %d, actual %d and argument %v", a.raw, test.limit, test.wantActual, test.wantArgument)
			}
			if len(calls) > 0 {
				t.Errorf("got the upstream calls %q, want none", calls)
			}
		})
	}
}

// TestCallBudget_lookupBesideConnections looks up a CVM in a list whose search takes more calls
// than the connections leave.
func TestCallBudget_lookupBesideConnections(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 450})
	const query = `{ cvm(vmId: "none") { id } a: cvms(last: 300) { totalCount nodes { id } } b: cvms(nodeId: 18) { nodes { id } } }`
	for allowed, rejected := range map[int]bool{8: true, 11: true, 12: false} {
		for range 5 { // fields are resolved in any order
			g := newGateway(t, upstream, allowing(allowed))
			a := g.post(t, query, nil, nil)
			if calls := g.takeCalls(); len(calls) > allowed {
				t.Errorf("%d allowed: got %d calls", allowed, len(calls))
			}
			if strings.Count(a.raw, `"id"`) < 300 || string(a.Data["cvm"]) != "null" {
				t.Errorf("%d allowed: got %.300s, want both connections", allowed, a.raw)
			}
			if !rejected && len(a.Errors) > 0 {
				t.Errorf("%d allowed: got %+v, want none", allowed, a.Errors)
			}
			if rejected && (len(a.Errors) != 1 || a.Errors[0].code() != "QUERY_TOO_COMPLEX" || !slices.Equal(a.Errors[0].Path, []any{"cvm"})) {
				t.Errorf("%d allowed: got %+v, want QUERY_TOO_COMPLEX of the lookup", allowed, a.Errors)
			}
		}
	}
}

// TestCallBudget_listMoved searches the place of a cursor whose CVM has moved to the other end of
// the list.
func TestCallBudget_listMoved(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 450})
	query := fmt.Sprintf(`{ cvms(first: 30, after: %q) { nodes { id } } }`, everyCursor(t, upstream, "")[20])
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item { return append(slices.Clone(items[200:]), items[:200]...) })
	for allowed, rejected := range map[int]bool{1: true, 2: true, 4: true, 12: false} {
		g := newGateway(t, upstream, allowing(allowed))
		a := g.post(t, query, nil, nil)
		calls := len(g.takeCalls())
		if calls > allowed || rejected && calls == 0 {
			t.Errorf("%d allowed: got %d calls", allowed, calls)
		}
		if !rejected {
			a.cvms(t)
			continue
		}
		e := a.onlyError(t)
		if e.code() != "QUERY_TOO_COMPLEX" || e.Extensions["limit"] != float64(allowed) || e.Extensions["actual"] != float64(allowed+1) || e.Path == nil {
			t.Errorf("%d allowed: got %+v, want QUERY_TOO_COMPLEX of the field, with limit %d and one more", allowed, e, allowed)
		}
	}
}
