package cost

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Fields is the set of fields of the type Cvm.
type Fields struct{ schema *ast.Schema }

// NewFields returns the fields of Cvm in an SDL document.
func NewFields(sdl string) (Fields, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: sdl})
	return Fields{schema}, err
}

// Count returns the number of leaf fields at any depth.
func (f Fields) Count() int {
	const limit = 1 << 16
	remaining := limit
	f.selection("Cvm", &remaining)
	return limit - remaining
}

// Selection returns a selection set with the first n leaf fields in schema order. n must be at
// least 1.
func (f Fields) Selection(n int) string { return f.selection("Cvm", &n) }

// selection selects leaf fields of a type until remaining is 0.
func (f Fields) selection(typeName string, remaining *int) string {
	var b strings.Builder
	b.WriteString("{")
	for _, field := range f.schema.Types[typeName].Fields {
		if *remaining == 0 {
			break
		}
		b.WriteString(" " + field.Name)
		if name := field.Type.Name(); f.schema.Types[name].Kind == ast.Object {
			b.WriteString(" " + f.selection(name, remaining))
		} else {
			*remaining--
		}
	}
	return b.String() + " }"
}

// Connection returns an operation that selects fields of the list's first items.
func Connection(first int, selection string) string {
	return fmt.Sprintf("{ cvms(first: %d) { nodes %s } }", first, selection)
}

// Aliases returns an operation with n connections of first items each. Each connection begins step
// items after the previous one. If step is 0, all of them begin at the start of the list. cursors
// are the cursors of the list's items.
func Aliases(n, first, step int, cursors []string) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		after := ""
		if at := i * step; at > 0 {
			after = fmt.Sprintf(", after: %q", cursors[at-1])
		}
		fmt.Fprintf(&b, " c%d: cvms(first: %d%s) { nodes { name status } }", i, first, after)
	}
	return b.String() + " }"
}
