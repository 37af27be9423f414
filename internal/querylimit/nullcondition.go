package querylimit

import (
	"context"
	"fmt"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
)

// nullConditionCheck is a gqlgen extension that rejects operations if @skip or @include has a
// variable that is null. Validation accepts such a variable if it has a default. An explicit null
// replaces the default, and then gqlgen panics at each field with the condition.
type nullConditionCheck struct{}

// ExtensionName names the extension for gqlgen.
func (nullConditionCheck) ExtensionName() string { return "NullConditionCheck" }

// Validate accepts every schema.
func (nullConditionCheck) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext returns an error if a condition is null. It does not change the operation.
func (nullConditionCheck) MutateOperationContext(_ context.Context, opCtx *graphql.OperationContext) *gqlerror.Error {
	for _, v := range opCtx.Operation.VariableDefinitions {
		if value, ok := opCtx.Variables[v.Variable]; !ok || value != nil || v.Type.Name() != "Boolean" {
			continue
		}
		if isCondition(opCtx.Doc, v.Variable) {
			message := fmt.Sprintf("the variable %s is null, and @skip or @include needs true or false", v.Variable)
			return apierror.New(apierror.CodeBadUserInput, message).GraphQL()
		}
	}
	return nil
}

// isCondition reports whether the document has @skip or @include with the variable.
func isCondition(doc *ast.QueryDocument, variable string) bool {
	var inSet func(ast.SelectionSet) bool
	inDirectives := func(directives ast.DirectiveList) bool {
		return slices.ContainsFunc(directives, func(d *ast.Directive) bool {
			condition := d.Arguments.ForName("if")
			return condition != nil && condition.Value.Kind == ast.Variable && condition.Value.Raw == variable
		})
	}
	inSet = func(selections ast.SelectionSet) bool {
		return slices.ContainsFunc(selections, func(selection ast.Selection) bool {
			switch s := selection.(type) {
			case *ast.Field:
				return inDirectives(s.Directives) || inSet(s.SelectionSet)
			case *ast.InlineFragment:
				return inDirectives(s.Directives) || inSet(s.SelectionSet)
			case *ast.FragmentSpread:
				return inDirectives(s.Directives)
			}
			return false
		})
	}
	return slices.ContainsFunc(doc.Operations, func(o *ast.OperationDefinition) bool { return inSet(o.SelectionSet) }) ||
		slices.ContainsFunc(doc.Fragments, func(f *ast.FragmentDefinition) bool { return inSet(f.SelectionSet) })
}
