package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// seeds determine a round: a random list, a random document, and cases of both.
type seeds [2]uint64

// failed are the seeds of rounds that once failed.
var failed = []seeds{{1795463601055142414, 7033}}

// fixedSeed is the first seed of the rounds that are the same in each run.
const fixedSeed = 20_251_028

// casesOfRound is the number of cases of one document.
const casesOfRound = 12

// TestProjection_equalsGqlgen sends random operations over random lists to two gateways and
// compares the responses. One gateway uses projections, the other lets gqlgen execute everything.
// Both resolve the fields of an operation one after another, in the same random order.
func TestProjection_equalsGqlgen(t *testing.T) {
	t.Parallel()
	const shards = 4
	cases := int64(testmode.Count(4_200, 200_400))
	fresh := uint64(time.Now().UnixNano())
	var sum tally
	percent := debug.SetGCPercent(300) // otherwise, garbage collection takes half of the time
	started := time.Now()
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		t.Logf("%d cases in %v: %+v; the fresh seed was %d", sum.cases.Load(), time.Since(started), &sum, fresh)
		// Cases without data or items test nothing.
		if n := sum.cases.Load(); !t.Failed() && (n < cases || sum.data.Load() < n*8/10 || sum.items.Load() < n/2 || sum.fieldErrors.Load() < n/20) {
			t.Error("got too few cases with data, items or field errors")
		}
	})
	for shard := range shards {
		t.Run(fmt.Sprintf("shard %d", shard), func(t *testing.T) {
			t.Parallel()
			p, flat := newPair(t, restclient.ShapeHosted, &sum), newPair(t, restclient.ShapeFlat, &sum)
			if shard == 0 {
				for _, s := range failed {
					p.round(t, s)
				}
			}
			for i := uint64(shard); i < uint64(cases/casesOfRound/2); i += shards {
				p.round(t, seeds{fixedSeed, i})
				flat.round(t, seeds{fixedSeed, i})
				if i%2 == 0 {
					p.round(t, seeds{fresh, i})
				} else {
					flat.round(t, seeds{fresh, i})
				}
			}
		})
	}
}

// tally counts the cases by their responses.
type tally struct {
	cases       atomic.Int64
	data        atomic.Int64 // with data that is not null
	items       atomic.Int64 // with items
	fieldErrors atomic.Int64 // with field errors
	moved       atomic.Int64 // re-aligned
}

func (s *tally) String() string {
	return fmt.Sprintf("%d with data, %d with items, %d with field errors, %d re-aligned",
		s.data.Load(), s.items.Load(), s.fieldErrors.Load(), s.moved.Load())
}

// pair is two gateways over the same lists, one for each caller.
type pair struct {
	shape            restclient.Shape
	schema           *ast.Schema
	projected, plain http.Handler
	sum              *tally
	stock            *fakeSource
	callers          int // number of callers that these gateways have seen
}

func newPair(tb testing.TB, shape restclient.Shape, sum *tally) *pair {
	tb.Helper()
	p := &pair{shape: shape, schema: loadedSchema(tb), sum: sum, stock: newFakeSourceOf(shape)}
	p.renew(tb)
	return p
}

// renew replaces the gateways by new ones.
func (p *pair) renew(tb testing.TB) {
	tb.Helper()
	gateway := func(projected bool) http.Handler {
		g := &gateway{extensions: []graphql.HandlerExtension{fieldOrder{}}}
		g.serve(tb, "http://upstream.invalid/api/v1", func(r *graph.Resolver) {
			r.Pages, r.Projection, r.APIVersion = p.stock, projected, versionOf(p.shape)
			r.Limits = querylimit.Limits{Tokens: 20_000, Depth: 40, Aliases: 2000}
		})
		return g.handler
	}
	p.projected, p.plain, p.callers = gateway(true), gateway(false), 0
}

// versionOf returns an API version with a shape.
func versionOf(shape restclient.Shape) string {
	if shape == restclient.ShapeFlat {
		return "2026-06-23"
	}
	return restclient.DefaultAPIVersion
}

// manyCallers is the number of callers after which the gateways are replaced. A gateway stores
// hints for 2000 callers, and a round has 13. So neither gateway loses the hints of a caller, which
// would make it search other pages than the other gateway.
const manyCallers = 1000

func loadedSchema(tb testing.TB) *ast.Schema {
	tb.Helper()
	federation, err := os.ReadFile("federation.graphqls")
	if err != nil {
		tb.Fatal(err)
	}
	return gqlparser.MustLoadSchema(&ast.Source{Input: publicSchema(tb)}, &ast.Source{Input: string(federation)})
}

// oneCase is an operation with variables, over a list.
type oneCase struct {
	document  *document
	operation string
	variables vars
	list      *randomList
	// seen is an earlier state of the list that the caller saw, or nil.
	seen *randomList
	// order is the seed of the order in which the fields of Query are resolved.
	order uint64
	// concurrent is true if gqlgen resolves the fields of Query concurrently.
	concurrent bool
}

func (c *oneCase) String() string {
	variables, _ := json.Marshal(c.variables)
	description := fmt.Sprintf("%soperation %s, variables %s, %d items", c.document, c.operation, variables, len(c.list.items))
	if c.seen != nil {
		description += fmt.Sprintf(" after %d", len(c.seen.items))
	}
	if page := c.list.page(restclient.PageRequest{Page: 1, PageSize: 30}); len(page) < 20_000 {
		description += "\n" + string(page)
	}
	return description
}

// round tests the cases of one document and one list, which changes between cases.
func (p *pair) round(t *testing.T, s seeds) {
	t.Helper()
	if p.callers > manyCallers {
		p.renew(t)
	}
	r := random{rand.New(rand.NewPCG(s[0], s[1]))}
	list := newList(r, p.shape)
	doc := newDocument(r, p.schema)
	first := list
	ids, vmIDs, cursors, err := p.marks(list)
	if err != nil {
		t.Fatalf("seeds {%d, %d}: %v", s[0], s[1], err)
	}
	for i := range casesOfRound {
		if i > 0 && r.in100(15) {
			list = list.changed(r)
		}
		c := &oneCase{document: doc, operation: pick(r, doc.operations).name, variables: variables(r, ids, vmIDs, cursors), list: list, order: s[1]*casesOfRound + uint64(i)}
		if r.in100(40) {
			c.seen = first
		}
		p.sum.cases.Add(1)
		difference := p.difference(c)
		if difference == "" {
			continue
		}
		p.reduce(c)
		t.Fatalf("seeds {%d, %d}, case %d: %s\nreduced: %s\n%s", s[0], s[1], i, difference, p.difference(c), c)
	}
}

var firstPage = []byte(`{"query":"{ cvms(first: 40) { edges { cursor node { id vmId } } } }"}`)

// marks returns IDs, UUIDs of VMs, and cursors of a list.
func (p *pair) marks(list *randomList) (ids, vmIDs, cursors []string, err error) {
	caller := p.newCaller(list)
	defer p.stock.lists.Delete(caller)
	got, want := p.ask(context.Background(), caller, firstPage)
	if difference := difference(got, want); difference != "" {
		return nil, nil, nil, errors.New(difference)
	}
	var response struct {
		Data struct{ Cvms connection }
	}
	if err := json.Unmarshal(want, &response); err != nil {
		return nil, nil, nil, err
	}
	for _, e := range response.Data.Cvms.Edges {
		ids, cursors = append(ids, e.Node.ID), append(cursors, e.Cursor)
		if e.Node.VMID != "" {
			vmIDs = append(vmIDs, e.Node.VMID)
		}
	}
	return ids, vmIDs, cursors, nil
}

// newCaller returns a new caller who sees a list.
func (p *pair) newCaller(list *randomList) string {
	p.callers++
	caller := fmt.Sprint("Bearer ", p.callers)
	p.stock.put(caller, list.page, list.cached)
	return caller
}

// body returns the body of a case's request.
func (c *oneCase) body() []byte {
	body, err := json.Marshal(map[string]any{"query": c.document.String(), "operationName": c.operation, "variables": c.variables})
	if err != nil {
		panic(err)
	}
	return body
}

// responses returns the responses to a case. Each call uses a new caller, who has no hints of
// earlier operations.
func (p *pair) responses(c *oneCase) (projected, plain []byte) {
	caller := p.newCaller(c.list)
	defer p.stock.lists.Delete(caller)
	if c.seen != nil {
		p.stock.put(caller, c.seen.page, c.seen.cached)
		p.ask(context.Background(), caller, firstPage)
		p.stock.put(caller, c.list.page, c.list.cached)
	}
	ctx := context.Background()
	if !c.concurrent {
		ctx = withOrder(ctx, c.order)
	}
	return p.ask(ctx, caller, c.body())
}

// difference describes how the responses to a case differ. It returns an empty string if they are
// equal.
func (p *pair) difference(c *oneCase) string {
	got, want := p.responses(c)
	p.count(want)
	return difference(got, want)
}

func (p *pair) count(response []byte) {
	if bytes.Contains(response, []byte(`"data":{`)) {
		p.sum.data.Add(1)
	}
	if bytes.Contains(response, []byte(`[{"`)) {
		p.sum.items.Add(1)
	}
	if bytes.Contains(response, []byte(`the upstream's value is not`)) {
		p.sum.fieldErrors.Add(1)
	}
	if bytes.Contains(response, []byte(`"pagination":[`)) {
		p.sum.moved.Add(1)
	}
}

// reduce makes the case smaller as long as its responses differ.
func (p *pair) reduce(c *oneCase) {
	differs := func() bool { return p.difference(c) != "" }
	c.document.operations = slices.DeleteFunc(slices.Clone(c.document.operations), func(o operation) bool { return o.name != c.operation })
	tries := c.document.operations[0].set.reduce(1500, differs)
	for _, f := range c.document.fragments {
		tries = f.set.reduce(tries, differs)
	}
	list := &part{parts: c.list.items}
	list.reduce(tries, func() bool {
		c.list.items = list.parts
		return differs()
	})
	c.list.items = list.parts
}

// ask sends a body to both gateways and returns the bodies of the responses.
func (p *pair) ask(ctx context.Context, caller string, body []byte) (projected, plain []byte) {
	return serve(ctx, p.projected, caller, body), serve(ctx, p.plain, caller, body)
}

// FuzzProjection changes the bytes of a page and compares the responses of both gateways. The seed
// determines the operation and the shape.
func FuzzProjection(f *testing.F) {
	const flat = 1 << 63 // in the seed of a page of the flat shape
	pairs := map[uint64]*pair{0: newPair(f, restclient.ShapeHosted, &tally{}), flat: newPair(f, restclient.ShapeFlat, &tally{})}
	for shape, p := range pairs {
		for seed := range uint64(30) {
			list := newList(random{rand.New(rand.NewPCG(fixedSeed, seed))}, p.shape)
			if len(list.items) <= 10 {
				f.Add(list.page(restclient.PageRequest{Page: 1, PageSize: 30}), seed|shape)
			}
		}
	}
	f.Fuzz(func(t *testing.T, page []byte, seed uint64) {
		p := pairs[seed&flat]
		r := random{rand.New(rand.NewPCG(fixedSeed, seed))}
		// All connections read one page of 30 items.
		c := &oneCase{document: newDocument(r, p.schema, "", "(first: 30)")}
		c.operation = c.document.operations[0].name
		c.list = &randomList{envelope: func(string, int, int, int) []byte { return page }}
		c.variables = variables(r, nil, nil, nil)
		difference := p.difference(c)
		if difference != "" {
			t.Fatalf("%s\n%s", difference, c)
		}
	})
}
