package graph_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
)

// TestNullArgument sends null for a variable whose default lets it stand for an argument of a
// non-null type.
func TestNullArgument(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`query($x: ID = "a") { cvm(vmId: $x) { id } }`:                                                                                        `vmId: Argument "vmId" of non-null type "ID!" must not be null: the variable "$x" is null at cvm`,
		`query($x: ID = "a") { node(id: $x) { id } }`:                                                                                         `id: Argument "id" of non-null type "ID!" must not be null: the variable "$x" is null at node`,
		`query($x: [ID!] = []) { nodes(ids: $x) { id } }`:                                                                                     `ids: Argument "ids" of non-null type "[ID!]!" must not be null: the variable "$x" is null at nodes`,
		`query($x: ID = "a") { nodes(ids: $x) { id } }`:                                                                                       "",
		`query($x: ID = "a") { nodes(ids: ["b", $x]) { id } }`:                                                                                `ids: Argument "ids" has an element of non-null type "ID!", which must not be null: the variable "$x" is null at nodes`,
		`query($x: [_Any!] = []) { _entities(representations: $x) { __typename } }`:                                                           `representations: Argument "representations" of non-null type "[_Any!]!" must not be null: the variable "$x" is null at _entities`,
		`query($x: _Any = {}) { _entities(representations: [$x]) { __typename } }`:                                                            `representations: Argument "representations" has an element of non-null type "_Any!", which must not be null: the variable "$x" is null at _entities`,
		`query($x: String = "Cvm") { __type(name: $x) { name } }`:                                                                             `name: Argument "name" of non-null type "String!" must not be null: the variable "$x" is null at __type`,
		`query($x: String = "Cvm") { a: __type(name: $x) { name } }`:                                                                          `name: Argument "name" of non-null type "String!" must not be null: the variable "$x" is null at a`,
		`query($x: ID = "a") { ...f } fragment f on Query { b: cvm(vmId: $x) { id } }`:                                                        `vmId: Argument "vmId" of non-null type "ID!" must not be null: the variable "$x" is null at b`,
		`query A($x: ID = "a") { ...f } query B($x: ID! = "a") { ...f } fragment f on Query { ... @skip(if: false) { node(id: $x) { id } } }`: `id: Argument "id" of non-null type "ID!" must not be null: the variable "$x" is null at node`,
	} {
		for _, projected := range []bool{true, false} {
			g := newGateway(t, demo.New(demo.Options{}), func(r *graph.Resolver) { r.Projection = projected })
			body, err := json.Marshal(vars{"query": query, "operationName": operationOf(query), "variables": vars{"x": nil}})
			if err != nil {
				t.Fatal(err)
			}
			var a response
			if err := json.Unmarshal(g.send(t, "POST", "/graphql", string(body)).Body.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			if e := a.onlyError(t); want == "" {
				if e.code() != "GRAPHQL_VALIDATION_FAILED" {
					t.Errorf("%s: got %+v, want GRAPHQL_VALIDATION_FAILED", query, e)
				}
			} else if got := e.Extensions["argument"].(string) + ": " + e.Message + " at " + dotted(e.Path); e.code() != "BAD_USER_INPUT" || got != want {
				t.Errorf("%s: got %v: %s, want BAD_USER_INPUT: %s", query, e.code(), got, want)
			}
			if calls := g.takeCalls(); len(calls) > 0 || g.log.Len() > 0 {
				t.Errorf("%s: got the upstream calls %q and the log %s, want neither", query, calls, g.log.String())
			}
		}
	}
}

// operationOf returns the name of a document's first operation, or an empty string.
func operationOf(query string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(query, "query"), "(")
	return strings.TrimSpace(name)
}

// TestNullArgument_otherFields checks that the other fields of the operation are resolved, and that
// their lookups do not search for the null.
func TestNullArgument_otherFields(t *testing.T) {
	t.Parallel()
	g := newGateway(t, listOf(`{"hosted": {"id": "a"}}`))
	const query = `query($x: ID = "b", $y: ID) { a: cvm(vmId: "a") { vmId } b: cvm(vmId: $x) { vmId } t: __typename
		c: nodes(ids: ["Q3ZtOmE"]) { id } _entities(representations: [{__typename: "Cvm", vmId: $y}]) { __typename } }`
	a := g.post(t, query, vars{"x": nil, "y": nil}, nil)
	paths := make([]string, 0, 2)
	for _, e := range a.Errors {
		paths = append(paths, dotted(e.Path))
	}
	if slices.Sort(paths); !slices.Equal(paths, []string{"_entities.0", "b"}) {
		t.Errorf("got the errors %+v, want one at b and one at _entities.0", a.Errors)
	}
	if got := string(a.Data["a"]) + string(a.Data["b"]) + string(a.Data["t"]) + string(a.Data["_entities"]); got != `{"vmId":"a"}null"Query"[null]` {
		t.Errorf("got %s, want the other fields", a.raw)
	}
	if calls := g.takeCalls(); len(calls) != 1 {
		t.Errorf("got the upstream calls %q, want one", calls)
	}
}

func TestNullArgument_defaultIsUsed(t *testing.T) {
	t.Parallel()
	g := newGateway(t, listOf(`{"hosted": {"id": "a"}}`))
	const query = `query($x: ID = "a") { cvm(vmId: $x) { vmId } }`
	if a := g.post(t, query, nil, nil); string(a.Data["cvm"]) != `{"vmId":"a"}` {
		t.Errorf("got %s, want the CVM of the default", a.raw)
	}
	// The default of another operation is not used.
	const shared = `query A($x: ID) { ...f } query B($x: ID = "a") { ...f }
		fragment f on Query { _entities(representations: [{__typename: "Cvm", vmId: $x}]) { ... on Cvm { vmId } } }`
	for operation, want := range map[string]string{"A": "[null]", "B": `[{"vmId":"a"}]`} {
		body, err := json.Marshal(vars{"query": shared, "operationName": operation})
		if err != nil {
			t.Fatal(err)
		}
		var a response
		if err := json.Unmarshal(g.send(t, "POST", "/graphql", string(body)).Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if got := string(a.Data["_entities"]); got != want {
			t.Errorf("%s: got %s, want %s", operation, got, want)
		}
	}
}

func TestNullCondition(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	for _, query := range []string{
		`query($a: Boolean = true) { cvms @skip(if: $a) { totalCount } }`,
		`query($a: Boolean = true) { cvms { nodes { name @include(if: $a) } } }`,
		`query($a: Boolean = true) { ...f } fragment f on Query { ... @include(if: $a) { cvms { totalCount } } }`,
		`query($a: Boolean = true) { ...f @skip(if: $a) __typename } fragment f on Query { cvms { totalCount } }`,
		`query($a: Boolean = true) { __typename @include(if: false) @skip(if: $a) }`,
		`query($a: Boolean = true) { __typename @skip(if: false) @include(if: $a) }`,
		`query($a: Boolean = true) { cvms @include(if: true) { nodes { ...f } } } fragment f on Cvm { ... on Node @skip(if: false) { id @skip(if: $a) } }`,
		`query($a: Boolean = true) { __schema { types { name @skip(if: $a) } } }`,
	} {
		if e := g.post(t, query, vars{"a": nil}, nil).onlyError(t); e.code() != "BAD_USER_INPUT" || !strings.Contains(e.Message, "variable $a") ||
			len(e.Locations) != 1 || e.Locations[0].Line != 1 || e.Locations[0].Column != strings.LastIndex(query, "$a")+1 {
			t.Errorf("%s: got %+v, want BAD_USER_INPUT that names the variable, at its place", query, e)
		}
		if calls := g.takeCalls(); len(calls) > 0 {
			t.Errorf("%s: got the upstream calls %q, want none", query, calls)
		}
		if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
			t.Errorf("%s, with its default: got %+v, want data", query, a.Errors)
		}
		g.takeCalls()
	}
	if len(g.log.String()) > 0 {
		t.Errorf("log: got %s, want nothing", g.log.String())
	}
}

// TestNullCondition_notEvaluated sends null for a variable of conditions that the execution does
// not evaluate, or that may be null.
func TestNullCondition_notEvaluated(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`query($d: Boolean) { ... @defer(if: $d) { __typename } }`:                                                                                       `{"__typename":"Query"}`,
		`query($d: Boolean = true) { ...f @defer(if: $d) } fragment f on Query { __typename }`:                                                           `{"__typename":"Query"}`,
		`query($d: Boolean) { __type(name: "Int64") { name fields(includeDeprecated: $d) { name } } }`:                                                   `{"__type":{"name":"Int64",`,
		`query A($d: Boolean) { ... @defer(if: $d) { __typename } } query B($d: Boolean = true) { __typename @skip(if: $d) }`:                            `{"__typename":"Query"}`,
		`query A($d: Boolean) { ... @defer(if: $d) { __typename } } query B($d: Boolean! ) { ...f } fragment f on Query { a: __typename @skip(if: $d) }`: `{"__typename":"Query"}`,
		`query($d: Boolean = true) { __typename a: __typename @skip(if: true) @include(if: $d) }`:                                                        `{"__typename":"Query"}`,
		`query($d: Boolean = true) { __typename a: __typename @include(if: $d) @skip(if: true) }`:                                                        `{"__typename":"Query"}`,
		`query($d: Boolean = true) { __typename ...f @include(if: $d) @skip(if: true) } fragment f on Query { a: __typename }`:                           `{"__typename":"Query"}`,
		`query($d: Boolean = true) { __typename ... @include(if: $d) @skip(if: true) { a: __typename } }`:                                                `{"__typename":"Query"}`,
		`query($d: Boolean = true) { __typename cvms @skip(if: true) { nodes { name @skip(if: $d) } } }`:                                                 `{"__typename":"Query"}`,
		`query($d: Boolean = true) { __typename ... @include(if: false) { cvms { nodes { name @skip(if: $d) } } } }`:                                     `{"__typename":"Query"}`,
		`query($d: Boolean = true) { ...f ...f @skip(if: $d) } fragment f on Query { __typename }`:                                                       `{"__typename":"Query"}`,
	} {
		for _, projected := range []bool{true, false} {
			g := newGateway(t, demo.New(demo.Options{}), func(r *graph.Resolver) { r.Projection = projected })
			body, err := json.Marshal(vars{"query": query, "operationName": operationOf(query), "variables": vars{"d": nil}})
			if err != nil {
				t.Fatal(err)
			}
			w := g.send(t, "POST", "/graphql", string(body))
			if !strings.HasPrefix(w.Body.String(), `{"data":`+want) {
				t.Errorf("%s: got %.300s, want the data %s", query, w.Body, want)
			}
			if calls := g.takeCalls(); len(calls) > 0 {
				t.Errorf("%s: got the upstream calls %q, want none", query, calls)
			}
		}
	}
}
