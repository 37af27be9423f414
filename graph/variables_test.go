package graph_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// valuesOfVariables returns values of JSON of each kind, by a name.
func valuesOfVariables() map[string]string {
	return map[string]string{
		"int":           "7",
		"negative int":  "-7",
		"zero":          "0",
		"minus zero":    "-0",
		"7.0":           "7.0",
		"7e0":           "7e0",
		"max int":       "2147483647",
		"max int + 1":   "2147483648",
		"min int":       "-2147483648",
		"min int - 1":   "-2147483649",
		"max int in e":  "2147483647e0",
		"33 bits in e":  "3e9",
		"max int64":     "9223372036854775807",
		"max int64 + 1": "9223372036854775808",
		"1e30":          "1e30",
		"400 digits":    strings.Repeat("9", 400),
		"infinite":      "1e999",
		"fraction":      "1.5",
		"tiny fraction": "1e-9",
		"string":        `"a"`,
		"empty string":  `""`,
		"number string": `"7"`,
		"true string":   `"true"`,
		"enum value":    `"OBJECT"`,
		"enum in case":  `"object"`,
		"true":          "true",
		"null":          "null",
		"{}":            "{}",
		"object":        `{"a": 7}`,
		"[]":            "[]",
		"[int]":         "[7, 8]",
		"[string]":      `["a", "b"]`,
		"[null]":        `["a", null]`,
		"[fraction]":    `["a", 1.5]`,
		"[true]":        "[true]",
		"[{}]":          "[{}]",
		"[[string]]":    `[["a"]]`,
	}
}

// acceptedVariables returns the names of the values that a type accepts. They are those that
// graphql-js accepts, except that Int64 takes integers only, and that an ID may have any number of
// digits.
func acceptedVariables(typeName string) []string {
	ints := []string{"int", "negative int", "zero", "minus zero", "7.0", "7e0", "max int", "min int", "max int in e"}
	ids := append(slices.Clone(ints), "max int + 1", "min int - 1", "33 bits in e", "max int64", "max int64 + 1", "1e30", "400 digits")
	stringKinds := []string{"string", "empty string", "number string", "true string", "enum value", "enum in case"}
	var accepted []string
	switch strings.Trim(typeName, "!") {
	case "Int":
		accepted = ints
	case "Int64":
		accepted = slices.Concat(ints, []string{"max int + 1", "min int - 1", "33 bits in e", "max int64"})
	case "Float":
		accepted = slices.Concat(ids[:len(ids)-1], []string{"fraction", "tiny fraction"}) // without 400 digits
	case "String":
		accepted = stringKinds
	case "Boolean":
		accepted = []string{"true"}
	case "ID":
		accepted = slices.Concat(ids, stringKinds)
	case "[ID!]":
		accepted = slices.Concat(ids, stringKinds, []string{"[]", "[int]", "[string]"})
	case "__TypeKind":
		accepted = []string{"enum value"}
	case "_Any", "[_Any!]":
		for name := range valuesOfVariables() {
			if name != "null" && (typeName != "[_Any!]!" || name != "[null]") {
				accepted = append(accepted, name)
			}
		}
	}
	if !strings.HasSuffix(typeName, "!") {
		accepted = append(accepted, "null")
	}
	return accepted
}

// TestVariables sends a value of each kind for a variable of each type, by POST and by GET, with
// and without a credential.
func TestVariables(t *testing.T) {
	t.Parallel()
	const inRepresentation = `{ _entities(representations: [{__typename: "Cvm", id: $v}]) { __typename } }`
	for document, typeName := range map[string]string{
		"query($v: Int) { cvms(first: $v) { totalCount } }":                                     "Int",
		"query($v: Int = 3) { cvms(first: 1, nodeId: $v) { totalCount } }":                      "Int",
		"query($v: Int!) { a: cvms(last: $v) { nodes { id } } cvms { totalCount } }":            "Int!",
		"query($v: String) { cvms(userId: $v) { totalCount } }":                                 "String",
		"query($v: String) { ...f } fragment f on Query { cvms(after: $v) { nodes { id } } }":   "String",
		"query($v: String!) { __type(name: $v) { name } }":                                      "String!",
		"query($v: ID!) { node(id: $v) { id } }":                                                "ID!",
		"query($v: ID!) { cvm(vmId: $v) { id } }":                                               "ID!",
		"query($v: ID!) { nodes(ids: [$v]) { id } }":                                            "ID!",
		"query($v: [ID!]!) { nodes(ids: $v) { id } }":                                           "[ID!]!",
		"query($v: Boolean!) { __typename @skip(if: $v) }":                                      "Boolean!",
		"query($v: Boolean) { ... @defer(if: $v) { __typename } }":                              "Boolean",
		`query($v: Boolean) { __type(name: "Cvm") { fields(includeDeprecated: $v) { name } } }`: "Boolean",
		"query($v: _Any!) { _entities(representations: [$v]) { __typename } }":                  "_Any!",
		"query($v: [_Any!]!) { _entities(representations: $v) { __typename } }":                 "[_Any!]!",
		"query($v: _Any) " + inRepresentation:                                                   "_Any",
		"query($v: Float) " + inRepresentation:                                                  "Float",
		"query($v: Int64) " + inRepresentation:                                                  "Int64",
		"query($v: __TypeKind) " + inRepresentation:                                             "__TypeKind",
	} {
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{Items: 3}))
			accepted := acceptedVariables(typeName)
			for kind, value := range valuesOfVariables() {
				variables := json.RawMessage(`{"unknown": {"x": [1e999]}, "v": ` + value + `}`)
				g.checkEachWay(t, document, variables, slices.Contains(accepted, kind))
			}
			if g.log.Len() > 0 {
				t.Errorf("log: got %s, want nothing", g.log.String())
			}
		})
	}
}

func TestVariables_messages(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const ofInt, ofString, ofIDs = "query P($n: Int!) { cvms(first: $n) { totalCount } }",
		"query($u: String) { cvms(userId: $u) { totalCount } }", "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
	const variable = `Variable "$n" got invalid value `
	nines := strings.Repeat("9", 100)
	for name, test := range map[string]struct{ query, variables, want string }{
		"no variables":         {ofInt, `null`, `Variable "$n" of required type "Int!" was not provided.`},
		"another variable":     {ofInt, `{"N": 1}`, `Variable "$n" of required type "Int!" was not provided.`},
		"null":                 {ofInt, `{"n": null}`, `Variable "$n" of non-null type "Int!" must not be null.`},
		"a fraction":           {ofInt, `{"n": 1.5}`, variable + "1.5; Int cannot represent non-integer value: 1.5"},
		"a number of 33 bits":  {ofInt, `{"n": 3000000000}`, variable + "3000000000; Int cannot represent non 32-bit signed integer value: 3000000000"},
		"an exponent":          {ofInt, `{"n": 1e400}`, variable + "1e400; Int cannot represent non 32-bit signed integer value: 1e400"},
		"a long number":        {ofInt, `{"n": ` + nines + `9}`, variable + nines + "…; Int cannot represent non 32-bit signed integer value: " + nines + "…"},
		"a string for Int":     {ofInt, `{"n": "5"}`, variable + "a string; Int cannot represent non-integer value: a string"},
		"true for Int":         {ofInt, `{"n": true}`, variable + "true; Int cannot represent non-integer value: true"},
		"a number for String":  {ofString, `{"u": 0}`, `Variable "$u" got invalid value 0; String cannot represent a non string value: 0`},
		"an object for String": {ofString, `{"u": {"a": 1}}`, `Variable "$u" got invalid value an object; String cannot represent a non string value: an object`},
		"null in a list":       {ofIDs, `{"ids": ["a", null]}`, `Variable "$ids" got invalid value null at "ids[1]"; Expected non-nullable type "ID!" not to be null.`},
		"a fraction in a list": {ofIDs, `{"ids": ["a", "b", 1.5]}`, `Variable "$ids" got invalid value 1.5 at "ids[2]"; ID cannot represent a non-string and non-integer value: 1.5`},
		"a list in a list":     {ofIDs, `{"ids": [["a"]]}`, `Variable "$ids" got invalid value a list at "ids[0]"; ID cannot represent a non-string and non-integer value: a list`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := g.post(t, test.query, json.RawMessage(test.variables), nil).onlyError(t)
			if e.Message != test.want || e.code() != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("got %v: %s, want GRAPHQL_VALIDATION_FAILED: %s", e.code(), e.Message, test.want)
			}
		})
	}
}

// TestVariables_reachTheUpstream checks what the upstream receives of values that are converted.
func TestVariables_reachTheUpstream(t *testing.T) {
	t.Parallel()
	for variables, want := range map[string]string{
		`{"n": 7.0, "u": "0"}`:    "page=1&page_size=1&teepod_id=7&user_id=0",
		`{"n": 1e1}`:              "page=1&page_size=1&teepod_id=10",
		`{"n": null, "u": null}`:  "page=1&page_size=1",
		`{"u": "usr_1", "x": 1}`:  "page=1&page_size=1&user_id=usr_1",
		`{"n": 12, "u": "usr_é"}`: "",
	} {
		g := newGateway(t, demo.New(demo.Options{}))
		g.post(t, "query($n: Int, $u: String) { cvms(nodeId: $n, userId: $u) { totalCount } }", json.RawMessage(variables), nil)
		if got := strings.Join(g.takeCalls(), " "); got != want {
			t.Errorf("%s: got the calls %q, want %q", variables, got, want)
		}
	}
}

func TestVariables_manyErrors(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	a := g.post(t, "query($a: [ID!]!, $n: Int!) { nodes(ids: $a) { id } cvms(first: $n) { totalCount } }",
		json.RawMessage(`{"a": [`+strings.Repeat("true,", 10_000)+`true], "n": "x"}`), nil)
	if len(a.Errors) != 51 || a.Errors[50].Message != "there are more errors" || !strings.Contains(a.Errors[49].Message, `at "a[49]"`) {
		t.Errorf("got %d errors, %.500s, want 50 and one that says that there are more", len(a.Errors), a.raw)
	}
	a = g.post(t, "query($a: Int!, $b: ID!, $c: Boolean!) { cvms(first: $a) { totalCount } node(id: $b) { id @skip(if: $c) } }", vars{"c": 1}, nil)
	for i, name := range []string{"$a", "$b", "$c"} {
		if len(a.Errors) != 3 || !strings.Contains(a.Errors[i].Message, `"`+name+`"`) {
			t.Errorf("got %s, want an error about each variable", a.raw)
		}
	}
	if calls := g.takeCalls(); len(calls) > 0 {
		t.Errorf("got the upstream calls %q, want none", calls)
	}
}
