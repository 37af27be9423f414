package projection

import (
	"slices"
	"strconv"

	"cvmgraph/internal/wire"
)

// Window is a part of a list whose items stand on indexed pages, as a connection shows it.
type Window struct {
	// List has the items, Len of them. It may be nil where there are none.
	List List
	Len  int
	// Total is how many items the whole list holds.
	Total int
	// HasNext and HasPrevious say whether the list goes on behind and ahead of the window.
	HasNext, HasPrevious bool
}

// List is the items of a window, counted from 0.
type List interface {
	// Item returns the item at index i.
	Item(i int) Item
	// AppendCursor appends the item's cursor: characters that need no escaping in JSON.
	AppendCursor(dst []byte, i int) []byte
}

// Item is an item of an indexed page.
type Item struct {
	Page *IndexedPage
	// Index is its place on the page.
	Index int
	// ID knows its global id.
	ID NodeIDAppender
}

// NodeIDAppender is what has a global id.
type NodeIDAppender interface {
	// AppendNodeID appends the id: characters that need no escaping in JSON.
	AppendNodeID(dst []byte) []byte
}

// HasInvalid says whether the item may have values of the wrong type. Where it is false there are none.
func (i Item) HasInvalid() bool { return i.Page.hasInvalid(i.Index) }

// AppendConnection appends the JSON of the plan's selection of a connection to dst. It does not fail, and keeps nothing. Once dst is
// longer than most bytes it stops: what it returns is longer then, and no JSON.
func (p *Plan) AppendConnection(dst []byte, w *Window, most int) []byte {
	r := renderer{dst: dst, most: most}
	r.object(p.root, place{window: w})
	return r.dst
}

// AppendItem appends the JSON of the plan's selection of an item to dst, and stops as [Plan.AppendConnection] does.
func (p *Plan) AppendItem(dst []byte, item Item, most int) []byte {
	r := renderer{dst: dst, most: most}
	r.object(p.root, item.place())
	return r.dst
}

// ConnectionSize returns how many bytes [Plan.AppendConnection] would append, more than most where it would stop.
func (p *Plan) ConnectionSize(w *Window, most int) int {
	r := renderer{most: most, measures: true}
	r.object(p.root, place{window: w})
	return r.measured + len(r.dst)
}

// ItemSize returns how many bytes [Plan.AppendItem] would append, more than most where it would stop.
func (p *Plan) ItemSize(item Item, most int) int { return len(p.AppendItem(nil, item, most)) }

// renderer writes selections. No value is null where the schema has non-null: lists and booleans have defaults, and elements of
// the wrong type are not in the index.
type renderer struct {
	dst  []byte
	most int // bytes, from which on there is nothing to write
	// measures says that only the size counts: measured bytes are gone already.
	measures bool
	measured int
}

// full says whether there is nothing more to write.
func (r *renderer) full() bool { return r.measured+len(r.dst) > r.most }

// place is an object that a selection is written of: a connection or its pageInfo (window), an edge (window and index), or an
// object of the upstream (page, id and base).
type place struct {
	window *Window
	index  int

	page *IndexedPage
	id   NodeIDAppender
	base int // the place of the object's own slot
}

func (i Item) place() place { return place{page: i.Page, id: i.ID, base: int(i.Page.items[i.Index])} }

func (r *renderer) object(sel selection, at place) {
	r.dst = append(r.dst, '{')
	for i := range sel {
		s := &sel[i]
		if r.full() {
			return
		}
		r.dst = append(r.dst, s.name...)
		switch s.op {
		case opConstant:
			r.dst = append(r.dst, s.constant...)
		case opScalar, opIdentifier, opNotEmpty, opBoolean, opObject, opTexts, opObjects:
			r.value(s, at)
		case opID:
			r.dst = append(r.dst, '"')
			r.dst = append(at.id.AppendNodeID(r.dst), '"')
		case opEdges:
			r.list(s.below, at.window, func(i int) place { return place{window: at.window, index: i} })
		case opNodes:
			r.list(s.below, at.window, func(i int) place { return at.window.List.Item(i).place() })
		case opPage:
			r.object(s.below, at)
		case opTotal:
			r.dst = strconv.AppendInt(r.dst, int64(at.window.Total), 10)
		case opCursor:
			r.cursor(at.window, at.index)
		case opItem:
			r.object(s.below, at.window.List.Item(at.index).place())
		case opNext:
			r.dst = strconv.AppendBool(r.dst, at.window.HasNext)
		case opPrev:
			r.dst = strconv.AppendBool(r.dst, at.window.HasPrevious)
		case opStart:
			r.cursor(at.window, 0)
		case opFinish:
			r.cursor(at.window, at.window.Len-1)
		}
	}
	r.dst = append(r.dst, '}')
}

// list writes a selection of each of the window's items, whose place element returns.
func (r *renderer) list(sel selection, w *Window, element func(i int) place) {
	r.dst = append(r.dst, '[')
	begin := len(r.dst)
	for i := range w.Len {
		if i > 0 {
			r.dst = append(r.dst, ',')
			r.reserve((len(r.dst)-begin)/i, w.Len-i)
		}
		r.object(sel, element(i))
		if r.full() {
			return
		}
		if r.measures {
			r.measured, r.dst, begin = r.measured+len(r.dst), r.dst[:0], 0
		}
	}
	r.dst = append(r.dst, ']')
}

// reserve makes room for as many items of a size as there are left, once there is none for the next: at most as much as is there,
// because they may be smaller. Where they are little beside what is there, more lists will follow, and the room is doubled.
func (r *renderer) reserve(size, left int) {
	if cap(r.dst)-len(r.dst) >= size {
		return
	}
	room := size*left + size*left/16
	if room < len(r.dst)/4 {
		room = len(r.dst)
	}
	r.dst = slices.Grow(r.dst, min(room, len(r.dst), max(r.most-len(r.dst), size)))
}

// cursor writes the cursor of the item at index i, null where there are no items.
func (r *renderer) cursor(w *Window, i int) {
	if w.Len == 0 {
		r.dst = append(r.dst, "null"...)
		return
	}
	r.dst = append(r.dst, '"')
	r.dst = append(w.List.AppendCursor(r.dst, i), '"')
}

// value writes a value of the upstream.
func (r *renderer) value(s *step, at place) {
	slotAt := at.base + s.slot
	value := at.page.tape[slotAt]
	switch {
	case s.op == opObjects:
		r.objects(s.below, at, value)
	case value == slot{}:
		r.dst = append(r.dst, s.constant...)
	case s.op == opObject:
		at.base = slotAt
		r.object(s.below, at)
	case value.marked():
		r.rewrite(s.op, value.of(at.page.body))
	case s.op == opNotEmpty && value.hi-value.lo == 2:
		r.dst = append(r.dst, s.constant...)
	default:
		r.dst = append(r.dst, at.page.body[value.lo:value.hi]...)
	}
}

// objects writes a list of objects, the first of which value leads to.
func (r *renderer) objects(sel selection, at place, value slot) {
	at.base = int(value.lo)
	r.dst = append(r.dst, '[')
	for i := range value.hi {
		if i > 0 {
			r.dst = append(r.dst, ',')
		}
		if r.object(sel, at); r.full() {
			return
		}
		at.base = int(at.page.tape[at.base].lo)
	}
	r.dst = append(r.dst, ']')
}

// rewrite writes a value whose text cannot stand as it is.
func (r *renderer) rewrite(o op, value []byte) {
	switch {
	case o == opTexts:
		r.strings(value)
	case value[0] == '"':
		r.dst = wire.AppendString(r.dst, value)
	case o == opIdentifier:
		r.dst = append(r.dst, '"')
		r.dst = append(appendInteger(r.dst, value), '"')
	default:
		r.dst = appendInteger(r.dst, value)
	}
}

// strings writes the strings of a list, whose grammar was checked when it was indexed.
func (r *renderer) strings(list []byte) {
	s := wire.Scanner{Data: list}
	s.Open()
	empty := true
	r.dst = append(r.dst, '[')
	for first := true; ; first = false {
		if more, ok := s.More(']', first); !ok || !more {
			break
		}
		c, start := s.Peek(), s.Pos
		s.Skip()
		if c != '"' {
			continue
		}
		if !empty {
			r.dst = append(r.dst, ',')
		}
		empty = false
		r.dst = wire.AppendString(r.dst, list[start:s.Pos])
	}
	r.dst = append(r.dst, ']')
}

// appendInteger appends the digits of a number that is an integer of 64 bits.
func appendInteger(dst, number []byte) []byte {
	n, _ := wire.Integer(number)
	return strconv.AppendInt(dst, n, 10)
}
