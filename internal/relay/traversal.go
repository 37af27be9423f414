package relay

import "slices"

// walk is a way along the list from a spot, in the order in which it was gone.
type traversal struct {
	items    items
	complete bool     // as many as were asked for, or all that there are
	last     boundary // the place reached, between two items
	// repeats counts the items that a page lists again, by the index of picks.
	repeats map[int]int
	// used are the views gone through before the present one.
	used    []int
	moved   int  // how far seams were apart, in positions
	leftOut bool // an item was left out because the cursor remembers it on the other side
}

// passed marks an item that a walk is not to pick.
const skipped = -1

// follow goes along the list from an alignment until count items are found, or stop's place, or the end. Where a view ends it
// goes on in one that holds the last item found, or one found before it.
func (r *Assembler) traverse(from alignment, dir, count int, stop *Cursor, until alignment) traversal {
	w := traversal{items: items{dir: dir}, last: from.boundary}
	var taken map[Fingerprint]int // by item: its index in picks; nil as long as no item can be met twice
	limit := stopper{stop: stop, until: until, dir: dir, reader: r}
	for {
		v := &r.pages[w.last.page]
		if taken == nil && !v.Distinct {
			taken = r.visited(&w.items, count)
		}
		for ; w.last.index < len(v.Items) && dir > 0 || w.last.index > 0 && dir < 0; w.last.index += dir {
			item := w.last
			if dir < 0 {
				item.index--
			}
			f := v.Items[item.index]
			if w.items.len == count || limit.reached(item, f) {
				w.complete = true
				return w
			}
			if i, ok := taken[f]; ok {
				if i != skipped && w.items.at(i).page == item.page {
					if w.repeats == nil {
						w.repeats = make(map[int]int)
					}
					w.repeats[i]++
				}
				continue
			}
			if from.remembersBefore(f) {
				w.leftOut = true
				continue
			}
			if taken != nil {
				taken[f] = w.items.len
			}
			w.items.add(item)
		}
		if w.items.len == count || v.ends(dir) {
			w.complete = true
			return w
		}
		w.used = append(w.used, w.last.page)
		next, moved, ok := r.continuation(w, dir)
		if !ok {
			return w
		}
		if taken == nil {
			taken = r.visited(&w.items, count)
		}
		// What this view has behind the place reached is not to be met again, wherever the next view begins.
		for i, f := range v.Items {
			if _, ok := taken[f]; !ok && (i < w.last.index) == (dir > 0) {
				taken[f] = skipped
			}
		}
		w.last = next
		w.moved = max(w.moved, moved)
	}
}

// taken returns the picked items with their indexes, and room for count.
func (r *Assembler) visited(picks *items, count int) map[Fingerprint]int {
	taken := make(map[Fingerprint]int, min(count, 10*MaxPageSize))
	for i := range picks.len {
		taken[r.item(picks.at(i))] = i
	}
	return taken
}

// item returns the item that a spot is ahead of.
func (r *Assembler) item(s boundary) Fingerprint { return r.pages[s.page].Items[s.index] }

// continuation returns the spot in another view that is behind the item found last, and how far that item stands from where it
// stood. Where that item is gone, one found before it will do: what follows it is new or the same.
func (r *Assembler) continuation(w traversal, dir int) (boundary, int, bool) {
	// The items of this view at and behind the place reached, nearest first.
	v := r.pages[w.last.page]
	at := w.last.index
	matched := make(map[int]bool) // views that were looked at for a nearer item: an earlier one leads to the same place
	for back := range 2 * MaxPageSize {
		index := at - 1 - back
		if dir < 0 {
			index = at + back
		}
		if index < 0 || index >= len(v.Items) {
			break
		}
		f := v.Items[index]
		best, bestMoved, found := boundary{}, 0, false
		for i, other := range r.pages {
			if slices.Contains(w.used, i) || r.outdated[i] || matched[i] {
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
			// Behind an earlier item new ones may have come ahead of the place reached: the view has to show more than those.
			beyond := r.aheadOf(next, dir) - back
			if !other.ends(dir) && (beyond <= 0 || back > 0 && beyond < seamSlack && !r.bestEffort) {
				continue
			}
			if !found || r.aheadOf(next, dir) > r.aheadOf(best, dir) {
				best, bestMoved, found = next, abs(other.start()+j-v.start()-index), true
			}
		}
		if found {
			return best, max(bestMoved, back), true
		}
	}
	return boundary{}, 0, false
}

func (r *Assembler) aheadOf(s boundary, dir int) int {
	if dir < 0 {
		return s.index
	}
	return len(r.pages[s.page].Items) - s.index
}

// goOn returns the pages that continue a walk from where it stopped.
func (r *Assembler) continuationPages(w traversal, dir int) ([]PageRef, Reason) {
	position := r.position(w.last) // of the item that would be next
	// The item found last is the seam; it may have moved by the margin.
	ahead := func(count, margin int) Range {
		lacking := count - w.items.len
		if dir > 0 {
			return Range{max(position-1-margin, 0), position + lacking + margin}
		}
		return Range{max(position-lacking-margin, 0), position + 1 + margin}
	}
	needed := ahead(r.window.Count, 0)
	if len(r.open(needed)) > 0 {
		if pages := overlapping(r.missing(ahead(r.widest, 0)), needed); len(pages) > 0 {
			return pages, ReasonWindow
		}
	}
	// The pages are there and do not continue the walk: the list moved between the calls. Look again, and wider.
	if r.retries++; r.retries > maxRetries {
		return nil, ""
	}
	near := ahead(r.window.Count, seamSlack*r.retries)
	if near.Len() > MaxPageSize/2 {
		if dir > 0 {
			near.Hi = near.Lo + MaxPageSize/2
		} else {
			near.Lo = near.Hi - MaxPageSize/2
		}
	}
	return Cover(near), ReasonSeam
}

// stopper tells a walk where the other cursor's place is.
type stopper struct {
	stop   *Cursor
	until  alignment
	dir    int
	reader *Assembler
}

// reached says whether the item is at or beyond the stop.
func (s stopper) reached(item boundary, f Fingerprint) bool {
	if s.stop == nil || s.until.lost {
		return false
	}
	if f == s.stop.Item {
		return true
	}
	if fence, ok := s.fence(); ok && f == fence {
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

// fence returns the first item beyond the stop.
func (s stopper) fence() (Fingerprint, bool) {
	index := s.until.boundary.index
	if s.dir < 0 {
		index--
	}
	items := s.reader.pages[s.until.boundary.page].Items
	if index < 0 || index >= len(items) {
		return 0, false
	}
	return items[index], true
}
