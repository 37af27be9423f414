package querylimit

// These tests are in the package because the schema of the gateway has no input objects.

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

const inputSchema = `
	type Query { f(filter: Filter, matrix: [[Int!]], kind: Kind, x: Float): Int }
	input Filter { name: String!, ids: [ID!], first: Int! = 5, not: Filter, kind: Kind }
	enum Kind { A B }`

// coerceJSON converts the variables of a document of inputSchema, and returns the JSON that gqlgen
// receives, or the messages.
func coerceJSON(t *testing.T, query, variables string) string {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: inputSchema})
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, validationRules(true))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(variables))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		t.Fatal(err)
	}
	if errs := coerceVariables(schema, doc.Operations[0], values); len(errs) > 0 {
		messages := make([]string, len(errs))
		for i, e := range errs {
			messages[i] = e.Message
		}
		return strings.Join(messages, "\n")
	}
	coerced, err := validator.VariableValues(schema, doc.Operations[0], values)
	if err != nil {
		t.Fatalf("%s: got %v after the conversion, want no error", variables, err)
	}
	text, err := json.Marshal(coerced)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCoerceVariables(t *testing.T) {
	t.Parallel()
	const filter, matrix, kind, x = `query($v: Filter) { f(filter: $v) }`, `query($v: [[Int!]]) { f(matrix: $v) }`,
		`query($v: Kind = B) { f(kind: $v) }`, `query($v: Float) { f(x: $v) }`
	const rejected = `Variable "$v" got invalid value `
	for name, test := range map[string]struct{ query, variables, want string }{
		"an object":                    {filter, `{"v": {"name": "n", "ids": 7, "kind": "A"}}`, `{"v":{"ids":["7"],"kind":"A","name":"n"}}`},
		"an object in an object":       {filter, `{"v": {"name": "n", "not": {"name": "m", "first": 1.0}}}`, `{"v":{"name":"n","not":{"first":1,"name":"m"}}}`},
		"no object":                    {filter, `{"v": 7}`, rejected + `7; Expected type "Filter" to be an object.`},
		"a list for an object":         {filter, `{"v": []}`, rejected + `a list; Expected type "Filter" to be an object.`},
		"a field that is missing":      {filter, `{"v": {}}`, rejected + `an object; Field "name" of required type "String!" was not provided.`},
		"a field that is null":         {filter, `{"v": {"name": null}}`, rejected + `null at "v.name"; Expected non-nullable type "String!" not to be null.`},
		"a deep field":                 {filter, `{"v": {"name": "n", "not": {"name": "m", "ids": ["a", 1.5]}}}`, rejected + `1.5 at "v.not.ids[1]"; ID cannot represent a non-string and non-integer value: 1.5`},
		"unknown fields":               {filter, `{"v": {"name": "n", "s3cret": 1, "b": 2}}`, rejected + `an object; 2 of its fields are not defined by type "Filter".`},
		"a value for a matrix":         {matrix, `{"v": 1}`, `{"v":[[1]]}`},
		"a list for a matrix":          {matrix, `{"v": [1, null, [2]]}`, `{"v":[[1],null,[2]]}`},
		"null in a matrix":             {matrix, `{"v": [[1], [null, "a"]]}`, rejected + `null at "v[1][0]"; Expected non-nullable type "Int!" not to be null.` + "\n" + rejected + `a string at "v[1][1]"; Int cannot represent non-integer value: a string`},
		"a value of an enum":           {kind, `{"v": "A"}`, `{"v":"A"}`},
		"the default of an enum":       {kind, `{}`, `{"v":"B"}`},
		"another value of an enum":     {kind, `{"v": "a"}`, rejected + `a string; Enum "Kind" does not have the value: a string`},
		"a number for an enum":         {kind, `{"v": 0}`, rejected + `0; Enum "Kind" cannot represent non-string value: 0`},
		"a Float":                      {x, `{"v": 1e-3}`, `{"v":0.001}`},
		"an integer for Float":         {x, `{"v": 99999999999999999999}`, `{"v":100000000000000000000}`},
		"a Float of more than 64 bits": {x, `{"v": -1e999}`, rejected + `-1e999; Float cannot represent a value of more than 64 bits: -1e999`},
		"a string for Float":           {x, `{"v": "1"}`, rejected + `a string; Float cannot represent non numeric value: a string`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := coerceJSON(t, test.query, test.variables); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestCoerceVariables_elements(t *testing.T) {
	t.Parallel()
	const query = `query($v: [[Int!]], $w: [[Int!]]) { f(matrix: $v) g: f(matrix: $w) }`
	list := func(elements int) string { return "[" + strings.Repeat("1,", elements-1) + "1]" }
	for name, test := range map[string]struct{ variables, want string }{
		"as many as allowed": {`{"v": [` + list(9_999) + `], "w": [` + list(9_999) + `]}`, ""},
		"one more":           {`{"v": [` + list(9_999) + `], "w": [` + list(10_000) + `]}`, "the variables have 20001 elements in lists: at most 20000 are allowed"},
		"in one list":        {`{"v": ` + list(100_000) + `}`, "the variables have 100000 elements in lists: at most 20000 are allowed"},
	} {
		if got := coerceJSON(t, query, test.variables); test.want == "" && got[0] != '{' || test.want != "" && got != test.want {
			t.Errorf("%s: got %.100s, want %q", name, got, test.want)
		}
	}
}

func TestLiterals_inputObjects(t *testing.T) {
	t.Parallel()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: inputSchema})
	for query, want := range map[string][]string{
		`{ f(filter: {name: "n", ids: 99999999999999999999, first: 1, not: {name: "m"}}) }`: nil,
		`{ f(filter: 7) }`:                              {`Expected value of type "Filter", found 7.`},
		`{ f(filter: "s3cret") }`:                       {`Expected value of type "Filter", found a string.`},
		`{ f(filter: {name: "n", b: 1}) }`:              {`Field "b" is not defined by type "Filter".`},
		`{ f(filter: [{name: "n"}]) }`:                  {`Expected value of type "Filter", found a list.`},
		`{ f(filter: {}) }`:                             {`Field "Filter.name" of required type "String!" was not provided.`},
		`{ f(filter: {name: {}}) }`:                     {"String cannot represent a non string value: {}"},
		`{ f(filter: {name: null, kind: {}}) }`:         {`Expected value of type "String!", found null.`, `Enum "Kind" cannot represent non-enum value: {}`},
		`{ f(filter: {name: "n", ids: [{a: "b"}]}) }`:   {"ID cannot represent a non-string and non-integer value: an object"},
		`{ f(filter: {name: "n", first: 3000000000}) }`: {"Int cannot represent non 32-bit signed integer value: 3000000000"},
		`{ f(matrix: [[7], 8, null]) }`:                 nil,
		`{ f(matrix: [[null]]) }`:                       {`Expected value of type "Int!", found null.`},
		`{ f(kind: "A") }`:                              {`Enum "Kind" cannot represent non-enum value: a string`},
		`{ f(x: 1e999) }`:                               {"Float cannot represent a value of more than 64 bits: 1e999"},
	} {
		_, errs := gqlparser.LoadQueryWithRules(schema, query, validationRules(true))
		var got []string
		for _, e := range errs {
			got = append(got, e.Message)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", query, got, want)
		}
	}
}
