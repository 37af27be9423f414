package graph_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/testmode"
)

// stockGateway returns an endpoint over a source.
func stockGateway(tb testing.TB, source pages.Source, projected bool) http.Handler {
	tb.Helper()
	return newGateway(tb, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages, r.Projection = source, projected }).handler
}

// putItems makes the items the list of a caller. Its pages are cached or need calls.
func (s *fakeSource) putItems(caller string, cached bool, items ...string) {
	list := &randomList{envelope: func(items string, total, page, size int) []byte {
		return fmt.Appendf(nil, `{"items":[%s],"total":%d,"page":%d,"page_size":%d}`, items, total, page, size)
	}}
	for _, item := range items {
		list.items = append(list.items, leaf(item))
	}
	s.put(caller, list.page, cached)
}

// say sends an operation and returns the response.
func say(handler http.Handler, caller, query, operation string, variables vars) string {
	body, err := json.Marshal(map[string]any{"query": query, "operationName": operation, "variables": variables})
	if err != nil {
		panic(err)
	}
	return string(serve(context.Background(), handler, caller, body))
}

func TestProjection_upstreamBytes(t *testing.T) {
	t.Parallel()
	// Only a projection keeps the upstream's escapes.
	const written, decoded = `\u0061\/\u00e9`, `a/é`
	tests := map[string]struct {
		query, want string
		plain       bool // gqlgen executes it even with projections
	}{
		"nodes":        {query: `{ cvms { nodes { name } } }`, want: `{"cvms":{"nodes":[{"name":"%s"}]}}`},
		"edges":        {query: `{ cvms { edges { node { name } } } }`, want: `{"cvms":{"edges":[{"node":{"name":"%s"}}]}}`},
		"cvm":          {query: `{ cvm(vmId: "a") { name } }`, want: `{"cvm":{"name":"%s"}}`},
		"node":         {query: `{ node(id: "Q3ZtOmE") { ... on Cvm { name } } }`, want: `{"node":{"name":"%s"}}`},
		"nodes by ids": {query: `{ nodes(ids: ["Q3ZtOmE", "Q3ZtOm5vbmU"]) { ... on Cvm { name } } }`, want: `{"nodes":[{"name":"%s"},null]}`},
		"entities": {
			query: `{ _entities(representations: [{__typename: "Cvm", id: "Q3ZtOmE"}, {__typename: "Cvm", vmId: "none"}]) { __typename ... on Cvm { __typename name } } }`,
			want:  `{"_entities":[{"__typename":"Cvm","name":"%s"},null]}`,
		},
		"fragments":                        {query: `{ ...q } fragment q on Query { cvms { ... { nodes { ...c } } } } fragment c on Node { ... on Cvm { name } }`, want: `{"cvms":{"nodes":[{"name":"%s"}]}}`},
		"conditions":                       {query: `{ cvms { nodes @skip(if: false) { id @skip(if: true) name @include(if: true) } } }`, want: `{"cvms":{"nodes":[{"name":"%s"}]}}`},
		"several fields":                   {query: `{ a: cvm(vmId: "none") { name } b: cvm(vmId: "a") { name } __typename }`, want: `{"a":null,"b":{"name":"%s"},"__typename":"Query"}`},
		"a deferred field":                 {query: `{ __typename ... @defer { cvm(vmId: "a") { name } } }`, want: `{"__typename":"Query","cvm":{"name":"%s"}}`},
		"a disabled @defer":                {query: `{ cvm(vmId: "a") { ... @defer(if: false) { name } } }`, want: `{"cvm":{"name":"%s"}}`},
		"deferred fields":                  {query: `{ cvms { totalCount ... @defer { nodes { name } } } }`, want: `{"cvms":{"totalCount":1,"nodes":[{"name":"%s"}]}}`, plain: true},
		"a deferred field of an item":      {query: `{ cvms { nodes { ...c @defer vmId } } } fragment c on Cvm { name }`, want: `{"cvms":{"nodes":[{"name":"%s","vmId":"a"}]}}`, plain: true},
		"a deferred field of a lookup":     {query: `{ nodes(ids: ["Q3ZtOmE"]) { ... on Cvm @defer(label: "l") { name } } }`, want: `{"nodes":[{"name":"%s"}]}`, plain: true},
		"a deferred field beside a lookup": {query: `{ cvm(vmId: "a") { name } cvms { ... @defer { totalCount } } }`, want: `{"cvm":{"name":"%s"},"cvms":{"totalCount":1}}`},
	}
	s := newFakeSource()
	s.putItems("Bearer a", false, `{"hosted":{"id":"a"},"name":"`+written+`"}`)
	projected, plain := stockGateway(t, s, true), stockGateway(t, s, false)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := fmt.Sprintf(`{"data":`+test.want+`}`, decoded)
			if got := say(plain, "Bearer a", test.query, "", nil); got != want {
				t.Errorf("gqlgen: got %s, want %s", got, want)
			}
			if !test.plain {
				want = fmt.Sprintf(`{"data":`+test.want+`}`, written)
			}
			if got := say(projected, "Bearer a", test.query, "", nil); got != want {
				t.Errorf("projected: got %s, want %s", got, want)
			}
		})
	}
}

func TestProjection_planPerOperation(t *testing.T) {
	t.Parallel()
	// The selections of a and b have the same Boolean values if x of one is y of the other.
	const document = `
		query a($x: Boolean!, $y: Boolean!) { __typename @skip(if: $x) ...list }
		query b($y: Boolean!, $x: Boolean = false) { ...list __typename @skip(if: $x) }
		query c($y: Boolean! = true) { cvms { totalCount @include(if: $y) } ...list }
		fragment list on Query { cvms { totalCount @include(if: $y) nodes { name @skip(if: $y) vmId } } }`
	s := newFakeSource()
	s.putItems("Bearer a", false, `{"hosted":{"id":"v"},"name":"n"}`)
	handler := stockGateway(t, s, true)
	cvms := map[bool]string{
		true:  `"cvms":{"totalCount":1,"nodes":[{"vmId":"v"}]}`,
		false: `"cvms":{"nodes":[{"name":"n","vmId":"v"}]}`,
	}
	for range 3 { // the first round compiles the selections, the others use the cache
		for _, test := range []struct {
			operation string
			variables vars
			want      string
		}{
			{operation: "a", variables: vars{"x": true, "y": false}, want: cvms[false]},
			{operation: "b", variables: vars{"y": true, "x": false}, want: cvms[true] + `,"__typename":"Query"`},
			{operation: "a", variables: vars{"x": true, "y": true}, want: cvms[true]},
			{operation: "a", variables: vars{"x": false, "y": true}, want: `"__typename":"Query",` + cvms[true]},
			{operation: "b", variables: vars{"y": false, "x": true}, want: cvms[false]},
			{operation: "b", variables: vars{"y": false}, want: cvms[false] + `,"__typename":"Query"`},
			{operation: "c", want: cvms[true]},
			{operation: "c", variables: vars{"y": false}, want: cvms[false]},
			{operation: "c", variables: vars{"y": true}, want: cvms[true]},
		} {
			if got, want := say(handler, "Bearer a", document, test.operation, test.variables), `{"data":{`+test.want+`}}`; got != want {
				t.Errorf("%s %v: got %s, want %s", test.operation, test.variables, got, want)
			}
		}
	}
}

func TestProjection_manyConditions(t *testing.T) {
	t.Parallel()
	var definitions, fields strings.Builder
	for i := range 40 {
		fmt.Fprintf(&definitions, "$v%d: Boolean = true ", i)
		fmt.Fprintf(&fields, "vcpu @include(if: $v%d) ", i)
	}
	document := "query(" + definitions.String() + ") { cvms { nodes { vmId @skip(if: $v0) " + fields.String() + " } } }"
	s := newFakeSource()
	s.putItems("Bearer a", false, `{"hosted":{"id":"v"}}`)
	handler := stockGateway(t, s, true)
	for range 2 {
		for value, want := range map[bool]string{true: `{"vcpu":null}`, false: `{"vmId":"v","vcpu":null}`} {
			if got := say(handler, "Bearer a", document, "", vars{"v0": value}); got != `{"data":{"cvms":{"nodes":[`+want+`]}}}` {
				t.Errorf("v0 %v: got %s, want %s", value, got, want)
			}
		}
	}
}

func TestProjection_tooManyEvents(t *testing.T) {
	t.Parallel()
	s := newFakeSource()
	s.putItems("Bearer a", false, `{"hosted":{"id":"a","events":[`+strings.Repeat("{},", 999_999)+`{}]}}`)
	a := response{}
	if err := json.Unmarshal([]byte(say(stockGateway(t, s, true), "Bearer a", `{ cvms { nodes { vmId } } }`, "", nil)), &a); err != nil {
		t.Fatal(err)
	}
	if got := a.onlyError(t).code(); got != "UPSTREAM_INVALID_RESPONSE" || string(a.Data["cvms"]) != "null" {
		t.Errorf("got %v and %s, want UPSTREAM_INVALID_RESPONSE and null", got, a.Data["cvms"])
	}
}

// leaving is a source that cancels the requests of some callers. It indexes a page again for each
// call.
type leaving struct{ *fakeSource }

type leaveKey struct{}

func (l leaving) Fetch(ctx context.Context, request pages.FetchRequest) (pages.FetchResult, error) {
	page, err := l.indexed(l.of(request.CredentialKey), request.PageRequest)
	if leave, ok := ctx.Value(leaveKey{}).(context.CancelFunc); ok {
		leave()
		if request.PageSize%2 == 0 {
			return pages.FetchResult{}, context.Cause(ctx)
		}
	}
	runtime.Gosched()
	return pages.FetchResult{Page: page, Request: request.PageRequest}, err
}

// slowReader is a response writer that yields to other goroutines between the parts of a response.
type slowReader struct {
	header http.Header
	body   []byte
}

func (s *slowReader) Header() http.Header { return s.header }

func (s *slowReader) WriteHeader(int) {}

func (s *slowReader) Write(b []byte) (int, error) {
	for piece := range slices.Chunk(b, len(b)/3+1) {
		runtime.Gosched()
		s.body = append(s.body, piece...)
	}
	return len(b), nil
}

func TestProjection_callersApart(t *testing.T) {
	t.Parallel()
	const callers, workers = 24, 16
	requests := testmode.Count(2_000, 20_000)
	operations := []string{
		`{ cvms(first: 2) { nodes { name } } }`,
		`{ cvms(first: 100) { totalCount edges { cursor node { id name hosted { events { body } } } } pageInfo { endCursor } } }`,
		`{ cvms(last: 7) { nodes { id vmId name status } } }`,
		`{ cvms(first: 60) { nodes { name ... on Cvm @defer { hosted { events { body } } } } } }`,
		`{ cvms(first: 150) { nodes { name listed } } }`,
		`{ cvm(vmId: "second") { name hosted { events { body } } } }`,
		`{ cvms(first: 40) { nodes { vcpu name } } }`, // with an error for each item
		`{ cvms { totalCount } }`,
	}
	s := newFakeSource()
	name := func(caller int) string { return fmt.Sprintf("of-%d-alone", caller) }
	for caller := range callers {
		var items []string
		for i := range 3 + caller*7 {
			id := fmt.Sprint(i)
			if i == 1 {
				id = "second"
			}
			body := strings.Repeat(name(caller)+" ", 1+i%30)
			if caller == callers-1 { // whose largest responses exceed the size of a reused buffer
				body = strings.Repeat(body, 40)
			}
			items = append(items, fmt.Sprintf(`{"hosted":{"id":%q,"events":[{"body":%q}]},"name":"%s-%d","vcpu":"%s"}`, id, body, name(caller), i, name(caller)))
		}
		s.putItems(fmt.Sprint("Bearer ", caller), caller%2 == 0, items...)
	}
	alone := make(map[[2]int]string)
	for caller := range callers {
		for i, operation := range operations {
			a := say(stockGateway(t, s, true), fmt.Sprint("Bearer ", caller), operation, "", nil)
			if strings.Count(a, "of-") != strings.Count(a, name(caller)) || strings.Contains(a, "INTERNAL") {
				t.Fatalf("got %.300s, want only items of %s", a, name(caller))
			}
			alone[[2]int{caller, i}] = a
		}
	}
	handler := stockGateway(t, leaving{s}, true)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			r := random{rand.New(rand.NewPCG(fixedSeed, uint64(worker)))}
			for range requests / workers {
				caller, i := r.IntN(callers), r.IntN(len(operations))
				ctx, cancel := context.WithCancel(t.Context())
				leaves := r.in100(15)
				switch {
				case leaves && r.in100(20):
					cancel()
				case leaves:
					ctx = context.WithValue(ctx, leaveKey{}, cancel)
				}
				got := hear(ctx, t, handler, fmt.Sprint("Bearer ", caller), operations[i], r.in100(20))
				cancel()
				if want := alone[[2]int{caller, i}]; got != want && !leaves {
					t.Errorf("caller %d, %s: got %.300s, want %.300s", caller, operations[i], got, want)
					return
				}
				if strings.Count(got, "of-") != strings.Count(got, name(caller)) {
					t.Errorf("caller %d, %s: got %.300s, want only items of %s", caller, operations[i], got, name(caller))
					return
				}
			}
		})
	}
	group.Wait()
}

// hear sends an operation and reads the response slowly, with or without gzip.
func hear(ctx context.Context, t *testing.T, handler http.Handler, caller, query string, zipped bool) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err)
	}
	request := &http.Request{
		Method: http.MethodPost, URL: graphqlURL, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {caller}},
	}
	if zipped {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	w := &slowReader{header: make(http.Header)}
	handler.ServeHTTP(w, request.WithContext(ctx))
	if w.header.Get("Content-Encoding") != "gzip" {
		return string(w.body)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(w.body))
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
