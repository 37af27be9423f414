package relay

// beyond returns the page that goes on from a spot at a view's end.
func (asm *Assembler) beyond(s boundary, dir int) []PageRef {
	position := asm.position(s)
	if dir > 0 {
		return asm.missing(Range{position - 1, reach(position - 1).Range().Hi})
	}
	return asm.missing(Range{reachBack(position).Range().Lo, position + 1})
}

// reach returns the page that holds position x and goes furthest beyond it.
func reach(x int) PageRef {
	best := pageAt(x, MaxPageSize)
	for size := 1; size < MaxPageSize; size++ {
		if p := pageAt(x, size); p.Range().Hi > best.Range().Hi {
			best = p
		}
	}
	return best
}

// reachBack returns the page that holds position x and begins furthest ahead of it.
func reachBack(x int) PageRef {
	best := pageAt(x, MaxPageSize)
	for size := 1; size < MaxPageSize; size++ {
		if p := pageAt(x, size); p.Range().Lo < best.Range().Lo {
			best = p
		}
	}
	return best
}

// widen returns pages to look for a cursor in: those around what is there, then all of the list where it is small enough.
func (asm *Assembler) widen(c *Cursor) ([]PageRef, Reason) {
	total := asm.total()
	around := Range{min(c.Position, max(total-1, 0)), min(c.Position, max(total-1, 0)) + 1}
	for grown := true; grown; {
		grown = false
		for _, v := range asm.pages {
			p := v.Ref.Range()
			if p.Lo <= around.Hi && p.Hi >= around.Lo && (p.Lo < around.Lo || p.Hi > around.Hi) {
				around = Range{min(p.Lo, around.Lo), max(p.Hi, around.Hi)}
				grown = true
			}
		}
	}
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
	if pages := asm.missing(Range{0, min(total, (maxSearchCalls+2)*MaxPageSize)}); len(pages) > 0 && len(pages) <= asm.searchCalls && total <= (maxSearchCalls+2)*MaxPageSize {
		return pages, ReasonScan
	}
	// The list is too large to look at all of it.
	if wider := (Range{around.Lo - 2*MaxPageSize, around.Hi + 2*MaxPageSize}); asm.searchCalls > maxSearchCalls/2 {
		if pages := asm.missing(wider); len(pages) > 0 && len(pages) <= asm.searchCalls {
			return pages, ReasonScan
		}
	}
	return nil, ""
}

// atOnce returns a page of the whole list, where it fits on one and moved while it was searched: what is looked for may have slipped from
// one page to another. None where some view shows all of the list.
func (asm *Assembler) singlePage() []PageRef {
	if asm.total() > MaxPageSize || asm.retries >= maxRetries {
		return nil
	}
	moved := false
	for _, v := range asm.pages {
		if v.start() == 0 && v.reachesEnd() {
			return nil
		}
		moved = moved || v.Total != asm.total()
	}
	if !moved {
		return nil
	}
	asm.retries++
	return []PageRef{{1, max(asm.total(), 1)}}
}

// endPages returns the pages of a window at the end of the list that a walk in the direction dir begins at.
func (asm *Assembler) endPages(dir int) []PageRef {
	count, total := max(asm.window.Count, 1), asm.total()
	if dir > 0 {
		return Cover(Range{0, min(count, max(total, 1))})
	}
	return Cover(Range{max(total-count, 0), total + endSlack})
}
