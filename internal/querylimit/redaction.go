package querylimit

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The messages of validation quote the document. Its strings are replaced by their kind: a string
// may be a credential in the wrong place, and clients log errors.

// shownLiteral returns a literal, or its kind if it has strings.
func shownLiteral(value *ast.Value) string {
	if hasString(value) {
		return kindOf(value)
	}
	return shorten(value.String())
}

// shownJSON returns a value of JSON, or its kind if it can have strings.
func shownJSON(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return shorten(string(v))
	case string:
		return kindString
	case []any:
		return kindList
	default:
		return kindObject
	}
}

// maxQuoted is the maximum length of a value in a message, in bytes.
const maxQuoted = 100

// shorten returns the beginning of a value that is too long for a message.
func shorten(value string) string {
	if len(value) <= maxQuoted {
		return value
	}
	return strings.ToValidUTF8(value[:maxQuoted], "") + "…"
}

// The kinds of values that can have strings.
const (
	kindString = "a string"
	kindList   = "a list"
	kindObject = "an object"
)

// kindOf returns the kind of a value that has strings.
func kindOf(value *ast.Value) string {
	switch value.Kind { //nolint:exhaustive // no other kind has strings
	case ast.ListValue:
		return kindList
	case ast.ObjectValue:
		return kindObject
	}
	return kindString
}

// hasString reports whether a literal is a string or contains one.
func hasString(value *ast.Value) bool {
	return value.Kind == ast.StringValue || value.Kind == ast.BlockValue ||
		slices.ContainsFunc(value.Children, func(child *ast.ChildValue) bool { return hasString(child.Value) })
}
