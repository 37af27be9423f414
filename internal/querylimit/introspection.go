package querylimit

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// validationRules returns the rules of a valid document. If introspection is false, it must not
// select the schema, and messages do not suggest names of the schema.
func validationRules(introspection bool) *rules.Rules {
	all := rules.NewDefaultRules()
	all.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, literalsOfCorrectType)
	all.ReplaceRule(rules.KnownTypeNamesRule.Name, knownTypeNames)
	if introspection {
		return all
	}
	for rule, without := range map[string]core.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
	} {
		all.RemoveRule(rule)
		all.AddRule(without.Name, without.RuleFunc)
	}
	all.AddRule("NoIntrospection", func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnField(func(_ *core.Walker, field *ast.Field) {
			if field.Name == "__schema" || field.Name == "__type" || field.Name == "_service" {
				addError(
					core.Message("introspection is off: the field %s is not available", field.Name), core.At(field.Position),
				)
			}
		})
	})
	return all
}

// knownTypeNames is gqlparser's rule of the same name, which suggests similar types in a random
// order: it takes them from a map. Here, types that are equally similar are in alphabetical order.
func knownTypeNames(observers *core.Events, addError core.AddErrFunc) {
	var suggestion core.ErrorOption // for the unknown type of a fragment
	observers.OnFragment(func(walker *core.Walker, fragment *ast.FragmentDefinition) {
		if suggestion = nil; walker.Schema.Types[fragment.TypeCondition] == nil {
			names := slices.Sorted(maps.Keys(walker.Schema.Types))
			suggestion = core.SuggestListQuoted("Did you mean", fragment.TypeCondition, names)
		}
	})
	rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc(observers, func(options ...core.ErrorOption) {
		if suggestion != nil {
			options = append(options, suggestion)
		}
		suggestion = nil
		addError(options...)
	})
}

// WithoutSuggestion removes the names of the schema that a message of validation suggests. Some
// rules have no variant without suggestions.
func WithoutSuggestion(message string) string {
	message, _, _ = strings.Cut(message, " Did you mean")
	return message
}
