package projection

import (
	"encoding/binary"
	"errors"
	"slices"

	"cvmgraph/internal/wire"
)

// ErrInvalid is returned by [Layout.Index] for a body that is not a JSON document in UTF-8, or that
// exceeds a limit: its nesting, its values of the wrong type, or the elements of its lists.
// Decoding the body finds the reason.
var ErrInvalid = errors.New("the page cannot be indexed")

// Index validates the body of a page and indexes the values of its items, at most limit of them.
// The page takes over the body. The previous content of p is overwritten, and its memory is reused.
// The error is [ErrInvalid].
func (l *Layout) Index(p *IndexedPage, body []byte, limit int) error {
	*p = IndexedPage{body: body, layout: l, tape: p.tape, items: p.items[:0]}
	if len(body) >= mark {
		return ErrInvalid
	}
	x, ok := l.indexers.Get().(*indexer)
	if !ok {
		x = &indexer{order: l.fieldOrder(make([]uint8, 0, l.orders))}
	}
	*x = indexer{Scanner: wire.Scanner{Data: body}, page: p, limit: limit, tape: x.tape, order: x.order}
	valid := x.Page(&p.Envelope, l.table, x)
	if valid {
		p.tape = append(p.tape[:0], x.tape...)
	}
	if cap(x.tape) <= maxReusedTape {
		x.Data, x.page = nil, nil
		l.indexers.Put(x)
	}
	if !valid {
		return ErrInvalid
	}
	return nil
}

// maxReusedTape is the capacity, in slots, up to which an indexer is reused.
const maxReusedTape = 64 << 10

// indexer fills an indexed page. Indexers are reused, one page after another.
type indexer struct {
	wire.Scanner
	page  *IndexedPage
	limit int    // of items that are indexed
	tape  []slot // of the page so far
	// order predicts the next key. For each layout, it has the index of the field that was first in
	// the last object, and then, for each field, the index of the field that followed it last time.
	// The number of fields means that no known key followed.
	order []uint8

	invalid  bool // the current item has values of the wrong type
	wrong    int  // values of the wrong type so far
	elements int  // elements of lists of objects so far
}

// Restart implements [wire.Items].
func (x *indexer) Restart() {
	x.page.items, x.tape = x.page.items[:0], append(x.tape[:0], slot{}) // so that no list starts at index 0
}

// Item implements [wire.Items]. Items beyond the limit are validated, but not indexed.
func (x *indexer) Item(int) (keys uint64, ok bool) {
	at, start := len(x.tape), x.Pos
	x.invalid = false
	x.reserve(1 + x.page.layout.width)
	keys, ok = x.object(x.page.layout, at+1)
	if !ok {
		return 0, false
	}
	if len(x.page.items) == x.limit {
		x.tape = x.tape[:at]
		return keys, true
	}
	own := slot{uint32(start), uint32(x.Pos)}
	if x.invalid {
		own.hi |= mark
	}
	x.tape[at] = own
	if cap(x.page.items) == 0 {
		// The other items are probably about as large as the first one.
		x.page.items = make([]uint32, 0, min((len(x.Data)-start)/(x.Pos-start)+1, x.limit))
	}
	x.page.items = append(x.page.items, uint32(at))
	return keys, true
}

// reserve appends n zero slots.
func (x *indexer) reserve(n int) {
	tape := slices.Grow(x.tape, n)
	x.tape = tape[:len(tape)+n]
	clear(x.tape[len(tape):])
}

// object indexes an object, whose values have the slots from base on, and returns the set of its
// known keys.
func (x *indexer) object(l *Layout, base int) (seen uint64, ok bool) {
	if !x.Open() {
		return 0, false
	}
	order := x.order[l.order : l.order+len(l.fields)+1]
	last := 0 // 1 + the index of the last known member's field; 0 before the first one
	for first := true; ; first = false {
		place := int(order[last])
		if place == len(l.fields) || first && !x.Consume(l.fields[place].Start) || !first && !x.continues(&l.fields[place]) {
			more, ok := x.More('}', first)
			if !ok || !more {
				if ok {
					order[last] = uint8(len(l.fields))
				}
				return seen, ok
			}
			key, ok := x.Key()
			if !ok {
				return 0, false
			}
			if place = l.wire.Find(key, min(place, len(l.fields)-1)); place < 0 {
				if !x.Skip() {
					return 0, false
				}
				continue
			}
			order[last] = uint8(place)
		}
		last = place + 1
		f := &l.fields[place]
		if bit := uint64(1) << place; seen&bit == 0 {
			seen |= bit
		} else { // of equal keys, the whole value of the last one counts
			clear(x.tape[base+f.slot : base+f.slot+f.slots])
		}
		at := base + f.slot
		switch c := x.Peek(); {
		case c == '"' && f.kind == wire.String:
			if start := x.Pos; x.Plain() {
				if x.Pos-start > len(`""`) || !f.NotEmpty {
					x.tape[at] = slot{uint32(start), uint32(x.Pos)}
				}
			} else if !x.value(f, c, at) {
				return 0, false
			}
		case c == 'n':
			if !x.Literal("null") {
				return 0, false
			}
		case !x.value(f, c, at):
			return 0, false
		}
	}
}

// continues consumes the comma, the key and the colon of a field's member if the next bytes are
// exactly these. They are if the upstream sends the keys in the predicted order and without white
// space.
func (x *indexer) continues(f *field) bool {
	n := len(f.next)
	if x.Pos+max(n, 16) > len(x.Data) {
		return false
	}
	b := x.Data[x.Pos:]
	if binary.LittleEndian.Uint64(b)&f.headMask != f.head || binary.LittleEndian.Uint64(b[8:])&f.tailMask != f.tail ||
		n > 16 && string(b[16:n]) != f.next[16:] {
		return false
	}
	x.Pos += n
	return true
}

// value indexes the value of a field at a slot that is zero. The value is not null and starts with
// c.
func (x *indexer) value(f *field, c byte, at int) bool {
	start := x.Pos
	var marked, ok bool
	switch {
	case !f.kind.StartsWith(c):
		return x.countWrong() && x.Skip()
	case f.kind == wire.IntegerText:
		if ok = x.Skip(); ok && !holds(f.kind, x.Data[start:x.Pos], false) {
			return x.countWrong()
		}
		marked = true
	case c == '"' && f.kind != wire.Skipped:
		if _, marked, ok = x.Quoted(); x.Pos-start == len(`""`) && f.NotEmpty {
			return ok
		}
	case f.kind == wire.Boolean:
		ok = c == 't' && x.Literal("true") || c == 'f' && x.Literal("false")
	case f.kind == wire.Object:
		_, ok = x.object(f.layout, at+1)
	case f.kind == wire.Strings:
		marked, ok = x.strings()
	case f.kind == wire.Objects:
		return x.objects(f.layout, at)
	case f.kind == wire.Skipped:
		return x.Skip()
	default:
		var plain bool
		if plain, ok = x.Number(); ok && !holds(f.kind, x.Data[start:x.Pos], plain) {
			return x.countWrong()
		}
		marked = !plain || f.kind == wire.Identifier || f.kind == wire.Gigabytes
	}
	hi := uint32(x.Pos)
	if marked {
		hi |= mark
	}
	x.tape[at] = slot{uint32(start), hi}
	return ok
}

// holds reports whether a value has an integer of the kind. Few digits need no conversion.
func holds(k wire.Kind, value []byte, plain bool) bool {
	if plain && (len(value) <= 6 || len(value) <= 9 && k != wire.Gigabytes || len(value) <= 18 && k != wire.Int32 && k != wire.Gigabytes) {
		return true
	}
	_, ok := k.Integer(value)
	return ok
}

// countWrong counts a value of the wrong type. It returns false if there are too many.
func (x *indexer) countWrong() bool {
	x.invalid = true
	x.wrong++
	return x.wrong <= wire.MaxInvalid || x.Fail(wire.TooManyInvalid)
}

// strings validates a list of strings. It reports whether the list cannot be written as it is.
func (x *indexer) strings() (marked, ok bool) {
	if !x.Open() {
		return false, false
	}
	for first := true; ; first = false {
		more, ok := x.More(']', first)
		if !ok || !more {
			return marked, ok
		}
		if x.Peek() != '"' {
			marked = true
			if !x.countWrong() || !x.Skip() {
				return false, false
			}
			continue
		}
		_, surrogates, ok := x.Quoted()
		if !ok {
			return false, false
		}
		marked = marked || surrogates
	}
}

// objects indexes a list of objects. Elements of another type are left out.
func (x *indexer) objects(l *Layout, at int) bool {
	if !x.Open() {
		return false
	}
	last := 0 // index of the last element's own slot
	for first := true; ; first = false {
		more, ok := x.More(']', first)
		if !ok || !more {
			return ok
		}
		if x.Peek() != '{' {
			if !x.countWrong() || !x.Skip() {
				return false
			}
			continue
		}
		if x.elements++; x.elements > wire.MaxElements {
			return x.Fail(wire.TooManyElements)
		}
		element := len(x.tape)
		x.reserve(1 + l.width)
		if last == 0 {
			x.tape[at].lo = uint32(element)
		} else {
			x.tape[last].lo = uint32(element)
		}
		x.tape[at].hi++
		last = element
		if _, ok := x.object(l, element+1); !ok {
			return false
		}
	}
}
