package relay

import (
	"sync"
)

// Slot is an item of an answer.
type Slot struct {
	// Position is where it stood in its page, counted from 0 at the front of the list.
	Position int
	// View and Item are its place in the views that the reader was given, in their order.
	View, Item int
	// Repeats is how many more times the upstream listed it on the same page.
	Repeats int
}

// Answer is a window as it was read.
type Answer struct {
	// HasPrevious and HasNext say whether the list has items on either side.
	HasPrevious, HasNext bool
	// Total is how many items the list holds.
	Total int
	// Realigned says what was made of a list that moved; nil where it did not, as far as the cursors tell.
	Realigned *Realigned

	// What its slots and cursors are made of. The line is drawn once a cursor is asked for.
	moving      int
	seen        uint32
	reader      *Reader
	picks       picks
	repeats     map[int]int // by the index of picks
	first, last spot
	draw        sync.Once
	line        *line
	offset      int // of the first slot in the line
}

// Len returns how many items there are.
func (a *Answer) Len() int { return a.picks.len }

// Slot returns the item at index i, in the order of the list.
func (a *Answer) Slot(i int) Slot {
	found := a.found(i)
	pick := a.picks.at(found)
	return Slot{Position: a.reader.position(pick), View: pick.view, Item: pick.index, Repeats: a.repeats[found]}
}

// found returns which of the picks is the item at index i: they are in the order in which they were read.
func (a *Answer) found(i int) int {
	if a.picks.dir < 0 {
		return a.picks.len - 1 - i
	}
	return i
}

// Slots returns all items, in the order of the list.
func (a *Answer) Slots() []Slot {
	slots := make([]Slot, a.Len())
	for i := range slots {
		slots[i] = a.Slot(i)
	}
	return slots
}

// AppendCursor appends the text of the cursor of the slot at index i, which belongs to the list with this fingerprint. It is safe
// for concurrent use.
func (a *Answer) AppendCursor(dst []byte, i int, list Fingerprint) []byte {
	var room memories
	return a.cursor(i, list, &room).Append(dst)
}

// Cursor returns the cursor that [Answer.AppendCursor] appends.
func (a *Answer) Cursor(i int, list Fingerprint) Cursor { return a.cursor(i, list, new(memories)) }

func (a *Answer) cursor(i int, list Fingerprint, room *memories) Cursor {
	a.draw.Do(func() { a.line, a.offset = a.reader.line(a) })
	position := a.reader.position(a.picks.at(a.found(i)))
	return a.line.cursor(a.offset+i, Cursor{
		Position: position,
		Total:    max(a.Total, position+1),
		Seen:     a.seen,
		Item:     a.line.items[a.offset+i],
		List:     list,
		Moving:   a.moving,
	}, room)
}

// Realigned says how an answer was fitted to a list that moved since its cursor was made, or while it was read.
type Realigned struct {
	// Exact says that the answer goes on just where the cursor's left off: nothing that was there all the time is left out or
	// repeated.
	Exact bool
	// Inserted and Removed are how many items are known to have come and gone: at least so many have.
	Inserted, Removed int
	// Reordered says that items which the cursor remembers have changed sides.
	Reordered bool
	// RepeatedFrom is the position from which items may be ones that an earlier answer had; -1 where there are none.
	RepeatedFrom int
}

// compose makes the answer of a walk; nil where the walk did not get anywhere.
func (r *Reader) compose(from, until alignment, w walk) *Answer {
	if w.picks.len == 0 && !w.complete {
		return nil
	}
	dir := r.window.direction()
	first, last := from.spot, w.last
	if dir < 0 {
		first, last = last, first
	}
	answer := &Answer{
		HasPrevious: min(r.position(first), r.views[first.view].Total) > 0,
		HasNext:     r.position(last) < r.views[last.view].Total,
		Total:       r.total(),
	}
	if dir > 0 && !w.complete {
		answer.HasNext = true
	}
	if dir < 0 && !w.complete {
		answer.HasPrevious = true
	}
	answer.Realigned = r.realigned(from, until, w)
	answer.reader, answer.first, answer.last, answer.picks = r, first, last, w.picks
	answer.moving = r.moving(from, until, w)
	for _, v := range r.views {
		answer.seen = later(answer.seen, v.Seen)
	}
	answer.repeats = w.repeats
	return answer
}

// line returns the answer's items with what stands around them in their views, and the index of the first of them.
func (r *Reader) line(a *Answer) (*line, int) {
	first, last := a.first, a.last
	l := &line{}
	if v := &r.views[first.view]; first.view == last.view && v.Distinct && last.index-first.index == a.Len() {
		l.items = v.Items
		l.before, l.after = carry(r.window.After, l.items, 1), carry(r.window.Before, l.items, -1)
		return l, first.index
	}
	held := make(map[Fingerprint]bool, a.Len())
	for i := range a.Len() {
		held[r.item(a.picks.at(i))] = true
	}
	// The views may be of different moments: an item stands in the line once.
	add := func(items []Fingerprint) {
		for _, f := range items {
			if !held[f] {
				held[f] = true
				l.items = append(l.items, f)
			}
		}
	}
	add(r.views[first.view].Items[:first.index])
	offset := len(l.items)
	for i := range a.Len() {
		l.items = append(l.items, r.item(a.picks.at(a.found(i))))
	}
	add(r.views[last.view].Items[last.index:])
	l.before = carry(r.window.After, l.items, 1)
	l.after = carry(r.window.Before, l.items, -1)
	return l, offset
}

// carry returns what a cursor remembers beyond the line, by the distance from the line's first item (dir 1) or its last.
func carry(c *Cursor, items []Fingerprint, dir int) []Memory {
	if c == nil || len(items) == 0 {
		return nil
	}
	behind, ahead := c.sides(dir)
	at := func(i int) Fingerprint {
		if dir < 0 {
			return items[len(items)-1-i]
		}
		return items[i]
	}
	remembered := append([]Memory{{0, c.Item}}, behind...)
	distances := make(map[Fingerprint]int, len(remembered)+len(ahead)) // from the cursor's item, against the direction
	for _, m := range remembered {
		distances[m.Item.clipped()] = m.Distance
	}
	for _, m := range ahead {
		distances[m.Item] = -m.Distance
	}
	// The first remembered item in the line says how the cursor's distances compare with the line's.
	for i := range items {
		d, ok := distances[at(i).clipped()]
		if !ok {
			continue
		}
		return beyond(remembered, items, d, i)
	}
	return nil
}

// beyond returns those of the remembered items that stood further from the cursor than d, where the line has an item at index i
// from its end, and that are not in the line, by their distance from that end. What the line has between does not push them
// into it.
func beyond(remembered []Memory, items []Fingerprint, d, i int) []Memory {
	inLine := make(map[Fingerprint]bool, len(items))
	for _, f := range items {
		inLine[f.clipped()] = true
	}
	var far []Memory
	shift := -d - i
	for _, m := range remembered {
		if m.Distance <= d || inLine[m.Item.clipped()] {
			continue
		}
		if len(far) == 0 {
			shift = max(shift, 1-m.Distance)
		}
		far = append(far, Memory{m.Distance + shift, m.Item})
	}
	return far
}

// realigned says what has become of the cursors' places.
func (r *Reader) realigned(from, until alignment, w walk) *Realigned {
	if !from.realigned && !until.realigned && !from.reordered && !until.reordered && !w.behind && w.moved == 0 {
		return nil
	}
	exact := true
	result := &Realigned{RepeatedFrom: -1}
	for _, a := range []alignment{from, until} {
		if a.cursor == nil {
			continue
		}
		exact = exact && a.exact
		result.Reordered = result.Reordered || a.reordered
		result.Removed = max(result.Removed, a.gone+max(-a.moved, 0))
		result.Inserted = max(result.Inserted, a.moved)
	}
	result.Reordered = result.Reordered || w.behind
	result.Exact = exact && !w.behind && w.complete && (w.moved == 0 || !r.settle)
	if from.cursor != nil && from.passed > 0 {
		result.RepeatedFrom = r.position(from.spot)
		if r.window.FromBack {
			result.RepeatedFrom = max(result.RepeatedFrom-1, 0)
		}
	}
	return result
}

// moving says how far the list moves, for the cursors of an answer: what was seen now, or what was seen lately, fading.
func (r *Reader) moving(from, until alignment, w walk) int {
	moving := w.moved
	for _, a := range []alignment{from, until} {
		if c := a.cursor; c != nil {
			moving = max(moving, abs(a.moved), a.gone, abs(r.total()-c.Total), c.Moving-1)
		}
	}
	return min(moving, maxMoving)
}
