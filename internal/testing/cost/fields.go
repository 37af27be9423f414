package cost

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Fields are the fields of Cvm.
type Fields struct{ schema *ast.Schema }

// NewFields returns the fields that an SDL has.
func NewFields(sdl string) (Fields, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: sdl})
	return Fields{schema}, err
}

// Count returns how many fields without a selection of their own there are, at any depth.
func (f Fields) Count() int {
	most := 1 << 16
	left := most
	f.selection("Cvm", &left)
	return most - left
}

// Selection returns the selection of the first n of them, in the order of the schema. n must be at least 1.
func (f Fields) Selection(n int) string { return f.selection("Cvm", &n) }

func (f Fields) selection(typeName string, left *int) string {
	var b strings.Builder
	b.WriteString("{")
	for _, field := range f.schema.Types[typeName].Fields {
		if *left == 0 {
			break
		}
		b.WriteString(" " + field.Name)
		if below := field.Type.Name(); f.schema.Types[below].Kind == ast.Object {
			b.WriteString(" " + f.selection(below, left))
		} else {
			*left--
		}
	}
	return b.String() + " }"
}

// Connection returns an operation that selects these fields of the list's first items.
func Connection(first int, selection string) string {
	return fmt.Sprintf("{ cvms(first: %d) { nodes %s } }", first, selection)
}

// Aliases returns an operation of n connections of first items each, all of them of the list's front, or each step items behind the
// one before. The cursors are those of the list's items.
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
