package querylimit

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/validator/core"

	"cvmgraph/internal/apierror"
)

// The messages of the parser and of validation quote the document. Its strings are replaced by
// their kind: a string may be a credential in the wrong place, and clients log errors.

// parseFailure returns the error of a document that cannot be parsed, without the document's
// strings.
func parseFailure(source *ast.Source, err *gqlerror.Error) *gqlerror.Error {
	shown := &gqlerror.Error{
		Message: err.Message, Locations: err.Locations, Extensions: map[string]any{"code": apierror.CodeParseFailed},
	}
	if len(err.Locations) == 0 {
		return shown
	}
	tokens, at := lexer.New(source), err.Locations[0]
	for token, end := tokens.ReadToken(); end == nil && token.Kind != lexer.EOF; token, end = tokens.ReadToken() {
		hasText := token.Kind == lexer.String || token.Kind == lexer.BlockString || token.Kind == lexer.Comment
		if hasText && token.Pos.Line == at.Line && token.Pos.Column == at.Column {
			shown.Message = strings.ReplaceAll(shown.Message, token.String(), token.Kind.String())
			break
		}
	}
	return shown
}

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
