package relay

import (
	"slices"
	"sync"
)

// Result is an assembled window. It is read-only and safe for concurrent use.
type Result struct {
	// HasPrevious and HasNext report whether the list has items before and after the window.
	HasPrevious, HasNext bool
	// Total is the number of items in the list.
	Total int
	// Realigned describes how the list changed. It is nil if the cursors show no change.
	Realigned *Realigned

	pages   snapshots
	items   items
	repeats map[int]int // by the index of items
	leftOut []passedItem
	// passed are the items that the cursor at which the window begins remembers before it, but that
	// are listed in the window or near after it.
	passed        []Neighbor
	first, last   boundary
	after, before *Cursor // of the window
	seen          uint32
	drift         int

	// The neighborhood is built once the first cursor is requested.
	once         sync.Once
	neighborhood *neighborhood
}

// ItemRef is the place of a window's item in the pages that were passed to [Assembler.Add].
type ItemRef struct {
	// Position is the item's position in the list according to its page, counted from 0.
	Position int
	// Page is the page's index in the order of the calls to Add, counted since the last
	// [PageSet.Restart]. Index is the item's index in the page.
	Page, Index int
	// Repeats is how many more times the page lists the item.
	Repeats int
}

// Realigned describes how a window was fitted to a list that changed after its cursor was made, or
// while its pages were loaded.
type Realigned struct {
	// Exact reports that the window begins exactly at its cursor: no item that was listed
	// throughout is skipped or repeated.
	Exact bool
	// Inserted and Removed are the smallest numbers of items that can have been added and deleted.
	Inserted, Removed int
	// Reordered reports that items that the cursor remembers have changed sides.
	Reordered bool
	// RepeatedFrom is the position from which items may repeat those of an earlier window; -1 if
	// none do.
	RepeatedFrom int
}

// Len returns the number of items.
func (r *Result) Len() int { return r.items.len }

// Item returns the item at index i, in the order of the list.
func (r *Result) Item(i int) ItemRef {
	index := r.index(i)
	b := r.items.at(index)
	return ItemRef{Position: r.pages.position(b), Page: b.page, Index: b.index, Repeats: r.repeats[index]}
}

// Pages returns the indexes, as in [ItemRef], of the pages that the result was made from.
func (r *Result) Pages() []int {
	used := []int{len(r.pages) - 1} // has the total
	for _, run := range r.items.runs {
		used = append(used, run.first.page)
	}
	used = append(used, r.first.page, r.last.page)
	slices.Sort(used)
	return slices.Compact(used)
}

// index returns the index in items, which are in the order of the traversal, of the item at index i
// in the order of the list.
func (r *Result) index(i int) int {
	if r.items.dir < 0 {
		return r.items.len - 1 - i
	}
	return i
}

// Items returns all items, in the order of the list.
func (r *Result) Items() []ItemRef {
	refs := make([]ItemRef, r.Len())
	for i := range refs {
		refs[i] = r.Item(i)
	}
	return refs
}

// AppendCursor appends the encoded cursor of the item at index i. The fingerprint is that of the
// list.
func (r *Result) AppendCursor(dst []byte, i int, list Fingerprint) []byte {
	var buf neighborBuf
	return r.cursor(i, list, &buf).Append(dst)
}

// Cursor returns the cursor that [Result.AppendCursor] appends.
func (r *Result) Cursor(i int, list Fingerprint) Cursor { return r.cursor(i, list, new(neighborBuf)) }

func (r *Result) cursor(i int, list Fingerprint, buf *neighborBuf) Cursor {
	r.once.Do(func() { r.neighborhood = r.newNeighborhood() })
	position := r.pages.position(r.items.at(r.index(i)))
	return r.neighborhood.cursor(i, Cursor{
		Position: position,
		Total:    max(r.Total, position+1),
		Seen:     r.seen,
		List:     list,
		Drift:    r.drift,
	}, buf)
}

// compose returns the result of a traversal.
func (asm *Assembler) compose(s *span, t *traversal) *Result {
	first, last := s.from.boundary, t.last
	if t.dir < 0 {
		first, last = last, first
	}
	before, after := first, last // the window's items and those that it leaves out are between
	if n := t.items.len; n > 0 && t.dir > 0 {
		before = t.items.at(0)
	} else if n > 0 {
		after = t.items.at(0)
		after.index++
	}
	r := &Result{
		HasPrevious: min(asm.position(before), asm.pages[before.page].Total) > 0,
		HasNext:     asm.position(after) < asm.pages[after.page].Total,
		Total:       asm.pages[len(asm.pages)-1].reported(),
		Realigned:   asm.realigned(s, t),
		pages:       asm.pages,
		items:       t.items,
		repeats:     t.repeats,
		leftOut:     t.leftOut,
		first:       first,
		last:        last,
		after:       asm.window.After,
		before:      asm.window.Before,
		drift:       asm.drift(s, t),
	}
	// In the direction of the traversal, the items between the cursors count.
	further := &r.HasNext
	if t.dir < 0 {
		further = &r.HasPrevious
	}
	if s.limited {
		*further = !t.ended
	} else if !t.complete {
		*further = true
	}
	r.passed = asm.passed(s, t)
	for i := range asm.pages {
		r.seen = later(r.seen, asm.pages[i].Seen)
	}
	return r
}

// passedSlack is how many items may be inserted before one that was passed, until it is met.
const passedSlack = 8

// passed returns the items that the next window has to leave out, by their distances from the last
// item in the direction of the traversal. An item that has moved far ahead is not among them.
func (asm *Assembler) passed(s *span, t *traversal) []Neighbor {
	var passed []Neighbor
	end := asm.position(t.last)
	for _, b := range s.from.ahead {
		if left := t.dir*(asm.position(b)-end) + 1; s.from.ordered || left < nearMost {
			passed = append(passed, Neighbor{max(left, 1) + passedSlack, asm.pages.item(b)})
		}
	}
	for _, n := range s.from.previous {
		ahead := slices.ContainsFunc(s.from.ahead, func(b boundary) bool { return asm.pages.item(b).clipped() == n.Item })
		if left := n.Distance - passedDistance - t.items.len; left > 0 && !ahead {
			passed = append(passed, Neighbor{left, n.Item})
		}
	}
	slices.SortFunc(passed, func(a, b Neighbor) int { return a.Distance - b.Distance })
	return passed
}

// realigned returns how the list has changed at the cursors and between the pages, nil if it has
// not.
func (asm *Assembler) realigned(s *span, t *traversal) *Realigned {
	changed := t.moved > 0
	result := Realigned{RepeatedFrom: -1, Exact: t.complete && (t.moved == 0 || !asm.bestEffort)}
	for _, a := range s.ends {
		if a.cursor == nil {
			continue
		}
		changed = changed || a.realigned || a.reordered
		result.Exact = result.Exact && a.exact
		result.Reordered = result.Reordered || a.reordered
		result.Removed = max(result.Removed, a.removed)
		result.Inserted = max(result.Inserted, a.inserted)
	}
	if len(t.leftOut) > len(s.ends[0].ahead)+len(s.ends[1].ahead) {
		changed, result.Reordered, result.Exact = true, true, false
	}
	if !changed {
		return nil
	}
	if s.from.repeats {
		result.RepeatedFrom = asm.position(s.from.boundary)
		if t.dir < 0 {
			result.RepeatedFrom = max(result.RepeatedFrom-1, 0)
		}
	}
	return new(result)
}

// drift returns how far the list moves, for the cursors of the result: the larger of what the
// pages show and what older cursors remember, less one with each window.
func (asm *Assembler) drift(s *span, t *traversal) int {
	drift := t.moved
	for _, a := range s.ends {
		if c := a.cursor; c != nil {
			drift = max(drift, abs(a.moved), a.removed, abs(asm.total()-c.Total), c.Drift-1)
		}
	}
	return min(drift, maxDrift)
}
