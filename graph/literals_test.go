package graph_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// literals returns a literal of each kind, by a name.
func literals() map[string]string {
	return map[string]string{
		"int":           "7",
		"negative int":  "-7",
		"33 bits":       "3000000000",
		"65 bits":       "99999999999999999999",
		"400 digits":    strings.Repeat("9", 400),
		"fraction":      "1.5",
		"exponent":      "1e3",
		"infinite":      "1e999",
		"string":        `"a"`,
		"empty string":  `""`,
		"number string": `"7"`,
		"block string":  `"""a"""`,
		"true":          "true",
		"null":          "null",
		"enum value":    "OBJECT",
		"other enum":    "NOPE",
		"{}":            "{}",
		"object":        "{a: 7}",
		"nested object": "{a: {b: [{}]}}",
		"big in object": "{a: [{b: 1e999}]}",
		"[]":            "[]",
		"[int]":         "[7]",
		"[string]":      `["a", """b"""]`,
		"[null]":        "[null]",
		"[true]":        "[true]",
		"[fraction]":    "[1.5]",
		"[{}]":          "[{}]",
		"[[]]":          "[[[]]]",
		"[[string]]":    `[["a"]]`,
	}
}

// acceptedLiterals returns the names of the literals that a type accepts. They are those that
// graphql-js accepts, except that Int64 takes integers only, and that a number of another type than
// ID may have at most 64 bits.
func acceptedLiterals(typeName string) []string {
	integers := []string{"int", "negative int", "33 bits", "65 bits", "400 digits"}
	stringKinds := []string{"string", "empty string", "number string", "block string"}
	var accepted []string
	switch strings.Trim(typeName, "!") {
	case "Int":
		accepted = []string{"int", "negative int"}
	case "Int64":
		accepted = []string{"int", "negative int", "33 bits"}
	case "Float":
		accepted = []string{"int", "negative int", "33 bits", "65 bits", "fraction", "exponent"}
	case "String":
		accepted = stringKinds
	case "Boolean":
		accepted = []string{"true"}
	case "ID":
		accepted = slices.Concat(integers, stringKinds)
	case "[ID!]":
		accepted = slices.Concat(integers, stringKinds, []string{"[]", "[int]", "[string]"})
	case "__TypeKind":
		accepted = []string{"enum value"}
	case "_Any":
		for name := range literals() {
			if !slices.Contains([]string{"65 bits", "400 digits", "infinite", "big in object", "null"}, name) {
				accepted = append(accepted, name)
			}
		}
	case "[_Any!]":
		return slices.DeleteFunc(acceptedLiterals("_Any!"), func(name string) bool { return name == "[null]" })
	}
	if !strings.HasSuffix(typeName, "!") {
		accepted = append(accepted, "null")
	}
	return accepted
}

// position is a place in a document, which is written as $$, and the type of its literals.
type position struct{ document, typeName string }

func positions() map[string]position {
	const inRepresentation = `{ _entities(representations: [{__typename: "Cvm", id: $v}]) { __typename } }`
	return map[string]position{
		"first":                        {"{ cvms(first: $$) { totalCount } }", "Int"},
		"last":                         {"{ a: cvms(last: $$) { nodes { id } } }", "Int"},
		"nodeId":                       {"{ cvms(first: 1, nodeId: $$) { totalCount } }", "Int"},
		"nodeId in a fragment":         {"{ ...f } fragment f on Query { cvms(nodeId: $$) { totalCount } }", "Int"},
		"after":                        {"{ cvms(after: $$) { totalCount } }", "String"},
		"before":                       {"{ cvms(before: $$) { totalCount } }", "String"},
		"userId":                       {"{ ... { cvms(userId: $$) { totalCount } } }", "String"},
		"id":                           {"{ node(id: $$) { id } }", "ID!"},
		"vmId":                         {"{ cvm(vmId: $$) { id } }", "ID!"},
		"ids":                          {"{ nodes(ids: $$) { id } }", "[ID!]!"},
		"an element of ids":            {"{ nodes(ids: [$$]) { id } }", "ID!"},
		"ids after an element":         {`{ nodes(ids: ["a", $$]) { id } }`, "ID!"},
		"representations":              {"{ _entities(representations: $$) { __typename } }", "[_Any!]!"},
		"a representation":             {"{ _entities(representations: [$$]) { __typename } }", "_Any!"},
		"a key of a representation":    {`{ _entities(representations: [{__typename: "Cvm", vmId: $$}]) { __typename } }`, "_Any"},
		"representations, conditional": {"{ a: __typename ... { _entities(representations: $$) { __typename } } }", "[_Any!]!"},
		"a type's name":                {"{ __type(name: $$) { name } }", "String!"},
		"deprecated fields":            {`{ __type(name: "Cvm") { fields(includeDeprecated: $$) { name } } }`, "Boolean"},
		"deprecated arguments":         {`{ __type(name: "Query") { fields { args(includeDeprecated: $$) { name } } } }`, "Boolean"},
		"deprecated values":            {`{ __type(name: "Cvm") { enumValues(includeDeprecated: $$) { name } } }`, "Boolean"},
		"@skip of a field":             {"{ __typename @skip(if: $$) }", "Boolean!"},
		"@include of a field":          {"{ cvms { totalCount @include(if: $$) } }", "Boolean!"},
		"@skip of an inline fragment":  {"{ ... @skip(if: $$) { __typename } }", "Boolean!"},
		"@include of a spread":         {"{ ...f @include(if: $$) } fragment f on Query { __typename }", "Boolean!"},
		"@skip beside @include":        {"{ __typename @include(if: true) @skip(if: $$) }", "Boolean!"},
		"@skip in an unevaluated part": {"{ __typename ... @skip(if: true) { cvms { nodes { name @skip(if: $$) } } } }", "Boolean!"},
		"@defer of a spread":           {"{ ...f @defer(if: $$) } fragment f on Query { __typename }", "Boolean"},
		"@defer of an inline fragment": {"{ ... @defer(label: $$) { __typename } }", "String"},
		"a default of Int":             {"query($v: Int = $$) { cvms(first: $v) { totalCount } }", "Int"},
		"a default of Int!":            {"query($v: Int! = $$) { cvms(first: $v) { totalCount } }", "Int!"},
		"a default of String":          {"query($v: String = $$) { cvms(userId: $v) { totalCount } }", "String"},
		"a default of ID!":             {"query($v: ID! = $$) { cvm(vmId: $v) { id } }", "ID!"},
		"a default of [ID!]!":          {"query($v: [ID!]! = $$) { nodes(ids: $v) { id } }", "[ID!]!"},
		"a default of Boolean":         {"query($v: Boolean! = $$) { __typename @skip(if: $v) }", "Boolean!"},
		"a default of _Any":            {"query($v: _Any! = $$) { _entities(representations: [$v]) { __typename } }", "_Any!"},
		"a default of Float":           {"query($v: Float = $$) " + inRepresentation, "Float"},
		"a default of Int64":           {"query($v: Int64 = $$) " + inRepresentation, "Int64"},
		"a default of an enum":         {"query($v: __TypeKind = $$) " + inRepresentation, "__TypeKind"},
	}
}

// TestLiterals sends a literal of each kind in each position, by POST and by GET, with and without
// a credential.
func TestLiterals(t *testing.T) {
	t.Parallel()
	for where, position := range positions() {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{Items: 3}))
			accepted := acceptedLiterals(position.typeName)
			for kind, literal := range literals() {
				g.checkEachWay(t, strings.ReplaceAll(position.document, "$$", literal), nil, slices.Contains(accepted, kind))
			}
			if g.log.Len() > 0 {
				t.Errorf("log: got %s, want nothing", g.log.String())
			}
		})
	}
}

// checkEachWay sends a document that is valid or not by POST and by GET, with and without a
// credential, and checks the responses. The variables can be nil.
func (g *gateway) checkEachWay(t *testing.T, query string, variables json.RawMessage, valid bool) {
	t.Helper()
	body, err := json.Marshal(vars{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	target := get(query)
	if variables != nil {
		target = get(query, "variables", string(variables))
	}
	for _, authorization := range []string{"Bearer " + tenant().Bearer, ""} {
		for _, w := range []*httptest.ResponseRecorder{
			g.send(t, http.MethodPost, "/graphql", string(body), "Authorization", authorization, "Accept", mediaGraphQL),
			g.send(t, http.MethodGet, target, "", "Authorization", authorization, "Accept", mediaGraphQL),
		} {
			g.checkCell(t, query+" "+string(variables), w, valid)
		}
	}
}

// goTexts returns parts of messages of Go and of its libraries.
func goTexts() []string {
	return []string{
		"strconv", "unmarshal", "json.Number", "%!", "interface", "reflect", "runtime error", "nil", "float64", "int64 ",
		"map[", "cannot use", "must be defined", "unexpected type",
	}
}

// checkCell checks the response to a document that is valid or not: a valid one has data, or an
// error of a field about the value, and an invalid one causes no upstream call.
func (g *gateway) checkCell(t *testing.T, request string, w *httptest.ResponseRecorder, valid bool) {
	t.Helper()
	calls := g.takeCalls()
	var got response
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%s: got %.300q, want JSON", request, w.Body)
	}
	wantStatus := http.StatusOK
	if !valid {
		wantStatus = http.StatusBadRequest
	}
	if w.Code != wantStatus {
		t.Errorf("%s: got status %d, want %d: %.300s", request, w.Code, wantStatus, w.Body)
	}
	if !valid && (len(calls) > 0 || got.Data != nil || len(got.Errors) == 0) {
		t.Errorf("%s: got %d upstream calls and %.300s, want no calls, and errors without data", request, len(calls), w.Body)
	}
	for _, e := range got.Errors {
		if code := e.code(); valid != (code == "BAD_USER_INPUT" || code == "UNAUTHENTICATED") || !valid && code != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: got %v: %s", request, code, e.Message)
		}
		if !valid && len(e.Path) > 0 {
			t.Errorf("%s: got the path %v, want none", request, e.Path)
		}
		for _, text := range goTexts() {
			if strings.Contains(e.Message, text) {
				t.Errorf("%s: got %q, want no %q", request, e.Message, text)
			}
		}
	}
}

func TestLiterals_messages(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	for query, want := range map[string]string{
		`{ __typename @skip(if: {}) }`:                                                         "Boolean cannot represent a non boolean value: {}",
		`{ nodes(ids: [{}]) { id } }`:                                                          "ID cannot represent a non-string and non-integer value: {}",
		`{ nodes(ids: {a: "b"}) { id } }`:                                                      "ID cannot represent a non-string and non-integer value: an object",
		`{ cvms(first: [7]) { totalCount } }`:                                                  "Int cannot represent non-integer value: [7]",
		`{ cvms(first: 3000000000) { totalCount } }`:                                           "Int cannot represent non 32-bit signed integer value: 3000000000",
		`{ cvms(after: NOPE) { totalCount } }`:                                                 "String cannot represent a non string value: NOPE",
		`{ __type(name: null) { name } }`:                                                      `Expected value of type "String!", found null.`,
		`{ _entities(representations: 1e999) { __typename } }`:                                 "A number cannot have more than 64 bits: 1e999",
		`{ ...f ...f } fragment f on Query { __type(name: 1) {name}}`:                          "String cannot represent a non string value: 1",
		`query($v: __TypeKind = NOPE) { _entities(representations: {id: $v}) { __typename } }`: `Value "NOPE" does not exist in "__TypeKind" enum.`,
		`{ cvms(first: ` + strings.Repeat("9", 5000) + `) { totalCount } }`:                    "Int cannot represent non 32-bit signed integer value: " + strings.Repeat("9", 100) + "…",
	} {
		if e := g.post(t, query, nil, nil).onlyError(t); e.Message != want {
			t.Errorf("%s: got %q, want %q", query, e.Message, want)
		}
	}
}
