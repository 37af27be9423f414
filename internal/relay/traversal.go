package relay

import "slices"

// traversal is a path along the list from a boundary. In this file, the next item is the one that
// the traversal meets next, and the items before a boundary are those that it has passed.
type traversal struct {
	items    items
	complete bool     // it has all items that were requested or that there are
	last     boundary // the place reached
	// repeats counts the items that a page lists again, by the index of items.
	repeats map[int]int
	// used are the pages before the current one.
	used []int
	// moved is the largest distance, in positions, between the places of an item in two joined
	// pages.
	moved   int
	leftOut bool // an item was left out because the cursor remembers it on the other side
}

// skipped marks an item that a traversal leaves out.
const skipped = -1

// traverse goes along the list from an alignment. It stops at count items, at stop, or at the
// list's end. At a page's end it continues on another page that contains the last item found, or
// else an earlier one.
func (asm *Assembler) traverse(from alignment, dir, count int, stop *Cursor, until alignment) traversal {
	t := traversal{items: items{dir: dir}, last: from.boundary}
	// visited has the index in items of each item found. It is nil as long as no item can be met
	// twice.
	var visited map[Fingerprint]int
	limit := stopper{stop: stop, until: until, dir: dir, pages: asm.pages}
	for {
		page := &asm.pages[t.last.page]
		if visited == nil && !page.Distinct {
			visited = asm.visited(&t.items, count)
		}
		for ; t.last.index < len(page.Items) && dir > 0 || t.last.index > 0 && dir < 0; t.last.index += dir {
			item := t.last
			if dir < 0 {
				item.index--
			}
			f := page.Items[item.index]
			if t.items.len == count || limit.reached(item, f) {
				t.complete = true
				return t
			}
			if i, ok := visited[f]; ok {
				if i != skipped && t.items.at(i).page == item.page {
					if t.repeats == nil {
						t.repeats = make(map[int]int)
					}
					t.repeats[i]++
				}
				continue
			}
			if from.remembersPrevious(f) {
				t.leftOut = true
				continue
			}
			if visited != nil {
				visited[f] = t.items.len
			}
			t.items.add(item)
		}
		if t.items.len == count || page.ends(dir) {
			t.complete = true
			return t
		}
		t.used = append(t.used, t.last.page)
		next, moved, ok := asm.continuation(t, dir)
		if !ok {
			return t
		}
		if visited == nil {
			visited = asm.visited(&t.items, count)
		}
		// The items that this page has before the place reached are not met again, wherever the
		// next page begins.
		for i, f := range page.Items {
			if _, ok := visited[f]; !ok && (i < t.last.index) == (dir > 0) {
				visited[f] = skipped
			}
		}
		t.last = next
		t.moved = max(t.moved, moved)
	}
}

// visited returns the items found with their indexes, and capacity for count.
func (asm *Assembler) visited(found *items, count int) map[Fingerprint]int {
	visited := make(map[Fingerprint]int, min(count, 10*MaxPageSize))
	for i := range found.len {
		visited[asm.pages.item(found.at(i))] = i
	}
	return visited
}

// continuation returns the boundary in another page after the item found last, and the distance
// between the item's places in both pages. If that page does not have the item, an earlier one
// serves: the items after it are new, or the same.
func (asm *Assembler) continuation(t traversal, dir int) (boundary, int, bool) {
	// The passed items of this page, nearest first.
	page := asm.pages[t.last.page]
	at := t.last.index
	// matched are pages that have a nearer item: an earlier item leads to the same place.
	matched := make(map[int]bool)
	for back := range 2 * MaxPageSize {
		index := at - 1 - back
		if dir < 0 {
			index = at + back
		}
		if index < 0 || index >= len(page.Items) {
			break
		}
		f := page.Items[index]
		best, bestMoved, found := boundary{}, 0, false
		for i, other := range asm.pages {
			if slices.Contains(t.used, i) || asm.outdated[i] || matched[i] {
				continue
			}
			j := slices.Index(other.Items, f)
			if j < 0 {
				continue
			}
			matched[i] = true
			next := boundary{i, j + 1}
			if dir < 0 {
				next.index = j
			}
			// The traversal has passed up to back items after the matched one already. The page
			// helps only if it has more items than those.
			further := asm.remaining(next, dir) - back
			if !other.ends(dir) && (further <= 0 || back > 0 && further < seamSlack && !asm.bestEffort) {
				continue
			}
			if !found || asm.remaining(next, dir) > asm.remaining(best, dir) {
				best, bestMoved, found = next, abs(other.start()+j-page.start()-index), true
			}
		}
		if found {
			return best, max(bestMoved, back), true
		}
	}
	return boundary{}, 0, false
}

// remaining returns how many items of its page follow a boundary.
func (asm *Assembler) remaining(b boundary, dir int) int {
	if dir < 0 {
		return b.index
	}
	return len(asm.pages[b.page].Items) - b.index
}

// continuationPages returns the pages that continue a traversal from where it stopped.
func (asm *Assembler) continuationPages(t traversal, dir int) ([]PageRef, Reason) {
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

// stopper ends a traversal at the place of the window's other cursor.
type stopper struct {
	stop  *Cursor
	until alignment
	dir   int
	pages snapshots
}

// reached reports whether the item is at the stop or after it.
func (s stopper) reached(item boundary, f Fingerprint) bool {
	if s.stop == nil || s.until.lost {
		return false
	}
	if f == s.stop.Item {
		return true
	}
	if first, ok := s.firstAfter(); ok && f == first {
		return true
	}
	if item.page == s.until.boundary.page {
		if s.dir > 0 {
			return item.index >= s.until.boundary.index
		}
		return item.index < s.until.boundary.index
	}
	return false
}

// firstAfter returns the first item after the stop.
func (s stopper) firstAfter() (Fingerprint, bool) {
	index := s.until.boundary.index
	if s.dir < 0 {
		index--
	}
	items := s.pages[s.until.boundary.page].Items
	if index < 0 || index >= len(items) {
		return 0, false
	}
	return items[index], true
}
