package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"cvmgraph/internal/apierror"
)

// Messages about a document name what is in it. The texts of a document are left out: one may be a credential in the wrong place,
// and clients log errors.

// parseFailure says what is wrong with a document that cannot be parsed.
func parseFailure(source *ast.Source, err *gqlerror.Error) *gqlerror.Error {
	shown := &gqlerror.Error{Message: err.Message, Locations: err.Locations, Extensions: map[string]any{"code": apierror.CodeParseFailed}}
	if len(err.Locations) == 0 {
		return shown
	}
	tokens, at := lexer.New(source), err.Locations[0]
	for token, end := tokens.ReadToken(); end == nil && token.Kind != lexer.EOF; token, end = tokens.ReadToken() {
		isText := token.Kind == lexer.String || token.Kind == lexer.BlockString || token.Kind == lexer.Comment
		if isText && token.Pos.Line == at.Line && token.Pos.Column == at.Column {
			shown.Message = strings.ReplaceAll(shown.Message, token.String(), token.Kind.String())
			break
		}
	}
	return shown
}

// validationRules returns the rules of a valid document.
func validationRules() *rules.Rules {
	all := rules.NewDefaultRules()
	all.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, withoutTexts(rules.ValuesOfCorrectTypeRule.RuleFunc))
	return all
}

// withoutTexts returns a rule about values, with their kind in its messages where it would repeat a text.
func withoutTexts(rule core.RuleFunc) core.RuleFunc {
	return func(observers *core.Events, addError core.AddErrFunc) {
		var current *ast.Value // what the rule looks at
		observers.OnValue(func(_ *core.Walker, value *ast.Value) { current = value })
		rule(observers, func(options ...core.ErrorOption) {
			addError(append(options, func(err *gqlerror.Error) {
				if kind := textKind(current); kind != "" {
					err.Message = strings.ReplaceAll(err.Message, current.String(), kind)
				}
			})...)
		})
	}
}

// textKind returns what kind of a value it is, "" for one that holds no text.
func textKind(value *ast.Value) string {
	if value.Kind == ast.StringValue || value.Kind == ast.BlockValue {
		return "a text"
	}
	if value.Kind == ast.ListValue {
		return "a list"
	}
	if value.Kind == ast.ObjectValue {
		return "an object"
	}
	return ""
}
