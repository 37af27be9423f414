package projection

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/wire"
)

// Plan is a compiled selection: the fields to write, in order. It is immutable.
type Plan struct {
	root        selection
	size        int
	unsupported bool
}

// Supported reports whether the plan writes everything that is selected. If not, gqlgen must
// execute the field, and only the sizes of the plan are of use.
func (p *Plan) Supported() bool { return !p.unsupported }

// MemorySize returns the approximate memory of the plan, in bytes.
func (p *Plan) MemorySize() int { return p.size }

// selection is the list of fields that are written for one object.
type selection []step

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
	below selection
}

// op is the way a step finds and writes its value.
type op uint8

const (
	opConstant   op = iota // the constant
	opScalar               // a value as it is
	opIdentifier           // a value as it is, in quotes if it is a number
	opNotEmpty             // a string as it is, or the constant if it is empty
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

// Planner compiles selections of one schema. It is safe for concurrent use.
type Planner struct {
	shape *Shape
}

// NewPlanner returns a planner for items of the shape, which are the type Cvm of the schema.
func NewPlanner(shape *Shape) *Planner { return &Planner{shape} }

// Types of the schema with fields that their shape does not have.
const (
	typeItem       = "Cvm"
	typeConnection = "CvmConnection"
	typeEdge       = "CvmEdge"
	typePageInfo   = "PageInfo"
)

// Connection compiles the selection of a field that returns a connection.
func (p *Planner) Connection(opCtx *graphql.OperationContext, field graphql.CollectedField) *Plan {
	c := compiler{opCtx: opCtx, shape: p.shape}
	root := c.fixed(field.Selections, typeConnection)
	return &Plan{root, c.size, c.unsupported}
}

// Item compiles the selection of a field that returns an item, or the interface Node or the union
// _Entity.
func (p *Planner) Item(opCtx *graphql.OperationContext, field graphql.CollectedField) *Plan {
	c := compiler{opCtx: opCtx, shape: p.shape}
	root := c.object(field.Selections, typeItem, p.shape)
	return &Plan{root, c.size, c.unsupported}
}

type compiler struct {
	opCtx *graphql.OperationContext
	shape *Shape
	size  int
	// unsupported reports whether a part of the selection cannot be projected.
	unsupported bool
}

// stepSize is the approximate size of a step, in bytes.
const stepSize = 120

// each compiles the selected fields of an object. The fields of fragments are merged, and those
// excluded by @skip or @include are left out.
func (c *compiler) each(set ast.SelectionSet, typeName string, compile func(graphql.CollectedField, *step)) selection {
	types := []string{typeName}
	if typeName == typeItem {
		types = append(types, "Node", "_Entity")
	}
	fields := graphql.CollectFields(c.opCtx, set, types)
	steps := make(selection, 0, len(fields))
	for i, f := range fields {
		// gqlgen does not merge the selection of a union with the selections of its members.
		if f.Name == "__typename" && slices.ContainsFunc(fields[:i], func(o graphql.CollectedField) bool { return o.Alias == f.Alias }) {
			continue
		}
		steps = append(steps, step{name: `"` + f.Alias + `":`})
		s := &steps[len(steps)-1]
		if len(steps) > 1 {
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
	return steps
}

// isCustom reports whether a directive is one that gqlgen has not applied when it collected the
// fields.
func isCustom(d *ast.Directive) bool { return d.Name != "skip" && d.Name != "include" }

// fixed compiles a selection of a connection, an edge or a pageInfo.
func (c *compiler) fixed(set ast.SelectionSet, typeName string) selection {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		switch typeName + "." + f.Name {
		case "CvmConnection.edges":
			s.op, s.below = opEdges, c.fixed(f.Selections, typeEdge)
		case "CvmConnection.nodes":
			s.op, s.below = opNodes, c.object(f.Selections, typeItem, c.shape)
		case "CvmConnection.pageInfo":
			s.op, s.below = opPageInfo, c.fixed(f.Selections, typePageInfo)
		case "CvmConnection.totalCount":
			s.op = opTotalCount
		case "CvmEdge.cursor":
			s.op = opCursor
		case "CvmEdge.node":
			s.op, s.below = opNode, c.object(f.Selections, typeItem, c.shape)
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
func (c *compiler) object(set ast.SelectionSet, typeName string, shape *Shape) selection {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		if typeName == typeItem && f.Name == "id" {
			s.op = opID
			return
		}
		if typeName == typeItem && f.Name == "vmId" { // a method of the wire type
			s.op, s.slot, s.constant = opNotEmpty, shape.Value("hosted", "id").slot, "null"
			return
		}
		at := slices.IndexFunc(shape.fields, func(w field) bool { return strings.EqualFold(w.Name, f.Name) })
		if at < 0 {
			c.unsupported = true
			return
		}
		target := &shape.fields[at]
		s.slot = 1 + target.slot
		s.op, s.constant = target.write()
		if target.shape != nil {
			s.below = c.object(f.Selections, f.Definition.Type.Name(), target.shape)
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
