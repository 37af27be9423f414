package projection

import (
	"slices"

	"cvmgraph/internal/wire"
)

// IndexedPage is a page of the upstream with an index of the values in it. It is read-only and safe
// for concurrent use. Its body must not be modified.
type IndexedPage struct {
	// Envelope is the document without its items.
	Envelope wire.Envelope

	body   []byte
	layout *Layout
	tape   []slot
	items  []uint32 // index of each item's own slot in tape
}

// slot is the position of a value: data[lo:hi] without the mark. It is zero for a value that is
// absent, null or of the wrong type.
//
// The slot of a list of objects holds the index in the tape of its first element's slot, and the
// number of elements. An element's own slot holds the index of the next one, and the slots of its
// values follow. The slots of an item's values follow the item's own slot, too.
type slot struct{ lo, hi uint32 }

// mark is a bit of hi. It means that the value cannot be written as it is: a string with
// surrogates, which may lack their other half, a number that is not plain, an identifier that is a
// number, an integer that is converted, or a list with elements of the wrong type. For an item, it
// means that one of the item's values is of the wrong type.
const mark = 1 << 31

func (s slot) marked() bool { return s.hi&mark != 0 }

func (s slot) of(body []byte) []byte { return body[s.lo : s.hi&^mark] }

// Shape returns the name of the shape of the items.
func (p *IndexedPage) Shape() string { return p.layout.table.Name }

// Len returns the number of items.
func (p *IndexedPage) Len() int { return len(p.items) }

// Raw returns the JSON of an item. It must not be modified.
func (p *IndexedPage) Raw(item int) []byte { return p.tape[p.items[item]].of(p.body) }

func (p *IndexedPage) mayHaveInvalid(item int) bool { return p.tape[p.items[item]].marked() }

// MemorySize returns the approximate memory of the page, in bytes.
func (p *IndexedPage) MemorySize() int { return cap(p.body) + 8*cap(p.tape) + 4*cap(p.items) }

// Body returns the page's body. It must not be modified.
func (p *IndexedPage) Body() []byte { return p.body }

// BodySize returns the length of the page's body, in bytes.
func (p *IndexedPage) BodySize() int { return len(p.body) }

// ValueRef refers to a value that each item may have.
type ValueRef struct {
	slot int // counted from the item's own slot
	kind wire.Kind
}

// Value returns a reference to the value of a field of the model, or of an object in it. It panics
// if items have no string, identifier or integer there.
func (l *Layout) Value(path ...string) (v ValueRef) {
	model := l.table.Model
	for _, name := range path {
		at := -1
		if model != nil {
			at = slices.IndexFunc(model.Fields, func(f wire.ModelField) bool { return f.Name == name })
		}
		if at < 0 || len(model.Fields[at].Sources) == 0 {
			panic("projection: items have no value at this path")
		}
		f := &model.Fields[at]
		v.slot, _, _ = l.find(f.Sources[0].Path)
		v.kind, model = f.Sources[0].Field.Kind, f.Below
	}
	if model != nil || !slices.Contains([]wire.Kind{wire.String, wire.Identifier, wire.Int32, wire.Int64}, v.kind) {
		panic("projection: no scalar value at this path")
	}
	return v
}

// AppendText appends an item's value to dst: a string without quotes and escapes, an integer as
// digits. It appends nothing if the value is absent, null or of the wrong type.
func (p *IndexedPage) AppendText(dst []byte, item int, v ValueRef) []byte {
	s := p.tape[int(p.items[item])+v.slot]
	if s == (slot{}) {
		return dst
	}
	switch value := s.of(p.body); {
	case value[0] == '"':
		return wire.AppendUnescaped(dst, value[1:len(value)-1])
	case s.marked():
		return appendInteger(dst, v.kind, value)
	default:
		return append(dst, value...)
	}
}
