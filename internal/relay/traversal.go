package relay

import "slices"

// traversal is a path along the list from an alignment. In this file, the next item is the one that
// the traversal meets next, and the items before a boundary are those that it has passed.
type traversal struct {
	pages snapshots
	span  span
	dir   int
	count int // how many items are requested

	items    items
	complete bool     // it has all items that were requested or that there are
	ended    bool     // no item follows the place reached
	last     boundary // the place reached
	// visited has the index in items of each item found. It is nil as long as no item can be met
	// twice.
	visited map[Fingerprint]int
	// repeats counts the items that a page lists again, by the index of items.
	repeats map[int]int
	// used are the pages before the current one.
	used []int
	// moved is the largest distance, in positions, between the places of an item in two joined
	// pages.
	moved int
	// leftOut are the items that were left out because a cursor remembers them outside of the
	// window.
	leftOut []passedItem
}

// passedItem is an item that a traversal passed before the item at an index.
type passedItem struct {
	item  Fingerprint
	index int
}

// skipped marks an item that a traversal leaves out.
const skipped = -1

// traverse goes along a part of the list in the direction dir. It stops at count items or at the
// end of the part. At a page's end it continues on another page that contains the last item found,
// or else an earlier one.
func (asm *Assembler) traverse(s *span, dir, count int) traversal {
	t := traversal{
		pages: asm.pages, span: *s, dir: dir, count: count, items: items{dir: dir}, last: s.from.boundary,
	}
	for {
		page := &asm.pages[t.last.page]
		if t.visited == nil && !page.Distinct {
			t.trackVisited()
		}
		if t.passPage(); t.complete {
			return t
		}
		t.used = append(t.used, t.last.page)
		next, moved, ok := asm.continuation(&t)
		if !ok {
			return t
		}
		t.turnPage(next, moved)
	}
}

// passPage adds the rest of the current page.
func (t *traversal) passPage() {
	page := &t.pages[t.last.page]
	limit, limited := boundary{}, t.span.limited
	if limited {
		limit, limited = t.pages.translate(t.span.ends[1].boundary, t.last.page)
	}
	for ; t.last.index < len(page.Items) && t.dir > 0 || t.last.index > 0 && t.dir < 0; t.last.index += t.dir {
		item := t.last
		if t.dir < 0 {
			item.index--
		}
		f := page.Items[item.index]
		t.ended = limited && t.dir*(t.last.index-limit.index) >= 0
		if t.complete = t.ended || t.items.len == t.count && !t.leavesOut(f); t.complete {
			return
		}
		t.add(item, f)
	}
	t.ended = page.ends(t.dir) || t.span.limited && t.dir*t.pages.compare(t.last, t.span.ends[1].boundary) >= 0
	t.complete = t.ended || t.items.len == t.count
}

// add adds an item, unless it was met before or a cursor remembers it outside of the window.
func (t *traversal) add(item boundary, f Fingerprint) {
	if i, ok := t.visited[f]; ok {
		if i != skipped && t.items.at(i).page == item.page {
			if t.repeats == nil {
				t.repeats = make(map[int]int)
			}
			t.repeats[i]++
		}
		return
	}
	if t.leavesOut(f) {
		t.leftOut = append(t.leftOut, passedItem{f, t.items.len})
		return
	}
	if t.visited != nil {
		t.visited[f] = t.items.len
	}
	t.items.add(item)
}

// leavesOut reports whether a cursor remembers the item outside of the window.
func (t *traversal) leavesOut(f Fingerprint) bool {
	return t.span.from.leavesOut(f) || t.span.limited && t.span.ends[1].leavesOut(f)
}

// turnPage goes on from a boundary in another page, in which an item's place differs by moved. The
// items that the current page has before the place reached are not met again, wherever the next
// page begins.
func (t *traversal) turnPage(next boundary, moved int) {
	t.trackVisited()
	for i, f := range t.pages[t.last.page].Items {
		if _, ok := t.visited[f]; !ok && (i < t.last.index) == (t.dir > 0) {
			t.visited[f] = skipped
		}
	}
	t.last = next
	t.moved = max(t.moved, moved)
}

// trackVisited makes the traversal record which items it has met.
func (t *traversal) trackVisited() {
	if t.visited != nil {
		return
	}
	t.visited = make(map[Fingerprint]int, min(t.count, 10*MaxPageSize))
	for i := range t.items.len {
		t.visited[t.pages.item(t.items.at(i))] = i
	}
}

// boundary returns the boundary before the item at an index, or the place reached.
func (t *traversal) boundary(i int) boundary {
	if i == t.items.len {
		return t.last
	}
	b := t.items.at(i)
	if t.dir < 0 {
		b.index++
	}
	return b
}

// continuation returns the boundary in another page after the item passed last, and the distance
// between the item's places in both pages. If no page has that item, an earlier one serves: the
// items after it are new, or the same.
func (asm *Assembler) continuation(t *traversal) (boundary, int, bool) {
	page := asm.pages[t.last.page]
	// matched are pages that have a nearer item: an earlier item leads to the same place.
	matched := make(map[int]bool)
	for back := range 2 * MaxPageSize {
		index := t.last.index - 1 - back
		if t.dir < 0 {
			index = t.last.index + back
		}
		if index < 0 || index >= len(page.Items) {
			break
		}
		best, found := boundary{}, false
		for i, other := range asm.pages {
			if slices.Contains(t.used, i) || asm.outdated[i] || matched[i] {
				continue
			}
			j := slices.Index(other.Items, page.Items[index])
			if j < 0 {
				continue
			}
			matched[i] = true
			next := asm.weighJoin(t, boundary{i, j})
			if asm.goesOn(next, t.dir, back) && asm.joins(boundary{t.last.page, index}, boundary{i, j}) && (!found || asm.remaining(next, t.dir) > asm.remaining(best, t.dir)) {
				best, found = next, true
			}
		}
		if found {
			moved := abs(asm.position(best) - asm.position(boundaryAfter(boundary{t.last.page, index}, t.dir)))
			return best, max(moved, back), true
		}
	}
	return boundary{}, 0, false
}

// joinWitnesses is how many of the items passed last are weighed at a join.
const joinWitnesses = 9

// weighJoin returns the boundary at which a traversal goes on in a page that has an item which the
// current page has passed: after that item, or at an earlier item that the current page does not
// have, if more of the items passed last are before it than after it. One of these may have moved.
// The traversal does not return the items in between again.
func (asm *Assembler) weighJoin(t *traversal, at boundary) boundary {
	next := boundaryAfter(at, t.dir)
	page, other := asm.pages[t.last.page], asm.pages[at.page]
	if t.span.view {
		return next
	}
	passed := page.Items[:t.last.index]
	passed = passed[max(0, len(passed)-joinWitnesses):]
	if t.dir < 0 {
		passed = page.Items[t.last.index:]
		passed = passed[:min(len(passed), joinWitnesses)]
	}
	common := 0
	for _, f := range passed {
		if slices.Contains(other.Items, f) {
			common++
		}
	}
	if !slices.Contains(passed, asm.pages.item(at)) {
		return next
	}
	b, before := boundary{at.page, 0}, 0
	if t.dir < 0 {
		b.index = len(other.Items)
	}
	for ; b != next; b.index += t.dir {
		f := other.Items[min(b.index, b.index+(t.dir-1)/2)]
		switch {
		case slices.Contains(passed, f):
			before++
		case 2*before > common && !slices.Contains(page.Items, f):
			return b
		}
	}
	return next
}

// joins reports whether two pages show that an item that both have is at the same place of the
// list: its position is the same, or it has changed no more than the list has grown or shrunk, and
// more of the other items that both have are on the same side of it than on the other one.
func (asm *Assembler) joins(a, b boundary) bool {
	p, q := asm.pages[a.page], asm.pages[b.page]
	moved := abs(asm.position(a) - asm.position(b))
	if asm.bestEffort || moved == 0 {
		return true
	}
	same := 0
	for i, f := range p.Items {
		switch j := slices.Index(q.Items, f); {
		case j < 0 || i == a.index:
		case (i < a.index) == (j < b.index):
			same++
		default:
			same--
		}
	}
	return same >= min(2, len(p.Items)-1) && moved <= abs(p.Total-q.Total)+seamSlack
}

// goesOn reports whether a traversal gets further from a boundary in another page. It has passed up
// to back items after that boundary already.
func (asm *Assembler) goesOn(b boundary, dir, back int) bool {
	if asm.pages[b.page].ends(dir) {
		return true
	}
	further := asm.remaining(b, dir) - back
	return further > 0 && (back == 0 || further >= seamSlack || asm.bestEffort)
}

// remaining returns how many items of its page follow a boundary.
func (asm *Assembler) remaining(b boundary, dir int) int {
	if dir < 0 {
		return b.index
	}
	return len(asm.pages[b.page].Items) - b.index
}

// continuationPages returns the pages that continue a traversal from where it stopped.
func (asm *Assembler) continuationPages(t *traversal, dir int) ([]PageRef, Reason) {
	position := asm.position(t.last) // of the next item
	// The range includes the item found last, which may have moved by the margin.
	following := func(count, margin int) Range {
		lacking := count - t.items.len
		if dir > 0 {
			return Range{max(position-1-margin, 0), position + lacking + margin}
		}
		return Range{max(position-lacking-margin, 0), position + 1 + margin}
	}
	needed := following(asm.window.Count, 0)
	if len(asm.open(needed)) > 0 {
		if pages := overlapping(asm.missing(following(asm.widest, 0)), needed); len(pages) > 0 {
			return pages, ReasonWindow
		}
	}
	// The pages are loaded and do not continue the traversal: the list changed between the calls.
	// They are loaded again, with a larger margin.
	if asm.retries++; asm.retries > maxRetries {
		return nil, ""
	}
	near := following(asm.window.Count, seamSlack*asm.retries)
	if near.Len() > MaxPageSize/2 {
		if dir > 0 {
			near.Hi = near.Lo + MaxPageSize/2
		} else {
			near.Lo = near.Hi - MaxPageSize/2
		}
	}
	return Cover(near), ReasonSeam
}
