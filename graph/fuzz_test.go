package graph_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/restclient"
)

const (
	// maxRefusal is the maximum size of a response without data, in bytes.
	maxRefusal = 64 << 10
	// maxShown is the maximum length of a message, in bytes.
	maxShown = 400 + len("…")
)

// fuzzed is a gateway over a cached list, with a check of its responses.
type fuzzed struct{ handler http.Handler }

func newFuzzed(f *testing.F) fuzzed {
	f.Helper()
	pages, list := newFakeSource(), newList(random{rand.New(rand.NewPCG(fixedSeed, 3))}, restclient.ShapeHosted)
	pages.put("Bearer fuzz", list.page, true)
	g := &gateway{}
	g.serve(f, "http://upstream.invalid/api/v1", func(r *graph.Resolver) { r.Pages = pages })
	return fuzzed{g.handler}
}

// check sends an operation and checks its response: the time, the size, and the codes of its
// errors.
func (g fuzzed) check(t *testing.T, query string, variables json.RawMessage) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return // it cannot be sent
	}
	started := time.Now()
	raw := serve(t.Context(), g.handler, "Bearer fuzz", body)
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("got the response after %v", took)
	}
	var got struct {
		Data   json.RawMessage
		Errors []responseError
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("got %.500q, %v", raw, err)
	}
	if got.Data == nil && (len(got.Errors) == 0 || len(raw) > maxRefusal) || string(got.Data) == "null" && len(got.Errors) == 0 || len(got.Errors) > 101 {
		t.Errorf("got %d errors in %d bytes: %.500s", len(got.Errors), len(raw), raw)
	}
	for _, e := range got.Errors {
		switch e.code() {
		case "BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX", "UPSTREAM_INVALID_RESPONSE":
		default:
			t.Errorf("got the code %v: %.500s", e.code(), raw)
		}
		if e.Message == "" || len(e.Message) > maxShown {
			t.Errorf("got a message of %d bytes", len(e.Message))
		}
	}
}

// FuzzQuery sends arbitrary documents.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		`{ cvms(first: 2) { totalCount pageInfo { hasNextPage } edges { cursor node { id hosted { events { timestamp } } } } } }`,
		`query A($a: Int = 3, $b: Boolean!) { a: cvms(last: $a) @skip(if: $b) { nodes { ...F } } } fragment F on Cvm { name ... on Node { id } }`,
		`{ node(id: "x") { __typename id } nodes(ids: []) { id } cvm(vmId: """a""") { id } __schema { types { name } } }`,
		`{ cvms(first: 99999999999, nodeId: 1.5, userId: [1]) { x } } #`, `{ ...a } fragment a on Query { ...a }`, "mutation { x }", "{", "", `{ "\u{1}\ud83d" }`, `{ a: __typename a: cvms { totalCount } }`,
		`query($a: [ID!]! = ["x", null]) { nodes(ids: $a) { id } }`, `query($a: Nope) { __typename @include(if: $a) @skip }`,
	} {
		f.Add(query)
	}
	g := newFuzzed(f)
	f.Fuzz(func(t *testing.T, query string) { g.check(t, query, nil) })
}

// everyArgument has a variable for each argument of the schema.
const everyArgument = `query($first: Int, $after: String, $last: Int, $before: String, $nodeId: Int, $userId: String, $id: ID = "x", $ids: [ID!] = [], $if: Boolean = true) {
	cvms(first: $first, after: $after, last: $last, before: $before, nodeId: $nodeId, userId: $userId) { totalCount nodes { id } }
	... on Query @include(if: $if) { node(id: $id) { id } nodes(ids: $ids) { id } cvm(vmId: $id) { id } } }`

// FuzzVariables sends arbitrary values of variables.
func FuzzVariables(f *testing.F) {
	for _, variables := range []string{
		`{}`, `null`, `{"first":5,"if":false}`, `{"first":null,"after":"","last":2.0,"before":"x"}`, `{"first":"5","nodeId":1e3,"userId":"usr_x"}`, `{"id":5,"ids":[1,"a"]}`, `{"ids":"a","if":null}`, `{"ids":[null],"if":"x"}`,
		`{"first":99999999999999999999,"last":-0}`, `{"id":{"a":[]},"after":7}`, `{"ids":[["a"]],"id":1.5}`, `{"id":null}`, `{"after":"\u0000\ud83d"}`,
	} {
		f.Add([]byte(variables))
	}
	g := newFuzzed(f)
	f.Fuzz(func(t *testing.T, variables []byte) { g.check(t, everyArgument, variables) })
}
