package graph

import (
	"context"
	"fmt"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
)

// conditions refuses operations whose @skip or @include gets null from a variable. Validation lets such a variable pass where
// it has a default, and an explicit null takes the default's place; gqlgen then panics at each field.
type conditions struct{}

// ExtensionName names the extension for gqlgen.
func (conditions) ExtensionName() string { return "Conditions" }

// Validate accepts every schema.
func (conditions) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext looks at the operation and changes nothing.
func (conditions) MutateOperationContext(_ context.Context, opCtx *graphql.OperationContext) *gqlerror.Error {
	for _, v := range opCtx.Operation.VariableDefinitions {
		if value, ok := opCtx.Variables[v.Variable]; !ok || value != nil || v.Type.Name() != "Boolean" {
			continue
		}
		if decides(opCtx.Doc, v.Variable) {
			return (&apierror.Error{
				Code: apierror.CodeBadUserInput, Message: fmt.Sprintf("the variable %s is null, and @skip or @include needs true or false", v.Variable),
			}).GraphQL()
		}
	}
	return nil
}

// decides says whether a condition of the document is the variable.
func decides(doc *ast.QueryDocument, variable string) bool {
	var set func(ast.SelectionSet) bool
	conditional := func(directives ast.DirectiveList) bool {
		return slices.ContainsFunc(directives, func(d *ast.Directive) bool {
			condition := d.Arguments.ForName("if")
			return condition != nil && condition.Value.Kind == ast.Variable && condition.Value.Raw == variable
		})
	}
	set = func(selections ast.SelectionSet) bool {
		return slices.ContainsFunc(selections, func(selection ast.Selection) bool {
			switch s := selection.(type) {
			case *ast.Field:
				return conditional(s.Directives) || set(s.SelectionSet)
			case *ast.InlineFragment:
				return conditional(s.Directives) || set(s.SelectionSet)
			case *ast.FragmentSpread:
				return conditional(s.Directives)
			}
			return false
		})
	}
	return slices.ContainsFunc(doc.Operations, func(o *ast.OperationDefinition) bool { return set(o.SelectionSet) }) ||
		slices.ContainsFunc(doc.Fragments, func(f *ast.FragmentDefinition) bool { return set(f.SelectionSet) })
}
