package graph

// These tests are in the package because no response shows which selections are cached.

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
	"cvmgraph/restclient"
)

// planning returns the context of the first field of a document.
func planning(t *testing.T, query string, variables map[string]any) context.Context {
	t.Helper()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	return inOperation(t.Context(), doc, query, variables)
}

func inOperation(ctx context.Context, doc *ast.QueryDocument, query string, variables map[string]any) context.Context {
	opCtx := &graphql.OperationContext{RawQuery: query, Doc: doc, Operation: doc.Operations[0], Variables: variables}
	field := graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"})[0]
	return graphql.WithFieldContext(graphql.WithOperationContext(ctx, opCtx), &graphql.FieldContext{Object: "Query", Field: field})
}

func TestPlanCache_hit(t *testing.T) {
	t.Parallel()
	e := newProjectionExtension(projection.NewCompiler(pages.Layout(restclient.ShapeHosted)), true, nil)
	const query = `query($b: Boolean!) { cvms { totalCount @skip(if: $b) } }`
	ctx := planning(t, query, map[string]any{"b": true})
	first := e.selection(ctx, (*projection.Compiler).Connection)
	if first == nil {
		t.Fatal("got no selection")
	}
	doc := graphql.GetOperationContext(ctx).Doc
	if again := e.selection(inOperation(t.Context(), doc, query, map[string]any{"b": true}), (*projection.Compiler).Connection); again != first {
		t.Error("the same again: got another selection")
	}
	if other := e.selection(inOperation(t.Context(), doc, query, map[string]any{"b": false}), (*projection.Compiler).Connection); other == first {
		t.Error("another value of the variable: got the same selection")
	}
	if other := e.selection(planning(t, query, map[string]any{"b": true}), (*projection.Compiler).Connection); other == first {
		t.Error("the same document, parsed again: got the selection of the first")
	}
}

func TestPlanCache_size(t *testing.T) {
	t.Parallel()
	e := newProjectionExtension(projection.NewCompiler(pages.Layout(restclient.ShapeHosted)), true, nil)
	const documents = 200
	for i := range documents {
		query := fmt.Sprintf("# %d %s\n{ cvms { nodes { name } } }", i, strings.Repeat("long", 500))
		if e.selection(planning(t, query, nil), (*projection.Compiler).Connection) == nil {
			t.Fatal("got no selection")
		}
	}
	e.selections.CleanUp()
	if got, want := e.selections.WeightedSize(), uint64(selectionBytes); got > want || got < want/2 {
		t.Errorf("got selections of %d bytes, want most of %d", got, want)
	}
	if got := e.selections.EstimatedSize(); got >= documents {
		t.Errorf("got %d selections, want fewer than %d", got, documents)
	}
}
