package querylimit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
)

// maxVariableErrors is the maximum number of errors about the variables of one request. If there
// are more, one error says so.
const maxVariableErrors = 50

// maxElements is the maximum number of elements of all lists in the variables of one request.
// gqlgen's conversion of an element takes long.
const maxElements = 20_000

// coerceVariables replaces the values of an operation's variables by values of their types, as
// graphql-js does. The document of the operation must be valid.
//
// gqlgen's own conversion follows. It adds the defaults, and leaves all values that this function
// returns as they are. Alone, it would accept numbers for strings, and its messages would have Go
// types.
func coerceVariables(schema *ast.Schema, operation *ast.OperationDefinition, values map[string]any) gqlerror.List {
	c := coercion{schema: schema}
	for _, c.variable = range operation.VariableDefinitions {
		name, t := c.variable.Variable, c.variable.Type
		value, given := values[name]
		switch {
		case !given && t.NonNull && c.variable.DefaultValue == nil:
			c.addError(fmt.Sprintf(`Variable "$%s" of required type "%s" was not provided.`, name, t))
		case !given:
		case value == nil && t.NonNull:
			c.addError(fmt.Sprintf(`Variable "$%s" of non-null type "%s" must not be null.`, name, t))
		default:
			values[name] = c.value(value, t)
		}
	}
	if c.elements > maxElements {
		message := fmt.Sprintf("the variables have %d elements in lists: at most %d are allowed", c.elements, maxElements)
		return gqlerror.List{apierror.TooComplex(maxElements, c.elements, message).GraphQL()}
	}
	return c.errs
}

// coercion converts the values of an operation's variables.
type coercion struct {
	schema   *ast.Schema
	variable *ast.VariableDefinition // the current variable
	path     []pathElement           // from the variable to the current value
	elements int                     // of the lists so far
	errs     gqlerror.List
}

// pathElement is the name of an input object's field, or an index of a list if the name is empty.
type pathElement struct {
	field string
	index int
}

func (c *coercion) addError(message string) {
	switch {
	case c.full():
		return
	case len(c.errs) == maxVariableErrors:
		message = "there are more errors"
	}
	e := gqlerror.ErrorPosf(c.variable.Position, "%s", message)
	errcode.Set(e, apierror.CodeValidationFailed)
	c.errs = append(c.errs, e)
}

// full reports whether no more errors are needed.
func (c *coercion) full() bool { return len(c.errs) > maxVariableErrors }

// reject adds an error about the value at the current path.
func (c *coercion) reject(value any, problem string) {
	var at strings.Builder
	for i, element := range c.path {
		if i == 0 {
			at.WriteString(` at "` + c.variable.Variable)
		}
		if element.field != "" {
			at.WriteString("." + element.field)
		} else {
			at.WriteString("[" + strconv.Itoa(element.index) + "]")
		}
		if i == len(c.path)-1 {
			at.WriteByte('"')
		}
	}
	c.addError(fmt.Sprintf(`Variable "$%s" got invalid value %s%s; %s`, c.variable.Variable, shownJSON(value), &at, problem))
}

// value returns a value of JSON as a value of a type.
func (c *coercion) value(value any, t *ast.Type) any {
	if value == nil {
		if t.NonNull {
			c.reject(nil, `Expected non-nullable type "`+t.String()+`" not to be null.`)
		}
		return nil
	}
	if t.Elem != nil {
		return c.list(value, t.Elem)
	}
	definition := c.schema.Types[t.NamedType]
	if definition.Kind == ast.InputObject {
		return c.object(value, definition)
	}
	coerced, problem := coerceLeaf(value, definition)
	if problem != "" {
		c.reject(value, problem+": "+shownJSON(value))
	}
	return coerced
}

// list returns a value as a list. A value that is not a list is its only element.
func (c *coercion) list(value any, element *ast.Type) any {
	list, ok := value.([]any)
	if !ok {
		return []any{c.value(value, element)}
	}
	if c.elements += len(list); c.elements > maxElements {
		return nil
	}
	c.path = append(c.path, pathElement{})
	for i := 0; i < len(list) && !c.full(); i++ {
		c.path[len(c.path)-1].index = i
		list[i] = c.value(list[i], element)
	}
	c.path = c.path[:len(c.path)-1]
	return list
}

// object returns a value as an input object, without the defaults of its fields.
func (c *coercion) object(value any, definition *ast.Definition) any {
	object, ok := value.(map[string]any)
	if !ok {
		c.reject(value, `Expected type "`+definition.Name+`" to be an object.`)
		return nil
	}
	unknown := len(object)
	for _, field := range definition.Fields {
		given, ok := object[field.Name]
		if ok {
			unknown--
			c.path = append(c.path, pathElement{field: field.Name})
			object[field.Name] = c.value(given, field.Type)
			c.path = c.path[:len(c.path)-1]
		} else if field.Type.NonNull && field.DefaultValue == nil {
			c.reject(value, fmt.Sprintf(`Field "%s" of required type "%s" was not provided.`, field.Name, field.Type))
		}
	}
	if unknown > 0 {
		c.reject(value, fmt.Sprintf(`%d of its fields are not defined by type "%s".`, unknown, definition.Name))
	}
	return object
}
