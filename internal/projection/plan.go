package projection

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/wire"
)

// Plan is a selection, compiled: what to write, in order. It is immutable.
type Plan struct {
	root    selection
	size    int
	foreign bool
}

// Supported says whether the plan writes all that is selected. Where it does not, gqlgen executes the field, and the plan tells the size
// alone.
func (p *Plan) Supported() bool { return !p.foreign }

// MemorySize returns about how much memory the plan takes, in bytes.
func (p *Plan) MemorySize() int { return p.size }

// selection is what is written of one object.
type selection []step

// step writes one field of an object.
type step struct {
	// name is the field's response name as a member starts, in quotes and with the colon; a comma precedes all but the first.
	name string
	op   op
	// slot is the place of the value's slot, counted from that of the object itself.
	slot int
	// constant is a type's name in quotes, or what stands for a value that is not there: null, a boolean's default, [].
	constant string
	// below is what is written of an object, or of each element of a list.
	below selection
}

// op is how a step finds and writes its value.
type op uint8

const (
	opConstant   op = iota // the constant
	opScalar               // the text of a value
	opIdentifier           // likewise, in quotes where it has none
	opNotEmpty             // likewise, and nothing for an empty string
	opBoolean              // true or false
	opObject               // an object
	opTexts                // a list of strings
	opObjects              // a list of objects
	opID                   // the item's global id

	opEdges  // a connection's items with their cursors
	opNodes  // a connection's items
	opPage   // a connection's pageInfo
	opTotal  // a connection's totalCount
	opCursor // an edge's cursor
	opItem   // an edge's item
	opNext   // whether there are items behind the window
	opPrev   // whether there are items ahead of it
	opStart  // the cursor of the first item, or null
	opFinish // the cursor of the last item, or null
)

// Planner compiles selections of one schema.
type Planner struct {
	shape *Shape
}

// NewPlanner returns a planner for items of the shape, which the schema shows as the type Cvm.
func NewPlanner(shape *Shape) *Planner { return &Planner{shape} }

// The types of the schema that are more than their shape.
const (
	typeItem       = "Cvm"
	typeConnection = "CvmConnection"
	typeEdge       = "CvmEdge"
	typePageInfo   = "PageInfo"
)

// Connection compiles a field's selection of a connection.
func (p *Planner) Connection(opCtx *graphql.OperationContext, field graphql.CollectedField) *Plan {
	c := compiler{opCtx: opCtx, shape: p.shape}
	root := c.fixed(field.Selections, typeConnection)
	return &Plan{root, c.size, c.foreign}
}

// Item compiles a field's selection of an item, which may be one of the interface Node or the union _Entity.
func (p *Planner) Item(opCtx *graphql.OperationContext, field graphql.CollectedField) *Plan {
	c := compiler{opCtx: opCtx, shape: p.shape}
	root := c.object(field.Selections, typeItem, p.shape)
	return &Plan{root, c.size, c.foreign}
}

type compiler struct {
	opCtx *graphql.OperationContext
	shape *Shape
	size  int
	// foreign says that there is something that is not to be projected.
	foreign bool
}

// stepSize is about how many bytes a step takes.
const stepSize = 120

// each compiles the fields that are selected of an object: those of fragments, merged, without those that are left out.
func (c *compiler) each(set ast.SelectionSet, typeName string, compile func(graphql.CollectedField, *step)) selection {
	types := []string{typeName}
	if typeName == typeItem {
		types = append(types, "Node", "_Entity")
	}
	fields := graphql.CollectFields(c.opCtx, set, types)
	steps := make(selection, 0, len(fields))
	for i, f := range fields {
		// gqlgen does not merge what is selected of a union with what is selected of its members.
		if f.Name == "__typename" && slices.ContainsFunc(fields[:i], func(o graphql.CollectedField) bool { return o.Alias == f.Alias }) {
			continue
		}
		steps = append(steps, step{name: `"` + f.Alias + `":`})
		s := &steps[len(steps)-1]
		if len(steps) > 1 {
			s.name = "," + s.name
		}
		c.size += stepSize + len(s.name)
		if len(f.Deferrables) > 0 || len(f.Arguments) > 0 || slices.ContainsFunc(f.Directives, isForeign) {
			c.foreign = true
		}
		if f.Name == "__typename" {
			s.constant = `"` + typeName + `"`
		} else {
			compile(f, s)
		}
	}
	return steps
}

// isForeign says whether a field's directive is one that gqlgen did not settle when it collected the fields.
func isForeign(d *ast.Directive) bool { return d.Name != "skip" && d.Name != "include" }

// fixed compiles a selection of the types that Relay prescribes.
func (c *compiler) fixed(set ast.SelectionSet, typeName string) selection {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		switch typeName + "." + f.Name {
		case "CvmConnection.edges":
			s.op, s.below = opEdges, c.fixed(f.Selections, typeEdge)
		case "CvmConnection.nodes":
			s.op, s.below = opNodes, c.object(f.Selections, typeItem, c.shape)
		case "CvmConnection.pageInfo":
			s.op, s.below = opPage, c.fixed(f.Selections, typePageInfo)
		case "CvmConnection.totalCount":
			s.op = opTotal
		case "CvmEdge.cursor":
			s.op = opCursor
		case "CvmEdge.node":
			s.op, s.below = opItem, c.object(f.Selections, typeItem, c.shape)
		case "PageInfo.hasNextPage":
			s.op = opNext
		case "PageInfo.hasPreviousPage":
			s.op = opPrev
		case "PageInfo.startCursor":
			s.op = opStart
		case "PageInfo.endCursor":
			s.op = opFinish
		default:
			c.foreign = true
		}
	})
}

// object compiles a selection of an item, or of an object of it.
func (c *compiler) object(set ast.SelectionSet, typeName string, shape *Shape) selection {
	return c.each(set, typeName, func(f graphql.CollectedField, s *step) {
		if typeName == typeItem && f.Name == "id" {
			s.op = opID
			return
		}
		if typeName == typeItem && f.Name == "vmId" { // the wire types have a method for it
			s.op, s.slot, s.constant = opNotEmpty, shape.Value("hosted", "id").slot, "null"
			return
		}
		at := slices.IndexFunc(shape.fields, func(w field) bool { return strings.EqualFold(w.Name, f.Name) })
		if at < 0 {
			c.foreign = true
			return
		}
		w := &shape.fields[at]
		s.slot = 1 + w.slot
		s.op, s.constant = w.write()
		if w.shape != nil {
			s.below = c.object(f.Selections, f.Definition.Type.Name(), w.shape)
		}
	})
}

// write returns how a field is written, and what stands for one that is not there.
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
		return opTexts, "[]"
	case wire.Objects:
		return opObjects, "[]"
	case wire.Skipped:
	}
	panic("projection: a skipped key has a name")
}
