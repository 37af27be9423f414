package querylimit

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// The messages of validation quote the document. Its strings are replaced by their kind: a string
// may be a credential in the wrong place, and clients log errors.

// withoutStrings returns a rule about values whose messages have the kind of a value if the rule's
// would quote a string.
func withoutStrings(rule core.RuleFunc) core.RuleFunc {
	return func(observers *core.Events, addError core.AddErrFunc) {
		var current *ast.Value // the value that the rule checks
		observers.OnValue(func(_ *core.Walker, value *ast.Value) { current = value })
		rule(observers, func(options ...core.ErrorOption) {
			addError(append(options, func(err *gqlerror.Error) {
				if kind := kindOf(current); kind != "" {
					err.Message = strings.ReplaceAll(err.Message, current.String(), kind)
				}
			})...)
		})
	}
}

// kindOf returns the kind of a value that can contain strings. It returns an empty string for other
// values.
func kindOf(value *ast.Value) string {
	switch value.Kind { //nolint:exhaustive // no other kind contains strings
	case ast.StringValue, ast.BlockValue:
		return "a string"
	case ast.ListValue:
		return "a list"
	case ast.ObjectValue:
		return "an object"
	}
	return ""
}
