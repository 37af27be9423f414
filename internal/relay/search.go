package relay

// beyond returns the page that goes on from a boundary at the end of a page.
func (asm *Assembler) beyond(b boundary, dir int) []PageRef {
	position := asm.position(b)
	if dir > 0 {
		return asm.missing(Range{position - 1, reach(position - 1).Range().Hi})
	}
	return asm.missing(Range{reachBack(position).Range().Lo, position + 1})
}

// reach returns the page that has position x and ends furthest after it.
func reach(x int) PageRef {
	best := pageAt(x, MaxPageSize)
	for size := 1; size < MaxPageSize; size++ {
		if p := pageAt(x, size); p.Range().Hi > best.Range().Hi {
			best = p
		}
	}
	return best
}

// reachBack returns the page that has position x and begins furthest before it.
func reachBack(x int) PageRef {
	best := pageAt(x, MaxPageSize)
	for size := 1; size < MaxPageSize; size++ {
		if p := pageAt(x, size); p.Range().Lo < best.Range().Lo {
			best = p
		}
	}
	return best
}

// widen returns the pages in which a cursor is searched next: those around the loaded pages, then
// the whole list if it is small enough.
func (asm *Assembler) widen(c *Cursor) ([]PageRef, Reason) {
	total, around := asm.total(), asm.loadedAround(c)
	if asm.searchCalls == maxSearchCalls {
		near := Range{around.Lo, min(around.Hi, total)}
		if near.Lo > 0 {
			near.Lo = reachBack(near.Lo).Range().Lo
		}
		if near.Hi < total {
			near.Hi = reach(near.Hi - 1).Range().Hi
		}
		if pages := asm.missing(near); len(pages) > 0 {
			return pages, ReasonRealign
		}
	}
	if whole := (maxSearchCalls + 2) * MaxPageSize; total <= whole {
		if pages := asm.missing(Range{0, total}); len(pages) > 0 && len(pages) <= asm.searchCalls {
			return pages, ReasonScan
		}
	}
	// The list is too large for a search of all of it.
	if wider := (Range{around.Lo - 2*MaxPageSize, around.Hi + 2*MaxPageSize}); asm.searchCalls > maxSearchCalls/2 {
		if pages := asm.missing(wider); len(pages) > 0 && len(pages) <= asm.searchCalls {
			return pages, ReasonScan
		}
	}
	return nil, ""
}

// loadedAround returns the positions around a cursor that adjacent loaded pages have.
func (asm *Assembler) loadedAround(c *Cursor) Range {
	at := min(c.Position, max(asm.total()-1, 0))
	around := Range{at, at + 1}
	for grown := true; grown; {
		grown = false
		for _, page := range asm.pages {
			p := page.Ref.Range()
			if p.Lo <= around.Hi && p.Hi >= around.Lo && (p.Lo < around.Lo || p.Hi > around.Hi) {
				around = Range{min(p.Lo, around.Lo), max(p.Hi, around.Hi)}
				grown = true
			}
		}
	}
	return around
}

// singlePage returns a page of the whole list if the list fits on one page and changed during the
// search: the item may have slipped from one page to another. It returns none if a page has the
// whole list already.
func (asm *Assembler) singlePage() []PageRef {
	if asm.total() > MaxPageSize || asm.retries >= maxRetries {
		return nil
	}
	changed := false
	for _, page := range asm.pages {
		if page.start() == 0 && page.reachesEnd() {
			return nil
		}
		changed = changed || page.Total != asm.total()
	}
	if !changed {
		return nil
	}
	asm.retries++
	return []PageRef{{1, max(asm.total(), 1)}}
}

// endPages returns the pages of a window at the end of the list where a traversal in the direction
// dir begins.
func (asm *Assembler) endPages(dir int) []PageRef {
	count, total := max(asm.window.Count, 1), asm.total()
	if dir > 0 {
		return Cover(Range{0, min(count, max(total, 1))})
	}
	return Cover(Range{max(total-count, 0), total + endSlack})
}
