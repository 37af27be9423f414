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
	// slot is the index of the value's slot, counted from the own slot of the item, or of the
	// element of a list. For an object, it is the value that the object depends on.
	slot int
	// other is the index of the slot that is used if slot has no value, or 0 for none. For a count,
	// it is the object that has the list.
	other int
	// constant is a type name in quotes, or the JSON of an absent value: null, a boolean's default,
	// [].
	constant string
	// suffix is removed from a string, which is absent if nothing is left.
	suffix string
	// below is the selection of an object, or of each element of a list.
	below steps
}

// op is the way a step finds and writes its value.
type op uint8

const (
	opConstant   op = iota // the constant
	opScalar               // a value as it is
	opIdentifier           // a value as it is, in quotes if it is a number
	opText                 // an integer as a string or a number, as a number
	opGigabytes            // a number of gigabytes, in megabytes
	opTrimmed              // a string without the suffix
	opSeconds              // a duration, in seconds
	opBoolean              // true or false
	opCount                // the length of a list of objects
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
	root := run.object(field.Selections, typeItem, c.layout.table.Model, c.layout)
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
			s.op, s.below = opNodes, c.object(f.Selections, typeItem, c.layout.table.Model, c.layout)
		case "CvmConnection.pageInfo":
			s.op, s.below = opPageInfo, c.fixed(f.Selections, typePageInfo)
		case "CvmConnection.totalCount":
			s.op = opTotalCount
		case "CvmEdge.cursor":
			s.op = opCursor
		case "CvmEdge.node":
			s.op, s.below = opNode, c.object(f.Selections, typeItem, c.layout.table.Model, c.layout)
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

// object compiles a selection of an object of the model. The layout is that of the item, or of the
// element of a list, that has the object's values. It is nil if the shape does not have them.
func (c *compilation) object(set ast.SelectionSet, typeName string, model *wire.Model, layout *Layout) steps {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		if typeName == typeItem && f.Name == "id" {
			s.op = opID
			return
		}
		at := slices.IndexFunc(model.Fields, func(m wire.ModelField) bool { return strings.EqualFold(m.Name, f.Name) })
		if at < 0 {
			c.unsupported = true
			return
		}
		target := &model.Fields[at]
		s.constant, s.suffix = target.Absent, target.Suffix
		below := layout
		for i, source := range target.Sources {
			slot, parent, last := layout.find(source.Path)
			switch {
			case i > 0:
				s.other = slot
			case target.Count:
				s.slot, s.other, s.op = slot, parent, opCount
			default:
				s.slot, s.op = slot, operation(target)
			}
			if s.op == opObjects {
				below = last.layout
			}
		}
		if target.Below != nil {
			s.below = c.object(f.Selections, f.Definition.Type.Name(), target.Below, below)
		}
	})
}

// find returns the slot of the value at a path, the slot of the object that has it, and its field.
// Both slots count from the own slot of the object with the layout, which is 0.
func (l *Layout) find(path []int) (slot, parent int, last *field) {
	for _, at := range path {
		if last != nil {
			l = last.layout
		}
		last = &l.fields[at]
		parent, slot = slot, slot+1+last.slot
	}
	return slot, parent, last
}

// operation returns how the value of a field's source is written.
func operation(f *wire.ModelField) op {
	switch kind := f.Sources[0].Field.Kind; {
	case f.Seconds:
		return opSeconds
	case f.Suffix != "":
		return opTrimmed
	case f.Below != nil && kind != wire.Objects: // it depends on a value of any kind
		return opObject
	default:
		return [...]op{
			wire.String:      opScalar,
			wire.Identifier:  opIdentifier,
			wire.Int32:       opScalar,
			wire.Int64:       opScalar,
			wire.IntegerText: opText,
			wire.Gigabytes:   opGigabytes,
			wire.Boolean:     opBoolean,
			wire.Strings:     opStrings,
			wire.Objects:     opObjects,
		}[kind]
	}
}
