package querylimit

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// literalsOfCorrectType is the rule that each literal has the type of its position. It replaces
// gqlparser's rule, which accepts an object for each scalar and enum, and numbers that cannot be
// converted afterwards.
func literalsOfCorrectType(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if problem := literalProblem(value); problem != "" {
			addError(core.Message("%s", problem), core.At(value.Position))
		}
	})
}

// literalProblem returns the message about a literal that is not of its type, or an empty string.
// The elements of a list and the fields of an object have their own messages.
func literalProblem(value *ast.Value) string {
	expected, definition := value.ExpectedType, value.Definition
	if expected == nil || definition == nil { // inside of a custom scalar, or of an invalid value
		return numberProblem(value)
	}
	switch {
	case value.Kind == ast.Variable:
		return ""
	case value.Kind == ast.NullValue:
		if expected.NonNull {
			return notOfType(value)
		}
		return ""
	case value.Kind == ast.ListValue && expected.Elem != nil:
		return ""
	case definition.Kind == ast.InputObject:
		return objectProblem(value)
	case definition.Kind == ast.Enum:
		return enumLiteralProblem(value)
	}
	return scalarLiteralProblem(value)
}

func notOfType(value *ast.Value) string {
	return fmt.Sprintf(`Expected value of type "%s", found %s.`, value.ExpectedType, shownLiteral(value))
}

// objectProblem returns the message about a literal that is not a value of its input object.
func objectProblem(value *ast.Value) string {
	if value.Kind != ast.ObjectValue {
		return notOfType(value)
	}
	object := value.Definition
	for _, field := range object.Fields {
		if field.Type.NonNull && field.DefaultValue == nil && value.Children.ForName(field.Name) == nil {
			return fmt.Sprintf(`Field "%s.%s" of required type "%s" was not provided.`, object.Name, field.Name, field.Type)
		}
	}
	for _, child := range value.Children {
		if object.Fields.ForName(child.Name) == nil {
			return fmt.Sprintf(`Field "%s" is not defined by type "%s".`, child.Name, object.Name)
		}
	}
	return ""
}
