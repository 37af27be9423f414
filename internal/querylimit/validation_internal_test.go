package querylimit

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"cvmgraph/internal/syntax"
)

func TestValidate_fragmentOfTwoOperations(t *testing.T) {
	t.Parallel()
	exec, _ := newExecutors(t, true)
	const query = `query A { ...f } query B { ...f } fragment f on Query { nope nope cvms(first: {}) { totalCount } }`
	_, errs := create(t, exec, query, "A")
	const unknown = `Cannot query field "nope" on type "Query". Did you mean "node" or "nodes"?`
	want := []string{unknown, unknown, "Int cannot represent non-integer value: {}"}
	if got := messagesOf(t, errs); !slices.Equal(got, want) {
		t.Errorf("got %q, want one error for each place", got)
	}
}

// TestValidate_similarTypes has an unknown type with several that are equally similar.
func TestValidate_similarTypes(t *testing.T) {
	t.Parallel()
	exec, _ := newExecutors(t, true)
	const query = `{ cvms { nodes { ...f ... on Cvms { id } } } } fragment f on Cvms { id }`
	want := []string{`Unknown type "Cvms". Did you mean "Cvm" or "CvmOs"?`, `Unknown type "Cvms".`}
	for range 20 {
		_, errs := create(t, exec, query, "")
		got := messagesOf(t, errs)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestValidate_endsAfterMaxReports(t *testing.T) {
	t.Parallel()
	calls := 0
	rule := core.Rule{Name: "Test", RuleFunc: func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnField(func(_ *core.Walker, field *ast.Field) {
			calls++
			addError(core.Message("wrong"), core.At(field.Position))
		})
	}}
	const fields = 300
	doc, err := syntax.Scan("query A { ...f } query B { ...f } fragment f on Query {"+strings.Repeat(" a", fields)+" }", 2*fields).Parse()
	if err != nil {
		t.Fatal(err)
	}
	errs := validate(loadSchema(t).schema, doc, []core.Rule{rule})
	if len(errs) != maxReports || calls != maxReports+1 {
		t.Errorf("got %d errors of %d reports, want %d errors and one report more", len(errs), calls, maxReports)
	}
}
