package querylimit

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The messages of this file are those of graphql-js.
const (
	notNumber  = "Float cannot represent non numeric value"
	notFinite  = "Float cannot represent a value of more than 64 bits"
	notString  = "String cannot represent a non string value"
	notBoolean = "Boolean cannot represent a non boolean value"
	notID      = "ID cannot represent a non-string and non-integer value"
)

func notInteger(typeName string) string { return typeName + " cannot represent non-integer value" }

func outOfRange(typeName string, bits int) string {
	return fmt.Sprintf("%s cannot represent non %d-bit signed integer value", typeName, bits)
}

// bitsOf returns the size of an integer type, or 0 for another type.
func bitsOf(typeName string) int {
	switch typeName {
	case "Int":
		return 32
	case "Int64":
		return 64
	}
	return 0
}

// scalarLiteralProblem returns the message about a literal that is not a value of its scalar, or an
// empty string.
func scalarLiteralProblem(value *ast.Value) string {
	isInteger, isString := value.Kind == ast.IntValue, value.Kind == ast.StringValue || value.Kind == ast.BlockValue
	var problem string
	switch name := value.Definition.Name; name {
	case "Int", "Int64":
		if !isInteger {
			problem = notInteger(name)
		} else if _, err := strconv.ParseInt(value.Raw, 10, bitsOf(name)); err != nil {
			problem = outOfRange(name, bitsOf(name))
		}
	case "Float":
		if !isInteger && value.Kind != ast.FloatValue {
			problem = notNumber
		} else if _, finite := parseFloat(value.Raw); !finite {
			problem = notFinite
		}
	case "String":
		if !isString {
			problem = notString
		}
	case "Boolean":
		if value.Kind != ast.BooleanValue {
			problem = notBoolean
		}
	case "ID":
		if !isString && !isInteger {
			problem = notID
		}
	default:
		return numberProblem(value)
	}
	return aboutLiteral(problem, value)
}

// numberProblem returns the message about a number of no known type that has more than 64 bits, or
// an empty string.
func numberProblem(value *ast.Value) string {
	ok := true
	switch value.Kind { //nolint:exhaustive // the others are no numbers
	case ast.IntValue:
		_, err := strconv.ParseInt(value.Raw, 10, 64)
		ok = err == nil
	case ast.FloatValue:
		_, ok = parseFloat(value.Raw)
	}
	if ok {
		return ""
	}
	return aboutLiteral("A number cannot have more than 64 bits", value)
}

// enumLiteralProblem returns the message about a literal that is not a value of its enum, or an
// empty string.
func enumLiteralProblem(value *ast.Value) string {
	enum := value.Definition
	if value.Kind != ast.EnumValue {
		return aboutLiteral(`Enum "`+enum.Name+`" cannot represent non-enum value`, value)
	}
	if enum.EnumValues.ForName(value.Raw) == nil {
		return `Value "` + value.Raw + `" does not exist in "` + enum.Name + `" enum.`
	}
	return ""
}

// aboutLiteral returns the message about a problem with a literal, or an empty string if there is
// no problem.
func aboutLiteral(problem string, value *ast.Value) string {
	if problem == "" {
		return ""
	}
	return problem + ": " + shownLiteral(value)
}

// coerceLeaf returns a value of JSON as a value of a scalar or an enum. The problem is empty, or
// says why that is not possible. Custom scalars accept all values.
func coerceLeaf(value any, definition *ast.Definition) (coerced any, problem string) {
	if definition.Kind == ast.Enum {
		return value, enumProblem(value, definition)
	}
	number, isNumber := value.(json.Number)
	_, isString := value.(string)
	switch name := definition.Name; name {
	case "Int", "Int64":
		if !isNumber {
			return nil, notInteger(name)
		}
		return coerceInteger(string(number), name)
	case "Float":
		if !isNumber {
			return nil, notNumber
		}
		f, finite := parseFloat(string(number))
		if !finite {
			return nil, notFinite
		}
		return f, ""
	case "String":
		if !isString {
			return nil, notString
		}
	case "Boolean":
		if _, ok := value.(bool); !ok {
			return nil, notBoolean
		}
	case "ID":
		if isNumber {
			return coerceNumericID(string(number))
		}
		if !isString {
			return nil, notID
		}
	}
	return value, ""
}

// coerceInteger returns a number of JSON as an integer. A number such as 1.0 or 1e2 is an integer.
func coerceInteger(number, typeName string) (coerced any, problem string) {
	bits := bitsOf(typeName)
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		f, finite := parseFloat(number)
		switch {
		case finite && f != math.Trunc(f):
			return nil, notInteger(typeName)
		case f < -1<<63 || f >= 1<<63:
			return nil, outOfRange(typeName, bits)
		}
		n = int64(f)
	}
	if shift := 64 - bits; n<<shift>>shift != n {
		return nil, outOfRange(typeName, bits)
	}
	return n, ""
}

// coerceNumericID returns a number of JSON as an id. All digits of an integer are kept.
func coerceNumericID(number string) (coerced any, problem string) {
	if !strings.ContainsAny(number, ".eE") {
		return number, ""
	}
	f, finite := parseFloat(number)
	if !finite || f != math.Trunc(f) {
		return nil, notID
	}
	return strconv.FormatFloat(f, 'f', -1, 64), ""
}

// enumProblem returns what is wrong with a value of JSON that is not a value of an enum.
func enumProblem(value any, enum *ast.Definition) string {
	name, ok := value.(string)
	if !ok {
		return `Enum "` + enum.Name + `" cannot represent non-string value`
	}
	if enum.EnumValues.ForName(name) == nil {
		return `Enum "` + enum.Name + `" does not have the value`
	}
	return ""
}

// parseFloat returns the value of a valid number, and false if it is not finite.
func parseFloat(number string) (float64, bool) {
	f, _ := strconv.ParseFloat(number, 64) // an error means that f is infinite
	return f, !math.IsInf(f, 0)
}
