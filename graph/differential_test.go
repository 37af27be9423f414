package graph_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// seeds make a round: a random list, a random document, and some cases of them.
type seeds [2]uint64

// failed are the seeds of rounds that found something once.
var failed = []seeds{{1795463601055142414, 7033}}

// fixedSeed is the first seed of the rounds that are the same at each run.
const fixedSeed = 20_251_028

// casesOfRound is how many cases there are of one document.
const casesOfRound = 12

// TestProjectionsEqualGqlgen sends random operations over random lists to two gateways, one that projects and one that lets
// gqlgen execute everything, and compares their answers.
func TestProjectionsEqualGqlgen(t *testing.T) {
	t.Parallel()
	const shards = 4
	cases := int64(testmode.Count(4_200, 200_400))
	if testmode.Race { // .ci/run runs the large count without it
		cases = 4_200
	}
	fresh := uint64(time.Now().UnixNano())
	var sum tally
	percent := debug.SetGCPercent(300) // half of the time goes into collecting garbage otherwise
	begun := time.Now()
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		t.Logf("%d cases in %v: %+v; the fresh seed was %d", sum.cases.Load(), time.Since(begun), &sum, fresh)
		// Cases that are refused, or look at nothing, show nothing.
		if n := sum.cases.Load(); !t.Failed() && (n < cases || sum.data.Load() < n*8/10 || sum.items.Load() < n/2 || sum.faults.Load() < n/20 || sum.unsettled.Load() > n/2000+3) {
			t.Error("got too few cases that mean something")
		}
	})
	for shard := range shards {
		t.Run(fmt.Sprintf("shard %d", shard), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, &sum)
			if shard == 0 {
				for _, s := range failed {
					p.round(t, s)
				}
			}
			for i := uint64(shard); i < uint64(cases/casesOfRound/2); i += shards {
				p.round(t, seeds{fixedSeed, i})
				p.round(t, seeds{fresh, i})
			}
		})
	}
}

// tally says what the cases were.
type tally struct {
	cases  atomic.Int64
	data   atomic.Int64 // answers with data that is not null
	items  atomic.Int64 // answers that show items
	faults atomic.Int64 // answers that say what is wrong with items
	moved  atomic.Int64 // answers that were re-aligned
	// unsettled are answers that neither gateway gives reliably, because the fields of an operation share what they fetch.
	unsettled atomic.Int64
}

func (s *tally) String() string {
	return fmt.Sprintf("%d with data, %d with items, %d with faults, %d re-aligned, %d unsettled",
		s.data.Load(), s.items.Load(), s.faults.Load(), s.moved.Load(), s.unsettled.Load())
}

// pair is two gateways that show each caller a list of its own.
type pair struct {
	schema           *ast.Schema
	projected, plain http.Handler
	sum              *tally
	stock            *stock
	callers          int // that these gateways have seen
}

func newPair(tb testing.TB, sum *tally) *pair {
	tb.Helper()
	p := &pair{schema: loadedSchema(tb), sum: sum, stock: newStock()}
	p.renew(tb)
	return p
}

// renew begins with gateways that have seen no caller.
func (p *pair) renew(tb testing.TB) {
	tb.Helper()
	gateway := func(projected bool) http.Handler {
		g := &gateway{}
		g.serve(tb, "http://upstream.invalid/api/v1", func(r *graph.Resolver) {
			r.Pages, r.Projection = p.stock, projected
			r.Limits = querylimit.Limits{Tokens: 20_000, Depth: 40, Aliases: 2000}
		})
		return g.handler
	}
	p.projected, p.plain, p.callers = gateway(true), gateway(false), 0
}

// manyCallers is how many callers a pair of gateways sees at most before a round. They know 2000 at a time, and a round has 13, or
// some 600 where answers vary by themselves: so none loses what it knows of a caller, and looks for CVMs elsewhere than the other.
const manyCallers = 1000

func loadedSchema(tb testing.TB) *ast.Schema {
	tb.Helper()
	federation, err := os.ReadFile("federation.graphqls")
	if err != nil {
		tb.Fatal(err)
	}
	return gqlparser.MustLoadSchema(&ast.Source{Input: publicSchema(tb)}, &ast.Source{Input: string(federation)})
}

// stock is a Source of pages, with a list for each caller.
type stock struct {
	lists sync.Map // *stocked by pages.CredentialKey
	index *pages.Upstream
}

// stocked is what one caller sees: documents, and the pages that were made of them.
type stocked struct {
	body   func(restclient.PageRequest) []byte
	atHand bool // no page takes a call
	mu     sync.Mutex
	pages  map[restclient.PageRequest]*pages.Page
}

func newStock() *stock {
	return &stock{index: pages.NewUpstreamFunc(nil)}
}

func (s *stock) of(owner pages.CredentialKey) *stocked {
	list, _ := s.lists.Load(owner)
	return list.(*stocked)
}

// put makes a caller see other pages.
func (s *stock) put(caller string, body func(restclient.PageRequest) []byte, atHand bool) {
	owner := s.CredentialKey(restclient.NewCredential(restclient.Headers{Authorization: caller}))
	s.lists.Store(owner, &stocked{body: body, atHand: atHand, pages: make(map[restclient.PageRequest]*pages.Page)})
}

func (s *stock) CredentialKey(credential restclient.Credential) pages.CredentialKey {
	return sha256.Sum256([]byte(credential.Headers().Authorization))
}

func (s *stock) CachedPages(dst []relay.CachedPage, _ pages.CredentialKey, _ restclient.Filter, _ time.Time) []relay.CachedPage {
	return dst
}

func (s *stock) Cached(owner pages.CredentialKey, request restclient.PageRequest) (pages.FetchResult, bool) {
	list := s.of(owner)
	if !list.atHand {
		return pages.FetchResult{}, false
	}
	got, err := s.load(list, request)
	return got, err == nil
}

func (s *stock) Fetch(_ context.Context, request pages.FetchRequest) (pages.FetchResult, error) {
	return s.load(s.of(request.CredentialKey), request.PageRequest)
}

func (s *stock) load(list *stocked, request restclient.PageRequest) (pages.FetchResult, error) {
	list.mu.Lock()
	defer list.mu.Unlock()
	page, ok := list.pages[request]
	if !ok {
		var err error
		if page, err = s.indexed(list, request); err != nil {
			return pages.FetchResult{}, err
		}
		list.pages[request] = page
	}
	return pages.FetchResult{Page: page, Request: request}, nil
}

// indexed makes a page of what a caller sees.
func (s *stock) indexed(list *stocked, request restclient.PageRequest) (*pages.Page, error) {
	return s.index.Page(list.body(request), request)
}

// oneCase is an operation with its variables, over a list.
type oneCase struct {
	document  *document
	operation string
	variables vars
	list      *randomList
	// seen is what the caller saw of the list before, nil where that is nothing.
	seen *randomList
}

func (c *oneCase) String() string {
	variables, _ := json.Marshal(c.variables)
	text := fmt.Sprintf("%soperation %s, variables %s, %d items", c.document, c.operation, variables, len(c.list.items))
	if c.seen != nil {
		text += fmt.Sprintf(" after %d", len(c.seen.items))
	}
	if page := c.list.page(restclient.PageRequest{Page: 1, PageSize: 30}); len(page) < 20_000 {
		text += "\n" + string(page)
	}
	return text
}

// round tries some cases of one document and one list, which changes on the way.
func (p *pair) round(t *testing.T, s seeds) {
	t.Helper()
	if p.callers > manyCallers {
		p.renew(t)
	}
	r := random{rand.New(rand.NewPCG(s[0], s[1]))}
	list := newList(r)
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
		c := &oneCase{document: doc, operation: pick(r, doc.operations).name, variables: variables(r, ids, vmIDs, cursors), list: list}
		if r.in100(40) {
			c.seen = first
		}
		p.sum.cases.Add(1)
		difference := p.difference(c)
		if difference == "" {
			continue
		}
		if p.settles(c) {
			p.sum.unsettled.Add(1)
			continue
		}
		p.reduce(c)
		t.Fatalf("seeds {%d, %d}, case %d: %s\nthe smallest that differs: %s\n%s", s[0], s[1], i, difference, p.difference(c), c)
	}
}

var firstPage = []byte(`{"query":"{ cvms(first: 40) { edges { cursor node { id vmId } } } }"}`)

// marks returns ids, VMs' uuids and cursors of a list.
func (p *pair) marks(list *randomList) (ids, vmIDs, cursors []string, err error) {
	caller := p.newCaller(list)
	defer p.stock.lists.Delete(caller)
	got, want := p.ask(caller, firstPage)
	if difference := difference(got, want); difference != "" {
		return nil, nil, nil, errors.New(difference)
	}
	var answer struct {
		Data struct{ Cvms connection }
	}
	if err := json.Unmarshal(want, &answer); err != nil {
		return nil, nil, nil, err
	}
	for _, e := range answer.Data.Cvms.Edges {
		ids, cursors = append(ids, e.Node.ID), append(cursors, e.Cursor)
		if e.Node.VMID != "" {
			vmIDs = append(vmIDs, e.Node.VMID)
		}
	}
	return ids, vmIDs, cursors, nil
}

// newCaller returns a caller who sees a list, and has seen nothing yet.
func (p *pair) newCaller(list *randomList) string {
	p.callers++
	caller := fmt.Sprint("Bearer ", p.callers)
	p.stock.put(caller, list.page, list.atHand)
	return caller
}

// answers returns the answers to a case. Each time it is another caller, because what a caller saw last decides where it is
// looked for CVMs, and that may be anything where several fields are resolved at once.
func (p *pair) answers(c *oneCase) (projected, plain []byte) {
	body, err := json.Marshal(map[string]any{"query": c.document.String(), "operationName": c.operation, "variables": c.variables})
	if err != nil {
		panic(err)
	}
	caller := p.newCaller(c.list)
	defer p.stock.lists.Delete(caller)
	if c.seen != nil {
		p.stock.put(caller, c.seen.page, c.seen.atHand)
		p.ask(caller, firstPage)
		p.stock.put(caller, c.list.page, c.list.atHand)
	}
	return p.ask(caller, body)
}

// difference says how the answers to a case differ, "" where they do not.
func (p *pair) difference(c *oneCase) string {
	got, want := p.answers(c)
	p.count(want)
	return difference(got, want)
}

func (p *pair) count(answer []byte) {
	if bytes.Contains(answer, []byte(`"data":{`)) {
		p.sum.data.Add(1)
	}
	if bytes.Contains(answer, []byte(`[{"`)) {
		p.sum.items.Add(1)
	}
	if bytes.Contains(answer, []byte(`the upstream's value is not`)) {
		p.sum.faults.Add(1)
	}
	if bytes.Contains(answer, []byte(`"pagination":[`)) {
		p.sum.moved.Add(1)
	}
}

// settles says whether the answers to a case vary by themselves, and have one in common. That is so where a page shows other
// things than another page of the same items, which of them was fetched depends on the order in which the fields are resolved,
// and that is any.
func (p *pair) settles(c *oneCase) bool {
	var got, want [][]byte
	for range 50 {
		g, w := p.answers(c)
		got, want = append(got, g), append(want, w)
	}
	if topLevel(want[0]) == 1 {
		return false
	}
	return slices.ContainsFunc(got, func(g []byte) bool {
		return slices.ContainsFunc(want, func(w []byte) bool { return difference(withoutMemory(g), withoutMemory(w)) == "" })
	})
}

// topLevel returns how many fields of Query an answer has, 0 where it has no data.
func topLevel(body []byte) int {
	var answer struct{ Data map[string]json.RawMessage }
	_ = json.Unmarshal(body, &answer) // what is no answer has no fields
	return len(answer.Data)
}

var cursorPattern = regexp.MustCompile(`"A[A-Za-z0-9_-]{25,}"`)

// withoutMemory returns an answer without its cursors: what they remember depends on the pages that were at hand.
func withoutMemory(answer []byte) []byte { return cursorPattern.ReplaceAll(answer, []byte(`"cursor"`)) }

// reduce makes the case smaller while its answers differ.
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

// ask sends a request's body to both gateways and returns the bodies of their answers.
func (p *pair) ask(caller string, body []byte) (projected, plain []byte) {
	return serve(context.Background(), p.projected, caller, body), serve(context.Background(), p.plain, caller, body)
}

var graphqlURL = &url.URL{Path: "/graphql"}

func serve(ctx context.Context, handler http.Handler, authorization string, body []byte) []byte {
	request := &http.Request{
		Method: http.MethodPost, URL: graphqlURL, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {authorization}},
	}
	w := &capture{header: make(http.Header)}
	handler.ServeHTTP(w, request.WithContext(ctx))
	return w.body
}

// capture keeps an answer's body.
type capture struct {
	header http.Header
	body   []byte
}

func (c *capture) Header() http.Header { return c.header }

func (c *capture) WriteHeader(int) {}

func (c *capture) Write(b []byte) (int, error) {
	c.body = append(c.body, b...)
	return len(b), nil
}

// difference says how two answers differ, "" where they are equal: JSON values, their order, and errors. The errors of
// different fields of Query stand in any order, those of one field do not.
func difference(got, want []byte) string {
	if sameJSON(got, want) {
		return ""
	}
	var g, w struct {
		Data, Extensions json.RawMessage
		Errors           []json.RawMessage
	}
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w)); err != nil {
		return fmt.Sprintf("an answer is not JSON: %v: got %q, want %q", err, got, want)
	}
	switch {
	case !sameJSON(g.Data, w.Data):
		return fmt.Sprintf("data: got %s, want %s", g.Data, w.Data)
	case !sameJSON(g.Extensions, w.Extensions):
		return fmt.Sprintf("extensions: got %s, want %s", g.Extensions, w.Extensions)
	case !sameErrors(g.Errors, w.Errors):
		return fmt.Sprintf("errors: got %s, want %s", g.Errors, w.Errors)
	}
	return ""
}

// sameErrors compares errors, those of each field of Query in their order.
func sameErrors(got, want []json.RawMessage) bool {
	if len(got) != len(want) {
		return false
	}
	gotOf, wantOf := byField(got), byField(want)
	if len(got) > 100 && len(wantOf) > 2 {
		return true // of too many errors it is any that are left out
	}
	for field, g := range gotOf {
		if !slices.EqualFunc(g, wantOf[field], func(a, b json.RawMessage) bool { return sameJSON(a, b) }) {
			return false
		}
	}
	return len(gotOf) == len(wantOf)
}

func byField(errs []json.RawMessage) map[string][]json.RawMessage {
	sorted := make(map[string][]json.RawMessage)
	for _, e := range errs {
		var at struct{ Path []any }
		_ = json.Unmarshal(e, &at) // it is a part of what was decoded
		field := ""
		if len(at.Path) > 0 {
			field = fmt.Sprint(at.Path[0])
		}
		sorted[field] = append(sorted[field], e)
	}
	return sorted
}

// sameJSON compares two JSON documents: all tokens in their order, strings by what they stand for. What is no JSON equals
// nothing.
func sameJSON(a, b []byte) bool {
	if len(a)+len(b) > 0 && (!json.Valid(a) || !json.Valid(b)) {
		return false
	}
	for {
		a, b = bytes.TrimLeft(a, " \t\r\n"), bytes.TrimLeft(b, " \t\r\n")
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		if a[0] != b[0] {
			return false
		}
		if a[0] != '"' {
			a, b = a[1:], b[1:]
			continue
		}
		endA, endB := stringEnd(a), stringEnd(b)
		if !bytes.Equal(a[:endA], b[:endB]) && !slices.Equal(codeUnits(a[1:endA-1]), codeUnits(b[1:endB-1])) {
			return false
		}
		a, b = a[endA:], b[endB:]
	}
}

// stringEnd returns the length of the string that a JSON text begins with.
func stringEnd(text []byte) int {
	i := 1
	for text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return i + 1
}

// codeUnits returns what a string stands for in UTF-16, where half of a surrogate pair differs from the character that some
// decoders put in its place.
func codeUnits(text []byte) []uint16 {
	var units []uint16
	for len(text) > 0 {
		switch {
		case text[0] != '\\':
			r, size := utf8.DecodeRune(text)
			units = utf16.AppendRune(units, r)
			text = text[size:]
		case text[1] == 'u':
			unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
			units = append(units, uint16(unit))
			text = text[6:]
		default:
			unit := uint16(text[1])
			if at := strings.IndexByte("bfnrt", text[1]); at >= 0 {
				unit = uint16("\b\f\n\r\t"[at])
			}
			units = append(units, unit)
			text = text[2:]
		}
	}
	return units
}

func TestSameJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b string
		want bool
	}{
		"equal bytes":               {`{"a":[1,"x"]}`, `{"a":[1,"x"]}`, true},
		"white space":               {` { "a" : [ ] } `, `{"a":[]}`, true},
		"another spelling":          {`["\u0061/\u2028\ud83d\ude00"]`, "[\"a\\/\u2028😀\"]", true},
		"escapes":                   {`"\b\f\n\r\t\"\\\/"`, `"\u0008\u000c\u000a\u000d\u0009\u0022\u005C\u002f"`, true},
		"half of a pair":            {`"\ud83d"`, `"\ufffd"`, false},
		"another order of keys":     {`{"a":1,"b":2}`, `{"b":2,"a":1}`, false},
		"another text":              {`"a"`, `"b"`, false},
		"a text that ends early":    {`["a"]`, `["ab"]`, false},
		"another spelling of a key": {`{"\u0061":1}`, `{"a":1}`, true},
		"a number of equal value":   {`1.0`, `1`, false},
		"a longer list":             {`[1]`, `[1,1]`, false},
		"null and nothing":          {`null`, ``, false},
		"nothing at all":            {``, ``, true},
		"no JSON":                   {`{"a":}`, `{"a":}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sameJSON([]byte(test.a), []byte(test.b)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// FuzzProjection changes the bytes of a page, and compares as TestProjectionsEqualGqlgen does. The seed chooses the operation.
func FuzzProjection(f *testing.F) {
	for seed := range uint64(30) {
		list := newList(random{rand.New(rand.NewPCG(fixedSeed, seed))})
		if len(list.items) > 10 {
			continue
		}
		f.Add(list.page(restclient.PageRequest{Page: 1, PageSize: 30}), seed)
	}
	p := newPair(f, &tally{})
	f.Fuzz(func(t *testing.T, page []byte, seed uint64) {
		r := random{rand.New(rand.NewPCG(fixedSeed, seed))}
		// All of them read one page of 30.
		c := &oneCase{document: newDocument(r, p.schema, "", "(first: 30)")}
		c.operation = c.document.operations[0].name
		c.list = &randomList{envelope: func(string, int, int, int) []byte { return page }}
		c.variables = variables(r, nil, nil, nil)
		difference := p.difference(c)
		if difference == "" || p.settles(c) {
			return
		}
		t.Fatalf("%s\n%s", difference, c)
	})
}
