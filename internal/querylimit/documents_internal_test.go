package querylimit

// These tests are in the package because they compare its rules with those of gqlgen's executor.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// schemaOnly is an executable schema that executes nothing.
type schemaOnly struct{ schema *ast.Schema }

func (s schemaOnly) Schema() *ast.Schema { return s.schema }

func (schemaOnly) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (schemaOnly) Exec(context.Context) graphql.ResponseHandler { return nil }

func loadSchema(t *testing.T) schemaOnly {
	t.Helper()
	text, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	return schemaOnly{gqlparser.MustLoadSchema(&ast.Source{Input: string(text)})}
}

// newExecutors returns an executor with this package, and one that parses and validates by itself.
func newExecutors(t *testing.T, introspection bool) (installed, reference *executor.Executor) {
	t.Helper()
	schema := loadSchema(t)
	installed = executor.New(schema)
	Install(installed, schema.Schema(), Limits{Tokens: 2000, Depth: 15, Aliases: 30}, introspection)
	reference = executor.New(schema)
	reference.SetDisableSuggestion(!introspection)
	reference.SetDefaultRulesFn(func() *rules.Rules {
		all := validationRules(true)
		if rule := validationRules(introspection).GetInner()["NoIntrospection"]; rule != nil {
			all.AddRule("NoIntrospection", rule)
		}
		return all
	})
	return installed, reference
}

// create returns the operation of a document, and the JSON of the errors of the document.
func create(t *testing.T, exec *executor.Executor, query, name string) (*graphql.OperationContext, string) {
	t.Helper()
	opCtx, errs := exec.CreateOperationContext(
		graphql.StartOperationTrace(t.Context()), &graphql.RawParams{Query: query, OperationName: name},
	)
	if len(errs) == 1 {
		if list, ok := errors.AsType[gqlerror.List](errs[0].Err); ok {
			errs = list
		}
	}
	text, err := json.Marshal(errs)
	if err != nil {
		t.Fatal(err)
	}
	return opCtx, string(text)
}

// messagesOf returns the messages of errors. The positions of gqlgen's parser are others.
func messagesOf(t *testing.T, errs string) (messages []string) {
	t.Helper()
	var list gqlerror.List
	if err := json.Unmarshal([]byte(errs), &list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		messages = append(messages, e.Message)
	}
	return messages
}

func TestInstall_errorsEqualGqlgens(t *testing.T) {
	t.Parallel()
	documents := []string{
		"{ x }", "{ x y z { a } }", "{ cvms }", "{ cvms { totalCont nodez } }", "{ cvm { totalCount } }",
		"{ cvms(frist: 1, after: 2, first: true) { totalCount } }", `{ cvms(first: "a", after: [{b: "c"}]) { totalCount } }`,
		"{ cvms { totalCount { x } nodes { id: name id } } }", "{ ... on Qery { __typename } ... on Cvm { id } }",
		"query($a: Itn, $a: Int, $b: Int!) { cvms(first: $c) { totalCount } }", "{ cvms @skp @skip @skip(if: 1) { totalCount } }",
		"{ ...a } fragment a on Query { ...b } fragment b on Query { ...a } fragment a on Query { __typename }",
		"query A { __typename } query A { x }", "{ __typename } { __typename }", "mutation { x }", "subscription { a b }",
		"{ __schema { types { name } } __type(name: 7) { name nope } }", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
		"{ a: cvms(first: 1) { totalCount } a: cvms(first: 2) { totalCount } }", "{ cvms { nodes { ...f } } } fragment f on KmsInf { id }",
	}
	for _, introspection := range []bool{true, false} {
		installed, reference := newExecutors(t, introspection)
		for _, query := range documents {
			_, got := create(t, installed, query, "")
			_, want := create(t, reference, query, "")
			if g, w := messagesOf(t, got), messagesOf(t, want); !slices.Equal(g, w) || len(w) == 0 {
				t.Errorf("introspection %v, %s:\ngot  %q\nwant %q", introspection, query, g, w)
			}
			if _, again := create(t, installed, query, ""); again != got {
				t.Errorf("introspection %v, %s again:\ngot  %s\nwant %s", introspection, query, again, got)
			}
		}
	}
}

func TestInstall_fragmentsOnly(t *testing.T) {
	t.Parallel()
	exec, _ := newExecutors(t, true)
	for query, want := range map[string]string{
		"fragment f on Query { __typename }":                                  "never used",
		"fragment f on Query { ...g } fragment g on Query { __typename }":     "never used",
		"fragment f on Query { ...g } fragment g on Query { ...f }":           "within itself",
		"fragment f on Query { ...f } fragment g on Query { nope ...f ...g }": "within itself",
	} {
		_, errs := create(t, exec, query, "")
		if !strings.Contains(errs, want) || !strings.Contains(errs, `"code":"GRAPHQL_VALIDATION_FAILED"`) || !strings.Contains(errs, `"locations":`) {
			t.Errorf("%s: got %s, want %q and its location", query, errs, want)
		}
	}
}

func TestInstall_parsesOnce(t *testing.T) {
	t.Parallel()
	exec, _ := newExecutors(t, true)
	const query = "query A { __typename } query B { cvms { totalCount } }"
	first, errs := create(t, exec, query, "A")
	if errs != "null" || first.Operation == nil || first.Operation.Name != "A" {
		t.Fatalf("got the operation %v and the errors %s, want A", first.Operation, errs)
	}
	again, errs := create(t, exec, query, "B")
	if errs != "null" || again.Operation != first.Doc.Operations[1] {
		t.Errorf("again: got another document, or the errors %s", errs)
	}
	unknown, errs := create(t, exec, query, "C")
	if want := "the document has no operation of this operationName"; !strings.Contains(errs, want) || unknown.Operation != nil {
		t.Errorf("an unknown name: got %s, want %s", errs, want)
	}
	if _, errs := create(t, exec, query, ""); !strings.Contains(errs, "choose one with operationName") {
		t.Errorf("no name: got %s", errs)
	}
}

func TestInstall_limits(t *testing.T) {
	t.Parallel()
	exec, _ := newExecutors(t, true)
	repeat := func(n int, s string) string { return strings.Repeat(s, n) }
	aliases := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " a%d: __typename", i)
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		query string
		want  string // empty if the document is within the limits
	}{
		"all tokens":                       {"{ cvms {" + repeat(297, " id: __typename @skip(if: false)") + " } }", "tokens: at most 2000"},
		"30 aliases":                       {"{" + aliases(30) + " }", ""},
		"31 aliases":                       {"{ cvms {" + aliases(31) + " } }", "31 aliases: at most 30"},
		"30 root fields":                   {"{" + repeat(30, " __typename") + " }", ""},
		"31 root fields":                   {"{" + repeat(31, " __typename") + " }", "31 fields at its root: at most 30"},
		"300 fields":                       {"{ cvms {" + repeat(300, " __typename") + " } }", ""},
		"301 fields, with a fragment":      {"{ cvms {" + repeat(300, " __typename") + " ... { totalCount } } }", "301 fields in one selection set: at most 300"},
		"16 levels":                        {repeat(15, "{ a ") + "{ b }" + repeat(15, " }"), "16 levels of fields: at most 15"},
		"51 directives":                    {"{ __typename" + repeat(51, " @skip(if: false)") + " }", "51 directives: at most 50"},
		"5 lists in a type":                {"query($a: [[[[[Int]]]]]) { __typename }", "never used"},
		"6 lists in a type":                {"query($a: [[[[[[Int!]]]]]]!) { __typename }", "6 lists in each other in the type of a variable: at most 5"},
		"a name of 200 bytes":              {"query " + repeat(200, "a") + " { __typename }", ""},
		"a name of 201 bytes":              {"query " + repeat(201, "a") + " { __typename }", "201 bytes in one name: at most 200"},
		"a long name in a broken document": {"{ " + repeat(201, "a") + " } {", "201 bytes in one name: at most 200"},
		"2001 tokens in a broken document": {"}" + repeat(2000, "{"), "2001 tokens: at most 2000"},
		"a comment of a long word":         {"{ __typename } #" + repeat(300, "a"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, errs := create(t, exec, test.query, "")
			if test.want == "" && errs != "null" || !strings.Contains(errs, test.want) {
				t.Errorf("got %s, want %q", errs, test.want)
			}
			if strings.Contains(test.want, "at most") && !strings.Contains(errs, `"code":"QUERY_TOO_COMPLEX"`) {
				t.Errorf("got %s, want QUERY_TOO_COMPLEX", errs)
			}
		})
	}
}
