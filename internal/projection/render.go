package projection

import (
	"bytes"
	"slices"
	"strconv"

	"cvmgraph/internal/wire"
)

// Window is a part of a list whose items are on indexed pages, as a connection shows it.
type Window struct {
	// List has the items. It may be nil if Len is 0.
	List List
	// Len is the number of items.
	Len int
	// Total is the number of items of the whole list.
	Total int
	// HasNext and HasPrevious report whether the list has items after and before the window.
	HasNext, HasPrevious bool
}

// List has the items of a window, with indexes from 0.
type List interface {
	// Item returns the item at index i.
	Item(i int) Item
	// AppendCursor appends the item's cursor, whose characters need no escapes in JSON.
	AppendCursor(dst []byte, i int) []byte
}

// Item is an item of an indexed page.
type Item struct {
	Page *IndexedPage
	// Index is the item's index on the page.
	Index int
	// ID appends the item's global id.
	ID NodeIDAppender
}

// NodeIDAppender appends the global id of an item.
type NodeIDAppender interface {
	// AppendNodeID appends the id, whose characters need no escapes in JSON.
	AppendNodeID(dst []byte) []byte
}

// MayHaveInvalid returns false only if all values of the item have the right type. It can return
// true for a wrong value that a later equal key replaced.
func (i Item) MayHaveInvalid() bool { return i.Page.mayHaveInvalid(i.Index) }

// Memory is the memory of an output.
type Memory interface {
	// Grow returns a slice with the content of s and space for n more bytes. s is not used
	// afterwards.
	Grow(s []byte, n int) []byte
}

// Output limits what is appended to a slice, and has its memory.
type Output struct {
	// Limit is the maximum length of the slice, in bytes. As soon as it is longer, nothing more is
	// appended; the result is longer than Limit then, and not valid JSON.
	Limit int
	// Memory grows the slice. If nil, new memory is allocated.
	Memory Memory
}

// AppendConnection appends the JSON of the selected fields of a connection to dst.
func (s *Selection) AppendConnection(dst []byte, w *Window, out Output) []byte {
	r := renderer{dst: dst, limit: out.Limit, memory: out.Memory}
	r.object(s.root, place{window: w})
	return r.dst
}

// AppendItem appends the JSON of the selected fields of an item to dst.
func (s *Selection) AppendItem(dst []byte, item Item, out Output) []byte {
	r := renderer{dst: dst, limit: out.Limit, memory: out.Memory}
	r.object(s.root, item.place())
	return r.dst
}

// ConnectionSize returns the number of bytes that [Selection.AppendConnection] would append. It
// stops counting at the limit.
func (s *Selection) ConnectionSize(w *Window, limit int) int {
	r := renderer{limit: limit, measures: true}
	r.object(s.root, place{window: w})
	return r.measured + len(r.dst)
}

// ItemSize returns the number of bytes that [Selection.AppendItem] would append. It stops counting
// at the limit.
func (s *Selection) ItemSize(item Item, limit int) int {
	return len(s.AppendItem(nil, item, Output{Limit: limit}))
}

// renderer writes selections. It writes null only if the schema allows it: lists and booleans have
// defaults, and elements of the wrong type are not in the index.
type renderer struct {
	dst    []byte
	limit  int    // of the output, in bytes
	memory Memory // of dst, or nil
	// measures means that only the size counts. Of the output, measured bytes have been dropped.
	measures bool
	measured int
}

// full reports whether the output has reached the limit.
func (r *renderer) full() bool { return r.measured+len(r.dst) > r.limit }

// place is the object of a selection: a connection or its pageInfo (window), an edge (window and
// index), or an object of the upstream (page, id and base).
type place struct {
	window *Window
	index  int

	page *IndexedPage
	id   NodeIDAppender
	base int // index of the object's own slot
}

func (i Item) place() place { return place{page: i.Page, id: i.ID, base: int(i.Page.items[i.Index])} }

func (r *renderer) object(sel steps, at place) {
	r.dst = append(r.dst, '{')
	for i := range sel {
		s := &sel[i]
		if r.full() {
			return
		}
		r.space(len(s.name))
		r.dst = append(r.dst, s.name...)
		switch s.op {
		case opConstant:
			r.dst = append(r.dst, s.constant...)
		case opScalar, opIdentifier, opText, opGigabytes, opTrimmed, opSeconds, opBoolean, opCount, opObject, opStrings, opObjects:
			r.value(s, at)
		case opID:
			r.dst = append(r.dst, '"')
			r.dst = append(at.id.AppendNodeID(r.dst), '"')
		case opEdges:
			r.list(s.below, at.window, func(i int) place { return place{window: at.window, index: i} })
		case opNodes:
			r.list(s.below, at.window, func(i int) place { return at.window.List.Item(i).place() })
		case opPageInfo:
			r.object(s.below, at)
		case opTotalCount:
			r.dst = strconv.AppendInt(r.dst, int64(at.window.Total), 10)
		case opCursor:
			r.cursor(at.window, at.index)
		case opNode:
			r.object(s.below, at.window.List.Item(at.index).place())
		case opHasNext:
			r.dst = strconv.AppendBool(r.dst, at.window.HasNext)
		case opHasPrevious:
			r.dst = strconv.AppendBool(r.dst, at.window.HasPrevious)
		case opStartCursor:
			r.cursor(at.window, 0)
		case opEndCursor:
			r.cursor(at.window, at.window.Len-1)
		}
	}
	r.dst = append(r.dst, '}')
}

// list writes a selection for each item of the window. element returns the place of an item.
func (r *renderer) list(sel steps, w *Window, element func(i int) place) {
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

// slack is the space that is left for punctuation, numbers, ids and cursors, in bytes.
const slack = 256

// space grows dst unless there is space for n bytes and the slack.
func (r *renderer) space(n int) {
	if n += slack; cap(r.dst)-len(r.dst) < n {
		r.grow(n)
	}
}

func (r *renderer) grow(n int) {
	if r.memory == nil {
		r.dst = slices.Grow(r.dst, n)
	} else {
		r.dst = r.memory.Grow(r.dst, n)
	}
}

// largeOutput is the size from which an output at most doubles when it grows, in bytes.
const largeOutput = 512 << 10

// reserve grows dst when the next item may not fit: for the items that are left, if they are as
// large as the previous ones. The items so far limit how much, because the items that are left can
// be smaller. If the items are small compared to dst, more lists will probably follow, and dst
// doubles.
func (r *renderer) reserve(size, left int) {
	if cap(r.dst)-len(r.dst) >= size+slack {
		return
	}
	space := size*left + size*left/16
	if space < len(r.dst)/4 {
		space = len(r.dst)
	}
	most := len(r.dst)
	if most < largeOutput {
		most *= 8
	}
	r.grow(min(space, most, max(r.limit-len(r.dst), size)) + slack)
}

// cursor writes the cursor of the item at index i, or null if there are no items.
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
	value := at.page.tape[at.base+s.slot]
	if value == (slot{}) && s.other > 0 && s.op != opCount {
		value = at.page.tape[at.base+s.other]
	}
	switch {
	case s.op == opObjects:
		r.objects(s.below, at, value)
	case s.op == opCount:
		r.count(s, at, value)
	case value == slot{}:
		r.dst = append(r.dst, s.constant...)
	case s.op == opObject:
		r.object(s.below, at)
	case s.op == opSeconds:
		r.seconds(s, value.of(at.page.body))
	case value.marked() || s.op == opTrimmed:
		r.rewrite(s, value.of(at.page.body))
	default:
		raw := at.page.body[value.lo:value.hi]
		r.space(len(raw))
		r.dst = append(r.dst, raw...)
	}
}

// count writes the length of a list of objects, or null if the object that has the list is absent.
func (r *renderer) count(s *step, at place, list slot) {
	if at.page.tape[at.base+s.other] == (slot{}) {
		r.dst = append(r.dst, s.constant...)
		return
	}
	r.dst = strconv.AppendUint(r.dst, uint64(list.hi), 10)
}

// seconds writes a duration, given as a string with its quotes, in seconds, or null if it has no
// number of seconds.
func (r *renderer) seconds(s *step, duration []byte) {
	duration = duration[1 : len(duration)-1]
	if bytes.IndexByte(duration, '\\') >= 0 {
		var buf [64]byte
		duration = wire.AppendUnescaped(buf[:0], duration)
	}
	if n, ok := wire.Seconds(duration); ok {
		r.dst = strconv.AppendInt(r.dst, n, 10)
	} else {
		r.dst = append(r.dst, s.constant...)
	}
}

// objects writes a list of objects. value refers to the first one.
func (r *renderer) objects(sel steps, at place, value slot) {
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

// rewrite writes a value that cannot be written as it is.
func (r *renderer) rewrite(s *step, value []byte) {
	r.space(len(value)) // no rewritten value is longer, but for a few digits
	switch {
	case s.op == opStrings:
		r.strings(value)
	case s.op == opText:
		r.dst = appendInteger(r.dst, wire.IntegerText, value)
	case s.op == opGigabytes:
		r.dst = appendInteger(r.dst, wire.Gigabytes, value)
	case s.op == opTrimmed:
		before := len(r.dst)
		if r.dst = wire.AppendString(r.dst, value, s.suffix); len(r.dst) == before+len(`""`) {
			r.dst = append(r.dst[:before], s.constant...)
		}
	case value[0] == '"':
		r.dst = wire.AppendString(r.dst, value, "")
	case s.op == opIdentifier:
		r.dst = append(r.dst, '"')
		r.dst = append(appendInteger(r.dst, wire.Int64, value), '"')
	default:
		r.dst = appendInteger(r.dst, wire.Int64, value)
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
		r.dst = wire.AppendString(r.dst, list[start:s.Pos], "")
	}
	r.dst = append(r.dst, ']')
}

// appendInteger appends the digits of the integer that a value of a kind stands for.
func appendInteger(dst []byte, k wire.Kind, value []byte) []byte {
	n, _ := k.Integer(value)
	return strconv.AppendInt(dst, n, 10)
}
