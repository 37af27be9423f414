package model

import (
	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/vektah/gqlparser/v2/ast"
)

// HasTypeField reports whether a field of __Type has a meaning for a type. If it has none, the
// field is null. gqlgen would return an empty list or false.
func HasTypeField(t *introspection.Type, field string) bool {
	kind := ast.DefinitionKind(t.Kind())
	switch field {
	case "fields", "interfaces":
		return kind == ast.Object || kind == ast.Interface
	case "possibleTypes":
		return kind == ast.Interface || kind == ast.Union
	case "enumValues":
		return kind == ast.Enum
	case "inputFields", "isOneOf":
		return kind == ast.InputObject
	}
	return true
}
