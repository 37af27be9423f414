// Package projection writes the selected fields of the upstream's items directly from the bytes of
// their page. A page is validated and indexed once ([Layout.Index]), a selection is compiled once
// ([Compiler.Connection], [Compiler.Item]), and the selection is rendered from the index to JSON in
// one pass ([Selection.AppendConnection], [Selection.AppendItem]).
//
// The output equals what gqlgen writes for the same items, decoded into the wire types, including
// the order of fields and the defaults of values that are absent or of the wrong type. The package
// does not report which values are of the wrong type: decode the item for that.
package projection

import (
	"encoding/binary"
	"sync"

	"cvmgraph/internal/wire"
)

// Layout is the layout of an object in an index: the keys of the object, and the slots of their
// values. It is safe for concurrent use.
type Layout struct {
	table  *wire.Table // of the list's items; nil for nested objects
	wire   *wire.Shape
	fields []field // in the order of wire.Fields
	// width is the number of slots of the object's values, including those of nested objects.
	width int
	// order is the offset of the object in an indexer's order, and orders is the length of that
	// order for the object and its nested objects.
	order, orders int
	// indexers are reused *indexer.
	indexers sync.Pool
}

// field is one key of an object.
type field struct {
	*wire.Field
	kind wire.Kind // of Field, without its indirection
	next string    // how the member starts after another one: a comma and Start
	// head and tail are the first sixteen bytes of next, and the masks have the bits of the bytes
	// that it has.
	head, headMask uint64
	tail, tailMask uint64
	slot           int     // of the value, counted from the object's first value
	slots          int     // number of slots; those of an object's values follow its own slot
	layout         *Layout // of an object, or of the elements of a list of objects
}

// NewLayout returns the layout of a table's items.
func NewLayout(table *wire.Table) *Layout {
	s := newLayout(table.Item)
	s.table = table
	s.number(0)
	return s
}

func newLayout(w *wire.Shape) *Layout {
	s := &Layout{wire: w}
	for i := range w.Fields {
		f := field{Field: &w.Fields[i], kind: w.Fields[i].Kind, slot: s.width, slots: 1}
		if f.Shape != nil {
			f.layout = newLayout(f.Shape)
		}
		if f.Kind == wire.Skipped {
			f.slots = 0
		}
		if f.Kind == wire.Object {
			f.slots += f.layout.width
		}
		f.next = "," + f.Start
		f.head, f.headMask = word(f.next)
		f.tail, f.tailMask = word(f.next[min(len(f.next), 8):])
		s.width += f.slots
		s.fields = append(s.fields, f)
	}
	return s
}

// number assigns offsets in the order to the object and its nested objects.
func (l *Layout) number(offset int) {
	l.order, l.orders = offset, len(l.fields)+1
	for _, f := range l.fields {
		if f.layout != nil {
			f.layout.number(offset + l.orders)
			l.orders += f.layout.orders
		}
	}
}

// fieldOrder appends the order of the fields, which an indexer starts with.
func (l *Layout) fieldOrder(order []uint8) []uint8 {
	for i := range len(l.fields) + 1 {
		order = append(order, uint8(i))
	}
	for _, f := range l.fields {
		if f.layout != nil {
			order = f.layout.fieldOrder(order)
		}
	}
	return order
}

// word returns the first eight bytes of s as a number, and a mask of the bits that s has.
func word(s string) (word, mask uint64) {
	var b [8]byte
	n := copy(b[:], s)
	return binary.LittleEndian.Uint64(b[:]), 1<<(8*n) - 1
}
