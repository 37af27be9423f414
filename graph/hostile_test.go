package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

// hostile is an expensive document and the code of its error, which is empty if it is executed.
type hostile struct{ query, wantCode string }

func hostileDocuments() map[string]hostile {
	fragments := func(n int) string { // each of which spreads the next one twice
		var b strings.Builder
		b.WriteString("{ ...f0 }")
		for i := range n {
			fmt.Fprintf(&b, " fragment f%d on Query { ...f%d ...f%d }", i, i+1, i+1)
		}
		fmt.Fprintf(&b, " fragment f%d on Query { __typename }", n)
		return b.String()
	}
	nest := func(n int) string {
		return "{ __schema { types " + strings.Repeat("{ fields { type ", n) + "{ name }" + strings.Repeat(" } }", n) + " } }"
	}
	return map[string]hostile{
		"88 KB of __typename":               {"{" + strings.Repeat(" __typename", 8000) + "}", "QUERY_TOO_COMPLEX"},
		"1,900 times __typename":            {"{" + strings.Repeat(" __typename", 1900) + "}", "QUERY_TOO_COMPLEX"},
		"1,900 times __typename, nested":    {"{ cvms {" + strings.Repeat(" __typename", 1900) + "} }", "QUERY_TOO_COMPLEX"},
		"300 times __typename, nested":      {"{ cvms {" + strings.Repeat(" __typename", 300) + "} }", ""},
		"sets that have to be merged":       {"{ cvms {" + strings.Repeat(" nodes { id name }", 300) + "} }", ""},
		"sets within sets":                  {"{" + strings.Repeat(" cvms { nodes { hosted { configuration { composeFile { name } } } } }", 30) + "}", ""},
		"4 KB of @a":                        {"{ __typename " + strings.Repeat("@a", 2000) + " }", "QUERY_TOO_COMPLEX"},
		"900 unknown directives":            {"{ __typename " + strings.Repeat("@a", 900) + " }", "QUERY_TOO_COMPLEX"},
		"80 KB of unknown directives":       {"{ __typename " + strings.Repeat("@abcdefg ", 9000) + " }", "QUERY_TOO_COMPLEX"},
		"31 aliases":                        {"{" + aliases(31) + "}", "QUERY_TOO_COMPLEX"},
		"30 aliases":                        {"{" + aliases(30) + "}", ""},
		"16 levels":                         {nest(7), "QUERY_TOO_COMPLEX"},
		"fragments that double 30 times":    {fragments(30), "QUERY_TOO_COMPLEX"},
		"fragments that double 90 times":    {fragments(90), "QUERY_TOO_COMPLEX"},
		"a cycle of fragments":              {"{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "GRAPHQL_VALIDATION_FAILED"},
		"unknown fields":                    {"{ cvms { " + strings.Repeat("nope ", 290) + "} }", "GRAPHQL_VALIDATION_FAILED"},
		"many unknown fields, deep":         {"{" + strings.Repeat(" cvms { nodes { hosted { no nope nopenope }}}", 30) + "}", "GRAPHQL_VALIDATION_FAILED"},
		"6 lists in the type of a variable": {"query($a: [[[[[[Int]]]]]]) { _entities(representations: [$a]) { __typename } }", "QUERY_TOO_COMPLEX"},
		"unknown fields of 90 operations": {
			strings.Repeat("query A { ...f } ", 90) + "fragment f on Query { cvms { nodes {" + strings.Repeat(" nope", 290) + "} } }", "GRAPHQL_VALIDATION_FAILED",
		},
		"a name of 200 KB":    {"{ " + strings.Repeat("a", 200<<10) + " }", "QUERY_TOO_COMPLEX"},
		"a string of 200 KB":  {`{ cvms(after: "` + strings.Repeat("a", 200<<10) + `") { totalCount } }`, "BAD_USER_INPUT"},
		"a comment of 200 KB": {"{ __typename } #" + strings.Repeat("a", 200<<10), ""},
		"unknown arguments":   {"{ cvms(" + strings.Repeat("a: 1 ", 400) + ") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"},
		"a list in a list":    {"{ cvms(first: " + strings.Repeat("[", 900) + strings.Repeat("]", 900) + ") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"},
		"many operations":     {strings.Repeat("query A { __typename } ", 300), "GRAPHQL_VALIDATION_FAILED"},
		"many variables":      {"query(" + strings.Repeat("$a: Int ", 400) + ") { __typename }", "GRAPHQL_VALIDATION_FAILED"},
		"control characters":  {"{ \x01\x02 }", "GRAPHQL_PARSE_FAILED"},
		"opening braces":      {strings.Repeat("{a", 900), "GRAPHQL_PARSE_FAILED"},
	}
}

func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range hostileDocuments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{Items: 3}))
			body, err := json.Marshal(map[string]string{"query": test.query})
			if err != nil {
				t.Fatal(err)
			}
			w := g.send(t, http.MethodPost, "/graphql", string(body))
			if w.Body.Len() > 64<<10 {
				t.Errorf("response: got %d bytes, want at most 64 KiB", w.Body.Len())
			}
			if test.wantCode == "" {
				if strings.Contains(w.Body.String(), `"errors"`) {
					t.Errorf("got %.300s, want data", w.Body)
				}
				return
			}
			var got response
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) == 0 || got.Errors[0].code() != test.wantCode {
				t.Fatalf("got %.300s, want %s", w.Body, test.wantCode)
			}
			if test.wantCode == "QUERY_TOO_COMPLEX" {
				limit, _ := got.Errors[0].Extensions["limit"].(float64)
				actual, _ := got.Errors[0].Extensions["actual"].(float64)
				if limit <= 0 || actual <= limit {
					t.Errorf("got limit %v and actual %v, want an actual value above the limit", limit, actual)
				}
			}
			if len(got.Errors) > 101 {
				t.Errorf("got %d errors, want at most 101", len(got.Errors))
			}
		})
	}
}

// TestHostileDocuments_cpuTime checks that no request takes more than 150 ms of CPU time. No
// document is cached.
func TestHostileDocuments_cpuTime(t *testing.T) { //nolint:paralleltest // it measures the CPU time of the process
	if testmode.Race {
		t.Skip("the race detector takes most of the CPU time")
	}
	const limit = 150 * time.Millisecond
	list := cost.NewList(0)
	cursors, err := list.Cursors(1000)
	if err != nil {
		t.Fatal(err)
	}
	documents := hostileDocuments()
	documents["seven sets of 270 fields"] = hostile{query: denseDocument(270)}
	thirty := func(name, head, format string, argument func(i int) any) {
		var b strings.Builder
		for i := range 30 {
			fmt.Fprintf(&b, " f%d: "+format, i, argument(i))
		}
		documents[name] = hostile{query: head + " {" + b.String() + " }"}
	}
	after := func(i int) any { return cursors[i*20+19] }
	thirty("30 adjacent windows", "query", "cvms(first: 20, after: %q) { nodes { id } }", after)
	thirty("30 long windows that overlap", "query", "cvms(first: 1000, after: %q) { pageInfo { hasNextPage } }", after)
	thirty("30 long windows from the front", "query", "cvms(first: %d) { pageInfo { hasNextPage } }", func(i int) any { return 1000 - i })
	thirty("30 long windows from the back", "query", "cvms(last: %d) { pageInfo { hasNextPage } }", func(i int) any { return 1000 - i })
	thirty("30 long windows of 30 lists", "query", "cvms(first: 1000, nodeId: %d) { pageInfo { hasNextPage } }", func(i int) any { return i + 1 })
	thirty("1000 ids, 30 times", "query($ids: [ID!]!)", "nodes(ids: $ids) { id ... on Cvm @skip(if: %v) { name } }", func(int) any { return true })
	thirty("60,000 ids, 30 times", "query($many: [ID!]!)", "nodes(ids: $many) { id ... on Cvm @skip(if: %v) { name } }", func(int) any { return true })
	thirty("the schema, 30 times", "query", "__schema { types { name description fields { name description type { name kind } } } } #%d\n", func(i int) any { return i })
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = relay.Identity{VMID: fmt.Sprint("none ", i)}.NodeID()
	}
	g := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages = list.Cached() })
	for name, document := range documents {
		took := time.Hour
		for i := range 3 {
			variables := vars{"ids": ids}
			if strings.Contains(document.query, "$many") {
				variables = vars{"many": slices.Repeat([]string{"a"}, 60_000)}
			}
			body, err := json.Marshal(map[string]any{"query": fmt.Sprintf("%s\n#%d", document.query, i), "variables": variables})
			if err != nil {
				t.Fatal(err)
			}
			started := cost.CPU()
			response := serve(t.Context(), g.handler, "Bearer x", body)
			took = min(took, cost.CPU()-started)
			if document.wantCode == "" && !bytes.Contains(response, []byte(`"data":{`)) && !bytes.Contains(response, []byte("QUERY_TOO_COMPLEX")) {
				t.Fatalf("%s: got %.300s, want data or a rejection", name, response)
			}
		}
		t.Logf("%s: %v", name, took)
		if took > limit {
			t.Errorf("%s: took %v of CPU time, want at most %v", name, took, limit)
		}
	}
}

// denseDocument returns a document of seven sets of n fields.
func denseDocument(n int) string {
	repeated := func(field string) string { return strings.Repeat(" "+field, n) }
	return "{ cvms(first: 1) { nodes {" + repeated("name") + " node {" + repeated("name") + " } kmsInfo {" + repeated("chainId") + " } hosted {" +
		repeated("status") + " configuration {" + repeated("image") + " composeFile {" + repeated("name") + " } gpus { gpus {" + repeated("slot") + " } } } } } } }"
}

// TestParsedDocuments_memory sends more documents of 40 KB than the cache can hold.
func TestParsedDocuments_memory(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	if testmode.Race {
		t.Skip("the race detector needs memory")
	}
	const limit = 16 << 20 // a parsed document takes 0.5 MB and is counted as 3 MB
	g := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages = cost.NewList(0).Cached() })
	text := denseDocument(250)
	text += strings.Repeat(" ", 40<<10-len(text))
	before := heap()
	for i := range testmode.Count(60, 1000) {
		query := fmt.Sprintf("query q%d %s", i, text)
		body, err := json.Marshal(map[string]any{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		if response := serve(t.Context(), g.handler, "Bearer x", body); !bytes.HasPrefix(response, []byte(`{"data":`)) {
			t.Fatalf("got %.300s, want data", response)
		}
	}
	after := heap()
	t.Logf("%d MB more", (after-before)>>20)
	if after > before+limit {
		t.Errorf("got %d bytes more, want at most %d", after-before, limit)
	}
	runtime.KeepAlive(g)
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d: __typename", i)
	}
	return b.String()
}
