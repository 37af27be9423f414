package projection

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/wire"
)

// Selection is a compiled selection set: the fields to write, in order. It is immutable.
type Selection struct {
	root        steps
	size        int
	unsupported bool
}

// Supported reports whether the selection writes everything that is selected. If not, gqlgen must
// execute the field, and only the sizes of the selection are of use.
func (s *Selection) Supported() bool { return !s.unsupported }

// MemorySize returns the approximate memory of the selection, in bytes.
func (s *Selection) MemorySize() int { return s.size }

// steps is the list of fields that are written for one object.
type steps []step

// step writes one field of an object.
type step struct {
	// name is the JSON before the value: the quoted response name and a colon, with a comma before
	// them unless the field is the first one.
	name string
	op   op
	// slot is the index of the value's slot, counted from the object's own slot.
	slot int
	// constant is a type name in quotes, or the JSON of an absent value: null, a boolean's default,
	// [].
	constant string
	// below is the selection of an object, or of each element of a list.
	below steps
}

// op is the way a step finds and writes its value.
type op uint8

const (
	opConstant   op = iota // the constant
	opScalar               // a value as it is
	opIdentifier           // a value as it is, in quotes if it is a number
	opBoolean              // true or false
	opObject               // an object
	opStrings              // a list of strings
	opObjects              // a list of objects
	opID                   // the item's global id

	opEdges       // a connection's items with their cursors
	opNodes       // a connection's items
	opPageInfo    // a connection's pageInfo
	opTotalCount  // a connection's totalCount
	opCursor      // an edge's cursor
	opNode        // an edge's item
	opHasNext     // whether there are items after the window
	opHasPrevious // whether there are items before the window
	opStartCursor // the cursor of the first item, or null
	opEndCursor   // the cursor of the last item, or null
)

// Compiler compiles selections of one schema. It is safe for concurrent use.
type Compiler struct {
	layout *Layout
}

// NewCompiler returns a compiler for items of the layout, which are the type Cvm of the schema.
func NewCompiler(layout *Layout) *Compiler { return &Compiler{layout} }

// Types of the schema with fields that their layout does not have.
const (
	typeItem       = "Cvm"
	typeConnection = "CvmConnection"
	typeEdge       = "CvmEdge"
	typePageInfo   = "PageInfo"
)

// Connection compiles the selection of a field that returns a connection.
func (c *Compiler) Connection(opCtx *graphql.OperationContext, field graphql.CollectedField) *Selection {
	run := compilation{opCtx: opCtx, layout: c.layout}
	root := run.fixed(field.Selections, typeConnection)
	return &Selection{root, run.size, run.unsupported}
}

// Item compiles the selection of a field that returns an item, or the interface Node or the union
// _Entity.
func (c *Compiler) Item(opCtx *graphql.OperationContext, field graphql.CollectedField) *Selection {
	run := compilation{opCtx: opCtx, layout: c.layout}
	root := run.object(field.Selections, typeItem, c.layout)
	return &Selection{root, run.size, run.unsupported}
}

type compilation struct {
	opCtx  *graphql.OperationContext
	layout *Layout
	size   int
	// unsupported reports whether a part of the selection cannot be projected.
	unsupported bool
}

// stepSize is the approximate size of a step, in bytes.
const stepSize = 120

// each compiles the selected fields of an object. The fields of fragments are merged, and those
// excluded by @skip or @include are left out.
func (c *compilation) each(set ast.SelectionSet, typeName string, compile func(graphql.CollectedField, *step)) steps {
	types := []string{typeName}
	if typeName == typeItem {
		types = append(types, "Node", "_Entity")
	}
	fields := graphql.CollectFields(c.opCtx, set, types)
	list := make(steps, 0, len(fields))
	for i, f := range fields {
		// gqlgen does not merge the selection of a union with the selections of its members.
		if f.Name == "__typename" && slices.ContainsFunc(fields[:i], func(o graphql.CollectedField) bool { return o.Alias == f.Alias }) {
			continue
		}
		list = append(list, step{name: `"` + f.Alias + `":`})
		s := &list[len(list)-1]
		if len(list) > 1 {
			s.name = "," + s.name
		}
		c.size += stepSize + len(s.name)
		if len(f.Deferrables) > 0 || len(f.Arguments) > 0 || slices.ContainsFunc(f.Directives, isCustom) {
			c.unsupported = true
		}
		if f.Name == "__typename" {
			s.constant = `"` + typeName + `"`
		} else {
			compile(f, s)
		}
	}
	return list
}

// isCustom reports whether a directive is one that gqlgen has not applied when it collected the
// fields.
func isCustom(d *ast.Directive) bool { return d.Name != "skip" && d.Name != "include" }

// fixed compiles a selection of a connection, an edge or a pageInfo.
func (c *compilation) fixed(set ast.SelectionSet, typeName string) steps {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		switch typeName + "." + f.Name {
		case "CvmConnection.edges":
			s.op, s.below = opEdges, c.fixed(f.Selections, typeEdge)
		case "CvmConnection.nodes":
			s.op, s.below = opNodes, c.object(f.Selections, typeItem, c.layout)
		case "CvmConnection.pageInfo":
			s.op, s.below = opPageInfo, c.fixed(f.Selections, typePageInfo)
		case "CvmConnection.totalCount":
			s.op = opTotalCount
		case "CvmEdge.cursor":
			s.op = opCursor
		case "CvmEdge.node":
			s.op, s.below = opNode, c.object(f.Selections, typeItem, c.layout)
		case "PageInfo.hasNextPage":
			s.op = opHasNext
		case "PageInfo.hasPreviousPage":
			s.op = opHasPrevious
		case "PageInfo.startCursor":
			s.op = opStartCursor
		case "PageInfo.endCursor":
			s.op = opEndCursor
		default:
			c.unsupported = true
		}
	})
}

// object compiles a selection of an item, or of an object in an item.
func (c *compilation) object(set ast.SelectionSet, typeName string, layout *Layout) steps {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		if typeName == typeItem && f.Name == "id" {
			s.op = opID
			return
		}
		if typeName == typeItem && f.Name == "vmId" { // a method of the wire type
			s.op, s.slot, s.constant = opScalar, layout.Value("hosted", "id").slot, "null"
			return
		}
		at := slices.IndexFunc(layout.fields, func(w field) bool { return strings.EqualFold(w.Name, f.Name) })
		if at < 0 {
			c.unsupported = true
			return
		}
		target := &layout.fields[at]
		s.slot = 1 + target.slot
		s.op, s.constant = target.write()
		if target.layout != nil {
			s.below = c.object(f.Selections, f.Definition.Type.Name(), target.layout)
		}
	})
}

// write returns how a field is written, and the JSON of an absent value.
func (f *field) write() (o op, absent string) {
	switch f.Kind {
	case wire.String, wire.Int32, wire.Int64:
		return opScalar, "null"
	case wire.Identifier:
		return opIdentifier, "null"
	case wire.Boolean:
		return opBoolean, f.fallback
	case wire.Object:
		return opObject, "null"
	case wire.Strings:
		return opStrings, "[]"
	case wire.Objects:
		return opObjects, "[]"
	case wire.Skipped:
	}
	panic("projection: a skipped key has a name")
}
