package graph

// These tests are in the package because no response shows which plans are cached.

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
)

// planning returns the context of the first field of a document.
func planning(t *testing.T, text string, variables map[string]any) context.Context {
	t.Helper()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	doc, errs := gqlparser.LoadQueryWithRules(schema, text, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	return inOperation(t.Context(), doc, text, variables)
}

func inOperation(ctx context.Context, doc *ast.QueryDocument, text string, variables map[string]any) context.Context {
	opCtx := &graphql.OperationContext{RawQuery: text, Doc: doc, Operation: doc.Operations[0], Variables: variables}
	field := graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"})[0]
	return graphql.WithFieldContext(graphql.WithOperationContext(ctx, opCtx), &graphql.FieldContext{Object: "Query", Field: field})
}

func TestPlanCache_hit(t *testing.T) {
	t.Parallel()
	j := newProjectionExtension(projection.NewPlanner(pages.Shape()), true, nil)
	const text = `query($b: Boolean!) { cvms { totalCount @skip(if: $b) } }`
	ctx := planning(t, text, map[string]any{"b": true})
	first := j.plan(ctx, (*projection.Planner).Connection)
	if first == nil {
		t.Fatal("got no plan")
	}
	doc := graphql.GetOperationContext(ctx).Doc
	if again := j.plan(inOperation(t.Context(), doc, text, map[string]any{"b": true}), (*projection.Planner).Connection); again != first {
		t.Error("the same again: got another plan")
	}
	if other := j.plan(inOperation(t.Context(), doc, text, map[string]any{"b": false}), (*projection.Planner).Connection); other == first {
		t.Error("another value of the variable: got the same plan")
	}
	if other := j.plan(planning(t, text, map[string]any{"b": true}), (*projection.Planner).Connection); other == first {
		t.Error("the same text, parsed again: got the plan of what may be gone")
	}
}

func TestPlanCache_size(t *testing.T) {
	t.Parallel()
	j := newProjectionExtension(projection.NewPlanner(pages.Shape()), true, nil)
	const documents = 200
	for i := range documents {
		text := fmt.Sprintf("# %d %s\n{ cvms { nodes { name } } }", i, strings.Repeat("long", 500))
		if j.plan(planning(t, text, nil), (*projection.Planner).Connection) == nil {
			t.Fatal("got no plan")
		}
	}
	j.plans.CleanUp()
	if got, want := j.plans.WeightedSize(), uint64(planBytes); got > want || got < want/2 {
		t.Errorf("got plans of %d bytes, want most of %d", got, want)
	}
	if got := j.plans.EstimatedSize(); got >= documents {
		t.Errorf("got %d plans, want fewer than %d", got, documents)
	}
}
