package graph_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
)

func TestIntrospection_setting(t *testing.T) {
	t.Parallel()
	on := newGateway(t, demo.New(demo.Options{}))
	off := newGateway(t, demo.New(demo.Options{}), func(r *graph.Resolver) { r.Introspection = false })
	for _, query := range []string{"{ __schema { types { name } } }", `{ __type(name: "Cvm") { fields { name } } }`, "{ ...f } fragment f on Query { __schema { types { name } } }"} {
		if a := on.post(t, query, nil, nil); len(a.Errors) > 0 {
			t.Errorf("on, %s: got %+v, want data", query, a.Errors)
		}
		if a := off.post(t, query, nil, nil); len(a.Errors) == 0 || a.Errors[0].code() != "GRAPHQL_VALIDATION_FAILED" || a.Data != nil {
			t.Errorf("off, %s: got %s, want GRAPHQL_VALIDATION_FAILED", query, a.raw)
		}
	}
	for _, query := range []string{
		"{ cvm { totalCount } }", "{ cvms { totalCont } }", "{ cvms(frist: 1) { totalCount } }", "{ ... on Qery { cvms { totalCount } } }",
		"{ cvms }", "query($a: Itn) { cvms(first: $a) { totalCount } }", "{ cvms @skp(if: true) { totalCount } }", "{ cvms @skip(fi: true) { totalCount } }",
	} {
		if a := off.post(t, query, nil, nil); strings.Contains(strings.ToLower(a.raw), "did you mean") || len(a.Errors) == 0 {
			t.Errorf("off, %s: got %s, want an error without suggestions", query, a.raw)
		}
	}
	if a := on.post(t, "{ cvms { totalCont } }", nil, nil); !strings.Contains(a.raw, "Did you mean") {
		t.Errorf("on: got %s, want a suggestion", a.raw)
	}
	if a := off.post(t, "{ __typename }", nil, nil); len(a.Errors) > 0 {
		t.Errorf("off, __typename: got %+v, want data", a.Errors)
	}
}

// TestMessages_repeatNoString sends a string in places where it is not valid.
func TestMessages_repeatNoString(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const secret = "phak_s3cret!"
	for query, want := range map[string]string{
		`{ cvms(first: "` + secret + `") { totalCount } }`:                    "Int cannot represent non-integer value: a string",
		`{ cvms(first: ["` + secret + `"]) { totalCount } }`:                  "Int cannot represent non-integer value: a list",
		`{ cvms(after: {a: "` + secret + `"}) { totalCount } }`:               `Field "a" is not defined by type "String".`,
		`query($a: Int = """` + secret + `""") { cvms(first: $a) { nodes } }`: "Int cannot represent non-integer value: a string",
		`{ "` + secret + `" }`:                           "Expected Name, found String",
		`{ cvms(first: 1 """` + secret + `""") }`:        "Expected Name, found BlockString",
		`query "` + secret + `" { cvms { totalCount } }`: "Expected {, found String",
		`{ cvms(first: true) { totalCount } }`:           "Int cannot represent non-integer value: true",
	} {
		a := g.post(t, query, nil, nil)
		if len(a.Errors) == 0 || a.Errors[0].Message != want || strings.Contains(a.raw, "s3cret") {
			t.Errorf("%s: got %s, want %q first", query, a.raw, want)
		}
	}
	for _, body := range []string{
		`{"query":"{ __typename }","operationName":"` + secret + `"}`,
		`{"query":"query($a: Int) { cvms(first: $a) { totalCount } }","variables":{"a":"` + secret + `"}}`,
		`{"query":"query($a: [ID!]!) { nodes(ids: $a) { id } }","variables":{"a":{"` + secret + `":[]}}}`,
	} {
		if w := g.send(t, http.MethodPost, "/graphql", body); strings.Contains(w.Body.String(), secret) || !strings.Contains(w.Body.String(), `"errors"`) {
			t.Errorf("%s: got %s, want an error without the string", body, w.Body)
		}
	}
	lines := "{ cvms(user\"\"\"a\nb\"\"\": 1) }"
	if a := g.post(t, lines, nil, nil); a.onlyError(t).code() != "GRAPHQL_PARSE_FAILED" || strings.Contains(a.raw, `"column":-`) {
		t.Errorf("%q: got %s, want GRAPHQL_PARSE_FAILED, and no column below 1", lines, a.raw)
	}
}

// graphiQLIntrospection is the introspection query of graphql-js, which GraphiQL sends.
const graphiQLIntrospection = `query IntrospectionQuery {
  __schema { queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType } directives { name description locations args { ...InputValue } isRepeatable } } }
fragment FullType on __Type { kind name description specifiedByURL
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

func TestIntrospection_graphiQL(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	if a := g.post(t, graphiQLIntrospection, nil, http.Header{}); len(a.Errors) > 0 {
		t.Errorf("got %+v, want the schema", a.Errors)
	}
}

func TestErrors_haveCode(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	codes := map[any]bool{}
	for _, query := range []string{"", "{", "{ x }", "mutation { x }", "{ cvms(first: -1) { totalCount } }", "{ cvms(first: 99999999999) { totalCount } }", "{" + aliases(40) + "}"} {
		for _, e := range g.post(t, query, nil, nil).Errors {
			if e.code() == nil || e.Message == "" {
				t.Errorf("%s: got %+v, want a code and a message", query, e)
			}
			codes[e.code()] = true
		}
	}
	if got := slices.Collect(maps.Keys(codes)); len(got) < 5 {
		t.Errorf("got the codes %v, want at least five", got)
	}
}
