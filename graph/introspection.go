package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// withoutIntrospection returns the validation rules, and one against asking for the schema.
func withoutIntrospection() *rules.Rules {
	all := validationRules()
	all.AddRule("NoIntrospection", func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnField(func(_ *core.Walker, field *ast.Field) {
			if field.Name == "__schema" || field.Name == "__type" || field.Name == "_service" {
				addError(core.Message("introspection is off: the field %s is not available", field.Name), core.At(field.Position))
			}
		})
	})
	return all
}

// withoutSuggestion cuts off the names of the schema that validation suggests.
func withoutSuggestion(message string) string {
	message, _, _ = strings.Cut(message, " Did you mean")
	return message
}
