package relay

// alignment is the place of a cursor in the pages that are loaded. In this file, the previous and
// the next items are those that a traversal in the direction dir meets before and after the cursor.
type alignment struct {
	boundary boundary
	// exact reports that each item that has been in the list since the cursor was made is on the
	// same side of the cursor as before.
	exact bool
	// lost reports that nothing is left of what the cursor remembers. The boundary is then the end
	// of the list at which the traversal begins.
	lost bool
	// realigned reports that the cursor's item is not at its position.
	realigned bool
	// gone is how many remembered items next to the boundary are known to be deleted. moved is how
	// far the boundary has moved for other reasons, in positions.
	moved, gone int
	reordered   bool
	// repeatable is how many places before the cursor's item the boundary may be. A traversal from
	// the boundary may meet as many items again. It is 0 if the alignment is exact.
	repeatable int

	cursor   *Cursor
	previous map[Fingerprint]bool // the previous items that the cursor remembers
}

// remembersPrevious reports whether a traversal from the cursor should leave out the item.
func (a alignment) remembersPrevious(f Fingerprint) bool {
	return a.previous != nil && (a.previous[f.clipped()] || f == a.cursor.Item)
}

// match is a remembered item that a page has. offset is the number of places from the cursor's item
// to it, below 0 for a previous item.
type match struct {
	boundary boundary
	offset   int
}

// sides returns the previous and the next items that the cursor remembers.
func (c *Cursor) sides(dir int) (previous, next []Neighbor) {
	if dir > 0 {
		return c.Preceding, c.Following
	}
	return c.Following, c.Preceding
}

// inherited reports whether there may be more items between the remembered next items.
func (c *Cursor) inherited(dir int) bool {
	if dir > 0 {
		return c.FollowingInherited
	}
	return c.PrecedingInherited
}

// locate finds the boundary from which a traversal in the direction dir goes on from a cursor. If
// the pages do not show it, locate returns pages that may.
func (asm *Assembler) locate(c *Cursor, dir int) (alignment, []PageRef, Reason) {
	a := alignment{cursor: c}
	previous, next := c.sides(dir)
	if at, ok := asm.atPlace(c); ok {
		a.boundary, a.exact = asm.boundaryAt(at, dir, true), true
		asm.checkOrder(&a, previous, next, dir)
		return a, nil, ""
	}
	a.realigned = true
	item, nearPrevious, nearNext := asm.matches(c, previous, next)
	if item != nil {
		a.boundary, a.exact = asm.boundaryAt(item.boundary, dir, true), true
		a.moved = asm.position(item.boundary) - c.Position
		asm.checkOrder(&a, previous, next, dir)
		return a, nil, ""
	}
	dense := nearPrevious != nil && -nearPrevious.offset <= runLength(previous)
	if nearNext != nil && nearNext.offset <= runLength(next) && !c.inherited(dir) && !dense &&
		asm.startsAt(nearNext, nearPrevious, dir) {
		a.boundary, a.exact = asm.boundaryAt(nearNext.boundary, dir, false), true
		a.gone = nearNext.offset
		a.moved = asm.shift(c, nearNext, dir, a.gone)
		asm.checkOrder(&a, previous, next, dir)
		return a, nil, ""
	}
	if dense {
		a.boundary = asm.boundaryAt(nearPrevious.boundary, dir, true)
		a.gone = -nearPrevious.offset
		a.moved = asm.shift(c, nearPrevious, dir, a.gone)
		// The cursor's item is before this one, or deleted. It is deleted if the pages show all
		// that follows, up to one of the cursor's next items or to the end.
		a.exact = nearNext != nil && nearNext.boundary.page == nearPrevious.boundary.page
		if !a.exact {
			traversed := asm.traverse(&span{from: alignment{boundary: a.boundary}}, dir, maxPosition)
			a.exact = traversed.complete
			if !a.exact && !asm.bestEffort {
				if pages := asm.beyond(traversed.last, dir); len(pages) > 0 {
					return a, pages, ReasonRealign
				}
				// The pages are loaded but do not join: the item may have slipped between them.
				if asm.retries++; asm.retries <= maxRetries {
					position := asm.position(traversed.last)
					around := Range{max(position-seamSlack*asm.retries, 0), position + seamSlack*asm.retries}
					return a, Cover(around), ReasonRealign
				}
			}
		}
		if !a.exact {
			a.repeatable = a.gone
		}
		asm.checkOrder(&a, previous, next, dir)
		return a, nil, ""
	}
	if !asm.bestEffort {
		if pages, reason := asm.widen(c); len(pages) > 0 {
			return a, pages, reason
		}
		if pages := asm.singlePage(); len(pages) > 0 {
			return a, pages, ReasonScan
		}
	}
	if _, ok := asm.listEnd(dir); !ok && nearPrevious == nil && asm.endCalls < maxRetries {
		asm.endCalls++
		return a, asm.endPages(dir), ReasonScan
	}
	return asm.fallback(a, nearPrevious, previous, dir), nil, ""
}

// shift returns how far a matched item has moved, apart from the deletions at the cursor, which
// move only the items listed after it.
func (asm *Assembler) shift(c *Cursor, m *match, dir, gone int) int {
	moved := asm.position(m.boundary) - (c.Position + dir*m.offset)
	if dir*m.offset > 0 {
		moved += gone
	}
	return moved
}

// startsAt reports whether the next items that were listed throughout begin at a matched next item:
// it was the nearest, or those in between are not where they would be.
func (asm *Assembler) startsAt(next, previous *match, dir int) bool {
	page := asm.pages[next.boundary.page]
	return next.offset == 1 || previous != nil && previous.boundary.page == next.boundary.page || page.ends(-dir)
}

// fallback aligns a cursor with a far previous item that it remembers, else with the end of the
// list.
func (asm *Assembler) fallback(a alignment, nearPrevious *match, previous []Neighbor, dir int) alignment {
	c := a.cursor
	if nearPrevious != nil {
		a.boundary = asm.boundaryAt(nearPrevious.boundary, dir, true)
		a.repeatable = -nearPrevious.offset
		a.gone = 1
		a.moved = asm.shift(c, nearPrevious, dir, a.gone)
		return a
	}
	a.lost = true
	start, ok := asm.listEnd(dir)
	if !ok { // the list grew between all calls: the furthest page counts as its end
		for i, page := range asm.pages {
			if len(page.Items) > 0 && page.end() > asm.position(start) {
				start = boundary{i, len(page.Items)}
			}
		}
	}
	a.boundary = start
	distance := c.Position
	if dir < 0 {
		distance = c.Total - 1 - c.Position
	}
	a.gone = min(runLength(previous), distance) + 1
	// If the cursor remembers all items up to that end, and the pages show the whole list, no item
	// can be met again.
	if distance <= runLength(previous) {
		a.exact = asm.traverse(&span{from: alignment{boundary: start}}, dir, maxPosition).complete
	}
	if !a.exact {
		a.repeatable = distance + 1
	}
	return a
}

// listEnd returns the boundary at the end of the list where a traversal in the direction dir
// begins.
func (asm *Assembler) listEnd(dir int) (boundary, bool) {
	for i, page := range asm.pages {
		if dir > 0 && page.start() == 0 {
			return boundary{i, 0}, true
		}
		if dir < 0 && page.reachesEnd() && (len(page.Items) > 0 || page.Total == 0) {
			return boundary{i, len(page.Items)}, true
		}
	}
	return boundary{}, false
}

// boundaryAt returns the boundary next to the item at b, in the direction dir: after the item if
// far is true, else before it.
func (asm *Assembler) boundaryAt(b boundary, dir int, far bool) boundary {
	if (dir > 0) == far {
		b.index++
	}
	return b
}

// atPlace returns the place of the cursor's item if it is at the cursor's position.
func (asm *Assembler) atPlace(c *Cursor) (boundary, bool) {
	for i, page := range asm.pages {
		at := c.Position - page.start()
		if !asm.outdated[i] && at >= 0 && at < len(page.Items) && page.Items[at] == c.Item {
			return boundary{i, at}, true
		}
	}
	return boundary{}, false
}

// matches searches the pages for the cursor's own item and for the nearest remembered item on
// either side. If an item is in several places, the place nearest to its old position counts.
func (asm *Assembler) matches(c *Cursor, previous, next []Neighbor) (item, nearPrevious, nearNext *match) {
	offsets := make(map[Fingerprint]int, len(previous)+len(next))
	for _, n := range next {
		offsets[n.Item] = n.Distance
	}
	for _, n := range previous {
		offsets[n.Item] = -n.Distance
	}
	closer := func(b boundary, other *match) bool {
		return other == nil || abs(asm.position(b)-c.Position) < abs(asm.position(other.boundary)-c.Position)
	}
	for i, page := range asm.pages {
		if asm.outdated[i] {
			continue
		}
		for j, f := range page.Items {
			b := boundary{i, j}
			if f == c.Item && closer(b, item) {
				item = &match{boundary: b}
				continue
			}
			switch offset := offsets[f.clipped()]; {
			case offset < 0 && (nearPrevious == nil || offset > nearPrevious.offset ||
				offset == nearPrevious.offset && closer(b, nearPrevious)):
				nearPrevious = &match{b, offset}
			case offset > 0 && (nearNext == nil || offset < nearNext.offset ||
				offset == nearNext.offset && closer(b, nearNext)):
				nearNext = &match{b, offset}
			}
		}
	}
	return item, nearPrevious, nearNext
}

// checkOrder searches the page of the alignment for remembered items on the wrong side of it.
func (asm *Assembler) checkOrder(a *alignment, previous, next []Neighbor, dir int) {
	a.previous = make(map[Fingerprint]bool, len(previous))
	for _, n := range previous {
		a.previous[n.Item] = true
	}
	wasNext := make(map[Fingerprint]bool, len(next))
	for _, n := range next {
		wasNext[n.Item] = true
	}
	for j, f := range asm.pages[a.boundary.page].Items {
		isNext := (j >= a.boundary.index) == (dir > 0)
		if isNext && a.previous[f.clipped()] || !isNext && wasNext[f.clipped()] {
			a.reordered, a.exact = true, false
		}
	}
}
