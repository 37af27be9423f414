package relay

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

// regionMargin is how far a witness that did not move may be from its position, apart from the
// growth of the list, in positions.
const regionMargin = 16

// region returns the positions at which the witnesses that did not move are.
func (v *view) region() Range {
	before, after := runLength(v.cursor.Preceding), runLength(v.cursor.Following)
	return Range{
		v.cursor.Position - before - regionMargin + min(v.growth, 0),
		v.cursor.Position + after + regionMargin + max(v.growth, 0) + 1,
	}
}

// search returns pages that may show the place of a cursor, none if there is nothing left to try.
func (asm *Assembler) search(v *view) ([]PageRef, Reason) {
	if asm.bestEffort {
		return nil, ""
	}
	if len(v.indexes) == 0 {
		v.growth = asm.total() - v.cursor.Total
	}
	region := v.region()
	if region.Lo >= asm.total() {
		region.Lo = max(asm.total()-1, 0)
	}
	if len(v.indexes) == 0 {
		region.Lo, region.Hi = reachBack(max(region.Lo, 0)).Range().Lo, reach(region.Hi-1).Range().Hi
	}
	if pages := asm.missing(region); len(pages) > 0 {
		return pages, ReasonRealign
	}
	if v.showsItem() {
		return nil, ""
	}
	if pages := asm.wide(v.cursor); len(pages) > 0 && len(pages) <= asm.searchCalls {
		return pages, ReasonScan
	}
	return asm.singlePage(), ReasonScan
}

// covers reports whether the pages have all positions of a range.
func (asm *Assembler) covers(r Range) bool { return len(asm.open(r)) == 0 }

// wide returns pages of the whole list if it is small enough, else of a wider part of it.
func (asm *Assembler) wide(c *Cursor) []PageRef {
	if total := asm.total(); total <= (maxSearchCalls+2)*MaxPageSize {
		if pages := asm.missing(Range{0, total}); len(pages) > 0 && len(pages) <= asm.searchCalls {
			return pages
		}
	}
	if asm.searchCalls <= maxSearchCalls/2 {
		return nil
	}
	around := asm.loadedAround(c)
	return asm.missing(Range{around.Lo - 2*MaxPageSize, around.Hi + 2*MaxPageSize})
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
