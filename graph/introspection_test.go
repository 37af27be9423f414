package graph_test

import (
	"encoding/json"
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

// TestIntrospection_fieldsOfOtherKinds selects fields of __Type that have no meaning for a kind.
func TestIntrospection_fieldsOfOtherKinds(t *testing.T) {
	t.Parallel()
	const fields = "fields { name } interfaces { name } possibleTypes { name } enumValues { name } inputFields { name } isOneOf specifiedByURL ofType { name }"
	for _, projection := range []bool{true, false} {
		g := newGateway(t, demo.New(demo.Options{}), func(r *graph.Resolver) { r.Projection = projection })
		for name, meaningful := range map[string][]string{
			"Int64": nil, "String": nil, "PageInfo": {"fields", "interfaces"}, "Node": {"fields", "interfaces", "possibleTypes"},
			"__TypeKind": {"enumValues"}, "__Type": {"fields", "interfaces"},
		} {
			var typ map[string]any
			a := g.post(t, `{ __type(name: "`+name+`") { `+fields+` } }`, nil, nil)
			if err := json.Unmarshal(a.Data["__type"], &typ); err != nil || len(typ) != 8 {
				t.Fatalf("%s: got %s, %v, want eight fields", name, a.raw, err)
			}
			for field, value := range typ {
				if got, want := value != nil, slices.Contains(meaningful, field); got != want {
					t.Errorf("projection %v, %s.%s: got %v, want null: %v", projection, name, field, value, !want)
				}
			}
		}
		a := g.post(t, `{ __type(name: "Query") { fields { type { kind fields { name } isOneOf ofType { kind enumValues { name } } } } } }`, nil, nil)
		if got := a.raw; strings.Contains(got, "isOneOf\":false") || strings.Contains(got, "[]") || !strings.Contains(got, `"kind":"NON_NULL","fields":null`) {
			t.Errorf("projection %v: got %s, want null for a wrapping type", projection, got)
		}
	}
}
