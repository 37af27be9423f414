package querylimit

import (
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/apierror"
)

// CheckArguments returns an error if an argument of a field has null in a position of a non-null
// type. Validation accepts a nullable variable in such a position if it has a default. An explicit
// null replaces the default, and gqlgen would convert it to "null", "" or an empty list. The error
// is an [*apierror.Error].
func CheckArguments(opCtx *graphql.OperationContext, field *ast.Field) error {
	for _, argument := range field.Arguments {
		null := nullVariable(argument.Value, opCtx.Variables)
		if null == nil {
			continue
		}
		message := fmt.Sprintf(`Argument "%s" of non-null type "%s" must not be null`, argument.Name, null.ExpectedType)
		if null != argument.Value {
			message = fmt.Sprintf(`Argument "%s" has an element of non-null type "%s", which must not be null`, argument.Name, null.ExpectedType)
		}
		return &apierror.Error{
			Code: apierror.CodeBadUserInput, Argument: argument.Name,
			Message: fmt.Sprintf(`%s: the variable "$%s" is null`, message, null.Raw),
		}
	}
	return nil
}

// nullVariable returns the first variable in a value that is null in a position of a non-null type.
// It returns nil if no variable is.
func nullVariable(value *ast.Value, variables map[string]any) *ast.Value {
	if value.Kind == ast.Variable {
		given, ok := variables[value.Raw]
		if ok && given == nil && value.ExpectedType != nil && value.ExpectedType.NonNull {
			return value
		}
		return nil
	}
	for _, child := range value.Children {
		if null := nullVariable(child.Value, variables); null != nil {
			return null
		}
	}
	return nil
}
