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

// nullConditionCheck is a gqlgen extension that rejects operations if @skip or @include is
// evaluated with a variable that is null. Validation accepts such a variable if it has a default.
// An explicit null replaces the default, and then gqlgen panics at each field with the condition.
type nullConditionCheck struct{}

// ExtensionName names the extension for gqlgen.
func (nullConditionCheck) ExtensionName() string { return "NullConditionCheck" }

// Validate accepts every schema.
func (nullConditionCheck) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext returns an error if a condition is null. It does not change the operation.
func (nullConditionCheck) MutateOperationContext(_ context.Context, opCtx *graphql.OperationContext) *gqlerror.Error {
	isNull := func(v *ast.VariableDefinition) bool {
		value, ok := opCtx.Variables[v.Variable]
		return ok && value == nil && v.Type.NamedType == "Boolean"
	}
	if !slices.ContainsFunc(opCtx.Operation.VariableDefinitions, isNull) {
		return nil
	}
	null := nullCondition(opCtx, opCtx.Operation.SelectionSet)
	if null == nil {
		return nil
	}
	message := fmt.Sprintf("the variable $%s is null, and @skip and @include need true or false", null.Raw)
	err := apierror.New(apierror.CodeBadUserInput, message).GraphQL()
	err.Locations = []gqlerror.Location{{Line: null.Position.Line, Column: null.Position.Column}}
	return err
}

// nullCondition returns the first condition that is null among those that the execution of an
// object's selections evaluates, or nil if there is none. An object that can be null or a list that
// can be empty counts as if it had a value.
func nullCondition(opCtx *graphql.OperationContext, selections ast.SelectionSet) *ast.Value {
	c := collector{opCtx: opCtx, visited: make(map[string]bool), children: make(map[string]ast.SelectionSet)}
	c.collect(selections)
	for i := 0; i < len(c.names) && c.null == nil; i++ {
		c.null = nullCondition(opCtx, c.children[c.names[i]])
	}
	return c.null
}

// collector collects the fields of an object as gqlgen does, up to a condition that is null.
type collector struct {
	opCtx    *graphql.OperationContext
	visited  map[string]bool             // names of the fragments that were spread
	names    []string                    // of the fields in the response, in their order
	children map[string]ast.SelectionSet // selections of the fields, by their names in the response
	null     *ast.Value                  // the condition that is null: a variable
}

func (c *collector) collect(selections ast.SelectionSet) {
	for _, selection := range selections {
		if c.null != nil {
			return
		}
		switch s := selection.(type) {
		case *ast.Field:
			if c.includes(s.Directives) {
				if _, ok := c.children[s.Alias]; !ok {
					c.names = append(c.names, s.Alias)
				}
				c.children[s.Alias] = append(c.children[s.Alias], s.SelectionSet...)
			}
		case *ast.InlineFragment:
			if c.includes(s.Directives) {
				c.collect(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if !c.visited[s.Name] && c.includes(s.Directives) {
				c.visited[s.Name] = true
				c.collect(c.opCtx.Doc.Fragments.ForName(s.Name).SelectionSet)
			}
		}
	}
}

// includes evaluates the conditions of a selection.
func (c *collector) includes(directives ast.DirectiveList) bool {
	return !c.condition(directives.ForName("skip"), false) && c.condition(directives.ForName("include"), true)
}

// condition evaluates the condition of a directive, which is absent if d is nil. A condition that
// is null counts as false.
func (c *collector) condition(d *ast.Directive, absent bool) bool {
	if d == nil {
		return absent
	}
	condition := d.Arguments.ForName("if").Value
	if condition.Kind != ast.Variable {
		return condition.Raw == "true"
	}
	value, ok := c.opCtx.Variables[condition.Raw].(bool)
	if !ok {
		c.null = condition
	}
	return value
}
