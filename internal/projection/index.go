package projection

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Bounds of a page, beyond which it is refused. Both count what a page of ours has a hundredth of.
const (
	// maxWrong is how many values may be of the wrong type.
	maxWrong = 10_000
	// maxElements is how many elements the lists of objects may have together.
	maxElements = 100_000
)

// ErrInvalid is what [Shape.Index] returns for a body that is not one JSON document in UTF-8, or beyond a bound: nesting,
// values of the wrong type, elements of lists. The decoder of the wire types says which.
var ErrInvalid = errors.New("the page cannot be indexed")

// IndexedPage is a page of the upstream with the places of the values in it. Once made it is read-only, and safe for concurrent use
// as long as nobody writes to its body.
type IndexedPage struct {
	// Envelope is what the document says of itself.
	Envelope Envelope

	body  []byte
	shape *Shape
	tape  []slot
	items []uint32 // the place of each item's own slot in tape
}

// Envelope is what a page's document holds beside the items' values.
type Envelope struct {
	// Total, Page and PageSize are the integers of these names, meaningful where HasTotal, HasPage and HasPageSize are set.
	Total, Page, PageSize          int64
	HasTotal, HasPage, HasPageSize bool
	// IsList says that there is a list of items, and Count how many entries it has.
	IsList bool
	Count  int
	// HasInvalidEntry says that an entry is no object.
	HasInvalidEntry bool
	// HasHosted says that an entry has the key hosted, HasFlat that one has a key that only other API versions have.
	HasHosted, HasFlat bool
}

// slot is the place of a value: data[lo:hi] without the mark. Zero is a value that is absent, null or of the wrong type.
//
// The slot of a list of objects holds the place in the tape of its first element and the number of elements. An element's own
// slot holds the place of the next one, and the slots of its values follow; so do those of an item.
type slot struct{ lo, hi uint32 }

// mark, in hi, says that the value's text is not what is to be written: a string with surrogates, which may lack their other
// half, an integer written unlike one, an identifier that is a number, a list with elements of the wrong type. Of an item it
// says that a value of it is of the wrong type.
const mark = 1 << 31

func (s slot) marked() bool { return s.hi&mark != 0 }

func (s slot) of(body []byte) []byte { return body[s.lo : s.hi&^mark] }

// Index validates a page's body and notes the places of the values of its items, of which it keeps at most size. The page takes
// the body over; what p held before is overwritten, and its memory used again. The error is [ErrInvalid].
func (s *Shape) Index(p *IndexedPage, body []byte, size int) error {
	*p = IndexedPage{body: body, shape: s, tape: p.tape, items: p.items}
	if len(body) >= mark {
		return ErrInvalid
	}
	r, ok := s.rooms.Get().(*room)
	if !ok {
		r = &room{order: s.natural(make([]uint8, 0, s.orders))}
	}
	x := indexer{scanner: scanner{data: body}, page: p, size: size, room: *r}
	x.flat, x.hosted = s.marks("hosted")
	p.items = p.items[:0]
	valid := x.envelope() && x.end()
	if valid {
		p.tape = append(p.tape[:0], x.tape...)
	}
	if cap(x.tape) <= maxKeptTape {
		*r = x.room
		s.rooms.Put(r)
	}
	if !valid {
		return ErrInvalid
	}
	return nil
}

// room is what a page is indexed in. It is used again, one page after another.
type room struct {
	tape []slot // of the page, as far as it is known
	// order is in which order the members of objects came last: for each shape, which place among its fields came first, and then,
	// for each of them, which came behind it; the number of fields where none did.
	order []uint8
}

// maxKeptTape is the size, in slots, up to which the memory that a page is indexed in is used again.
const maxKeptTape = 64 << 10

// Len returns the number of items.
func (p *IndexedPage) Len() int { return len(p.items) }

// Raw returns the JSON of an item.
func (p *IndexedPage) Raw(item int) []byte { return p.tape[p.items[item]].of(p.body) }

func (p *IndexedPage) hasInvalid(item int) bool { return p.tape[p.items[item]].marked() }

// MemorySize returns about how much memory the page takes, in bytes.
func (p *IndexedPage) MemorySize() int { return cap(p.body) + 8*cap(p.tape) + 4*cap(p.items) }

// Body returns the page's body. It must not be written to.
func (p *IndexedPage) Body() []byte { return p.body }

// BodySize returns the length of the page's body.
func (p *IndexedPage) BodySize() int { return len(p.body) }

// ValueRef names a value that every item may have, by its path.
type ValueRef struct {
	slot int
	kind kind
}

// Value returns the value at a path of keys. It panics where items have no text, identifier or integer there.
func (s *Shape) Value(path ...string) ValueRef {
	v := ValueRef{slot: 1} // the item's own slot comes first
	for i, key := range path {
		at := s.find([]byte(key), 0)
		if at < 0 {
			v.kind = skipped
			break
		}
		f := &s.fields[at]
		v.slot += f.slot
		v.kind = f.kind
		if i < len(path)-1 {
			v.slot++ // the object's own
			s = f.shape
		}
	}
	if !slices.Contains([]kind{text, identifier, integer32, integer64}, v.kind) {
		panic("projection: no value at this path")
	}
	return v
}

// AppendText appends the text of an item's value to dst: a string's without quotes and escapes, an integer's digits. Nothing
// is appended for a value that is absent, null or of the wrong type.
func (p *IndexedPage) AppendText(dst []byte, item int, v ValueRef) []byte {
	s := p.tape[int(p.items[item])+v.slot]
	if s == (slot{}) {
		return dst
	}
	switch value := s.of(p.body); {
	case value[0] == '"':
		return appendUnescaped(dst, value[1:len(value)-1])
	case s.marked():
		return appendInteger(dst, value)
	default:
		return append(dst, value...)
	}
}

// indexer fills a page.
type indexer struct {
	scanner
	room
	page         *IndexedPage
	size         int    // how many items are kept
	flat, hosted uint64 // sets of keys of an item
	odd          bool   // the current item has values of the wrong type
	wrong        int    // values of the wrong type so far
	elements     int    // elements of lists of objects so far
}

// envelope indexes the whole document.
func (x *indexer) envelope() bool {
	if x.peek() != '{' {
		return x.skip()
	}
	if !x.open() {
		return false
	}
	e := &x.page.Envelope
	for first := true; ; first = false {
		more, ok := x.more('}', first)
		if !ok || !more {
			return ok
		}
		key, ok := x.key()
		if !ok {
			return false
		}
		switch string(key) {
		case "items":
			ok = x.entries()
		case "total":
			ok = x.integer(&e.Total, &e.HasTotal)
		case "page":
			ok = x.integer(&e.Page, &e.HasPage)
		case "page_size":
			ok = x.integer(&e.PageSize, &e.HasPageSize)
		default:
			ok = x.skip()
		}
		if !ok {
			return false
		}
	}
}

// integer reads a number of the envelope.
func (x *indexer) integer(target *int64, has *bool) bool {
	*has = false
	if !startsNumber(x.peek()) {
		return x.skip()
	}
	start := x.pos
	if _, ok := x.number(); !ok {
		return false
	}
	*target, *has = integer(x.data[start:x.pos])
	return true
}

func startsNumber(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// entries indexes the list of items. Those beyond the page's size are validated, and not kept.
func (x *indexer) entries() bool {
	e := &x.page.Envelope
	e.IsList, e.Count, e.HasInvalidEntry, e.HasHosted, e.HasFlat = false, 0, false, false, false
	x.page.items, x.tape = x.page.items[:0], append(x.tape[:0], slot{}) // no list begins at 0
	if x.peek() != '[' {
		return x.skip()
	}
	e.IsList = true
	if !x.open() {
		return false
	}
	for {
		more, ok := x.more(']', e.Count == 0)
		if !ok || !more {
			return ok
		}
		if x.peek() != '{' {
			e.HasInvalidEntry = true
			if !x.skip() {
				return false
			}
		} else if !x.item(e) {
			return false
		}
		e.Count++
	}
}

// item indexes one entry.
func (x *indexer) item(e *Envelope) bool {
	at, start := len(x.tape), x.pos
	x.odd = false
	x.reserve(1 + x.page.shape.width)
	keys, ok := x.object(x.page.shape, at+1)
	if !ok {
		return false
	}
	e.HasHosted = e.HasHosted || keys&x.hosted != 0
	e.HasFlat = e.HasFlat || keys&x.flat != 0
	if len(x.page.items) == x.size {
		x.tape = x.tape[:at]
		return true
	}
	own := slot{uint32(start), uint32(x.pos)}
	if x.odd {
		own.hi |= mark
	}
	x.tape[at] = own
	if cap(x.page.items) == 0 {
		// The others are likely as large as this one.
		x.page.items = make([]uint32, 0, min((len(x.data)-start)/(x.pos-start)+1, x.size))
	}
	x.page.items = append(x.page.items, uint32(at))
	return true
}

// reserve appends n slots.
func (x *indexer) reserve(n int) {
	tape := slices.Grow(x.tape, n)
	x.tape = tape[:len(tape)+n]
	clear(x.tape[len(tape):])
}

// object indexes an object whose values' slots begin at base, and returns the set of its known keys.
func (x *indexer) object(s *Shape, base int) (seen uint64, ok bool) {
	if !x.open() {
		return 0, false
	}
	order := x.order[s.order : s.order+len(s.fields)+1]
	last := 0 // the place of the last known member among the fields, counted from 1; 0 before it
	for first := true; ; first = false {
		place := int(order[last])
		if place == len(s.fields) || first && !x.consume(s.fields[place].next[1:]) || !first && !x.continues(&s.fields[place]) {
			more, ok := x.more('}', first)
			if !ok || !more {
				if ok {
					order[last] = uint8(len(s.fields))
				}
				return seen, ok
			}
			key, ok := x.key()
			if !ok {
				return 0, false
			}
			if place = s.find(key, min(place, len(s.fields)-1)); place < 0 {
				if !x.skip() {
					return 0, false
				}
				continue
			}
			order[last] = uint8(place)
		}
		last = place + 1
		f := &s.fields[place]
		if bit := uint64(1) << place; seen&bit == 0 {
			seen |= bit
		} else { // of equal keys the last one wins, whole
			clear(x.tape[base+f.slot : base+f.slot+f.slots])
		}
		at := base + f.slot
		switch c := x.peek(); {
		case c == '"' && f.kind == text:
			if !x.plainText(at) && !x.value(f, c, at) {
				return 0, false
			}
		case c == 'n':
			if !x.word("null") {
				return 0, false
			}
		case !x.value(f, c, at):
			return 0, false
		}
	}
}

// plainText indexes a string if it is one without escapes, as most are.
func (x *indexer) plainText(at int) bool {
	start := x.pos
	end := x.special(start + 1)
	if end == len(x.data) || x.data[end] != '"' {
		return false
	}
	x.pos = end + 1
	x.tape[at] = slot{uint32(start), uint32(x.pos)}
	return true
}

// continues consumes the comma, the name and the colon of a field's member, if just these come next: as they do where the upstream
// sends all keys, in order and without white space.
func (x *indexer) continues(f *field) bool {
	n := len(f.next)
	if x.pos+max(n, 16) > len(x.data) {
		return false
	}
	b := x.data[x.pos:]
	if binary.LittleEndian.Uint64(b)&f.headMask != f.head || binary.LittleEndian.Uint64(b[8:])&f.tailMask != f.tail ||
		n > 16 && string(b[16:n]) != f.next[16:] {
		return false
	}
	x.pos += n
	return true
}

// value indexes the value of a field, which is not null and begins with c, at its slot, which is zero.
func (x *indexer) value(f *field, c byte, at int) bool {
	start := x.pos
	var marked, ok bool
	switch {
	case !f.kind.begins(c):
		return x.countWrong() && x.skip()
	case c == '"' && f.kind != skipped:
		_, marked, ok = x.text()
	case f.kind == boolean:
		ok = x.word("true") || x.word("false")
	case f.kind == object:
		_, ok = x.object(f.shape, at+1)
	case f.kind == texts:
		marked, ok = x.texts()
	case f.kind == objects:
		return x.objects(f.shape, at)
	case f.kind == skipped:
		return x.skip()
	default:
		var plain bool
		if plain, ok = x.number(); ok && !f.kind.holds(x.data[start:x.pos], plain) {
			return x.countWrong()
		}
		marked = !plain || f.kind == identifier
	}
	hi := uint32(x.pos)
	if marked {
		hi |= mark
	}
	x.tape[at] = slot{uint32(start), hi}
	return ok
}

// begins tells whether a value of the kind can start with c.
func (k kind) begins(c byte) bool {
	switch k {
	case text:
		return c == '"'
	case identifier:
		return c == '"' || startsNumber(c)
	case integer32, integer64:
		return startsNumber(c)
	case boolean:
		return c == 't' || c == 'f'
	case object:
		return c == '{'
	case texts, objects:
		return c == '['
	case skipped:
	}
	return true
}

// holds tells whether a number is one of the kind. A plain one is written without fraction and exponent.
func (k kind) holds(number []byte, plain bool) bool {
	if plain && (len(number) <= 9 || len(number) <= 18 && k != integer32) {
		return true
	}
	n, whole := integer(number)
	return whole && (k != integer32 || n == int64(int32(n)))
}

// countWrong counts a value of the wrong type. It returns false where there are too many.
func (x *indexer) countWrong() bool {
	x.odd = true
	x.wrong++
	return x.wrong <= maxWrong
}

// texts validates a list of strings. It says whether the list's own text is not what is to be written.
func (x *indexer) texts() (marked, ok bool) {
	if !x.open() {
		return false, false
	}
	for first := true; ; first = false {
		more, ok := x.more(']', first)
		if !ok || !more {
			return marked, ok
		}
		if x.peek() != '"' {
			marked = true
			if !x.countWrong() || !x.skip() {
				return false, false
			}
			continue
		}
		_, surrogates, ok := x.text()
		if !ok {
			return false, false
		}
		marked = marked || surrogates
	}
}

// objects indexes a list of objects; elements of another type are left out.
func (x *indexer) objects(s *Shape, at int) bool {
	if !x.open() {
		return false
	}
	last := 0 // the place of the last element's own slot
	for first := true; ; first = false {
		more, ok := x.more(']', first)
		if !ok || !more {
			return ok
		}
		if x.peek() != '{' {
			if !x.countWrong() || !x.skip() {
				return false
			}
			continue
		}
		if x.elements++; x.elements > maxElements {
			return false
		}
		element := len(x.tape)
		x.reserve(1 + s.width)
		if last == 0 {
			x.tape[at].lo = uint32(element)
		} else {
			x.tape[last].lo = uint32(element)
		}
		x.tape[at].hi++
		last = element
		if _, ok := x.object(s, element+1); !ok {
			return false
		}
	}
}
