package relay

import (
	"sync"
)

// ItemRef is an item of an answer.
type ItemRef struct {
	// Position is where it stood in its page, counted from 0 at the front of the list.
	Position int
	// View and Item are its place in the views that the reader was given, in their order.
	Page, Index int
	// Repeats is how many more times the upstream listed it on the same page.
	Repeats int
}

// Result is a window as it was read.
type Result struct {
	// HasPrevious and HasNext say whether the list has items on either side.
	HasPrevious, HasNext bool
	// Total is how many items the list holds.
	Total int
	// Realigned says what was made of a list that moved; nil where it did not, as far as the cursors tell.
	Realigned *Realigned

	// What its slots and cursors are made of. The line is drawn once a cursor is asked for.
	moving       int
	seen         uint32
	assembler    *Assembler
	items        items
	repeats      map[int]int // by the index of picks
	first, last  boundary
	once         sync.Once
	neighborhood *neighborhood
	offset       int // of the first slot in the line
}

// Len returns how many items there are.
func (a *Result) Len() int { return a.items.len }

// Item returns the item at index i, in the order of the list.
func (a *Result) Item(i int) ItemRef {
	found := a.index(i)
	pick := a.items.at(found)
	return ItemRef{Position: a.assembler.position(pick), Page: pick.page, Index: pick.index, Repeats: a.repeats[found]}
}

// found returns which of the picks is the item at index i: they are in the order in which they were read.
func (a *Result) index(i int) int {
	if a.items.dir < 0 {
		return a.items.len - 1 - i
	}
	return i
}

// Items returns all items, in the order of the list.
func (a *Result) Items() []ItemRef {
	slots := make([]ItemRef, a.Len())
	for i := range slots {
		slots[i] = a.Item(i)
	}
	return slots
}

// AppendCursor appends the text of the cursor of the slot at index i, which belongs to the list with this fingerprint. It is safe
// for concurrent use.
func (a *Result) AppendCursor(dst []byte, i int, list Fingerprint) []byte {
	var room neighborBuf
	return a.cursor(i, list, &room).Append(dst)
}

// Cursor returns the cursor that [Result.AppendCursor] appends.
func (a *Result) Cursor(i int, list Fingerprint) Cursor { return a.cursor(i, list, new(neighborBuf)) }

func (a *Result) cursor(i int, list Fingerprint, room *neighborBuf) Cursor {
	a.once.Do(func() { a.neighborhood, a.offset = a.assembler.neighborhood(a) })
	position := a.assembler.position(a.items.at(a.index(i)))
	return a.neighborhood.cursor(a.offset+i, Cursor{
		Position: position,
		Total:    max(a.Total, position+1),
		Seen:     a.seen,
		Item:     a.neighborhood.items[a.offset+i],
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
func (r *Assembler) compose(from, until alignment, w traversal) *Result {
	if w.items.len == 0 && !w.complete {
		return nil
	}
	dir := r.window.direction()
	first, last := from.boundary, w.last
	if dir < 0 {
		first, last = last, first
	}
	answer := &Result{
		HasPrevious: min(r.position(first), r.pages[first.page].Total) > 0,
		HasNext:     r.position(last) < r.pages[last.page].Total,
		Total:       r.total(),
	}
	if dir > 0 && !w.complete {
		answer.HasNext = true
	}
	if dir < 0 && !w.complete {
		answer.HasPrevious = true
	}
	answer.Realigned = r.realigned(from, until, w)
	answer.assembler, answer.first, answer.last, answer.items = r, first, last, w.items
	answer.moving = r.moving(from, until, w)
	for _, v := range r.pages {
		answer.seen = later(answer.seen, v.Seen)
	}
	answer.repeats = w.repeats
	return answer
}

// line returns the answer's items with what stands around them in their views, and the index of the first of them.
func (r *Assembler) neighborhood(a *Result) (*neighborhood, int) {
	first, last := a.first, a.last
	l := &neighborhood{}
	if v := &r.pages[first.page]; first.page == last.page && v.Distinct && last.index-first.index == a.Len() {
		l.items = v.Items
		l.before, l.after = inheritedNeighbors(r.window.After, l.items, 1), inheritedNeighbors(r.window.Before, l.items, -1)
		return l, first.index
	}
	held := make(map[Fingerprint]bool, a.Len())
	for i := range a.Len() {
		held[r.item(a.items.at(i))] = true
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
	add(r.pages[first.page].Items[:first.index])
	offset := len(l.items)
	for i := range a.Len() {
		l.items = append(l.items, r.item(a.items.at(a.index(i))))
	}
	add(r.pages[last.page].Items[last.index:])
	l.before = inheritedNeighbors(r.window.After, l.items, 1)
	l.after = inheritedNeighbors(r.window.Before, l.items, -1)
	return l, offset
}

// carry returns what a cursor remembers beyond the line, by the distance from the line's first item (dir 1) or its last.
func inheritedNeighbors(c *Cursor, items []Fingerprint, dir int) []Neighbor {
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
	remembered := append([]Neighbor{{0, c.Item}}, behind...)
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
func beyond(remembered []Neighbor, items []Fingerprint, d, i int) []Neighbor {
	inLine := make(map[Fingerprint]bool, len(items))
	for _, f := range items {
		inLine[f.clipped()] = true
	}
	var far []Neighbor
	shift := -d - i
	for _, m := range remembered {
		if m.Distance <= d || inLine[m.Item.clipped()] {
			continue
		}
		if len(far) == 0 {
			shift = max(shift, 1-m.Distance)
		}
		far = append(far, Neighbor{m.Distance + shift, m.Item})
	}
	return far
}

// realigned says what has become of the cursors' places.
func (r *Assembler) realigned(from, until alignment, w traversal) *Realigned {
	if !from.realigned && !until.realigned && !from.reordered && !until.reordered && !w.leftOut && w.moved == 0 {
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
	result.Reordered = result.Reordered || w.leftOut
	result.Exact = exact && !w.leftOut && w.complete && (w.moved == 0 || !r.bestEffort)
	if from.cursor != nil && from.passed > 0 {
		result.RepeatedFrom = r.position(from.boundary)
		if r.window.FromBack {
			result.RepeatedFrom = max(result.RepeatedFrom-1, 0)
		}
	}
	return result
}

// moving says how far the list moves, for the cursors of an answer: what was seen now, or what was seen lately, fading.
func (r *Assembler) moving(from, until alignment, w traversal) int {
	moving := w.moved
	for _, a := range []alignment{from, until} {
		if c := a.cursor; c != nil {
			moving = max(moving, abs(a.moved), a.gone, abs(r.total()-c.Total), c.Moving-1)
		}
	}
	return min(moving, maxMoving)
}
