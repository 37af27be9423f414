package relay

// alignment is where a cursor's place is now.
type alignment struct {
	boundary boundary
	// exact says that every item that was there all the time is on the side that it was on.
	exact bool
	// lost says that nothing is left of what the cursor remembers: the spot is the end of the list that it came from.
	lost bool
	// realigned says that the cursor's item is not where it was.
	realigned bool
	// gone is how many remembered items at the place are known to be gone; moved is how far, in positions, it has moved besides.
	moved, gone int
	reordered   bool
	// passed is how far behind the cursor's item the spot is, in remembered places: items may be met again. 0 where it is exact.
	passed int

	cursor *Cursor
	before map[Fingerprint]bool // what was on the near side of the cursor, its own item included
}

// remembersBehind says whether a walk away from the cursor should not meet the item.
func (a alignment) remembersBefore(f Fingerprint) bool {
	return a.before != nil && (a.before[f.clipped()] || f == a.cursor.Item)
}

// sighting is a remembered item in a view. offset is how many places behind (below 0) or ahead of the cursor's item it stood,
// in the direction of reading.
type match struct {
	boundary boundary
	offset   int
}

// sides returns what the cursor remembers behind it and ahead of it, in the direction of reading.
func (c *Cursor) sides(dir int) (behind, ahead []Neighbor) {
	if dir > 0 {
		return c.Preceding, c.Following
	}
	return c.Following, c.Preceding
}

// carried says whether what the cursor remembers ahead of it, in the direction of reading, may leave out items between.
func (c *Cursor) inherited(dir int) bool {
	if dir > 0 {
		return c.FollowingInherited
	}
	return c.PrecedingInherited
}

// locate finds the place of a cursor: the spot from which a walk in the direction dir goes on. Where the views do not tell, it
// returns pages that might.
func (r *Assembler) locate(c *Cursor, dir int) (alignment, []PageRef, Reason) {
	a := alignment{cursor: c}
	behind, ahead := c.sides(dir)
	if at, ok := r.atPlace(c); ok {
		a.boundary, a.exact = r.boundaryAt(at, dir, true), true
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	a.realigned = true
	item, nearBehind, nearAhead := r.matches(c, behind, ahead)
	if item != nil {
		a.boundary, a.exact = r.boundaryAt(item.boundary, dir, true), true
		a.moved = r.position(item.boundary) - c.Position
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	dense := nearBehind != nil && -nearBehind.offset <= runLength(behind)
	if nearAhead != nil && nearAhead.offset <= runLength(ahead) && !c.inherited(dir) && !dense && r.startsAt(nearAhead, nearBehind, dir) {
		a.boundary, a.exact = r.boundaryAt(nearAhead.boundary, dir, false), true
		a.gone = nearAhead.offset
		a.moved = r.shift(c, nearAhead, dir, a.gone)
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	if dense {
		a.boundary = r.boundaryAt(nearBehind.boundary, dir, true)
		a.gone = -nearBehind.offset
		a.moved = r.shift(c, nearBehind, dir, a.gone)
		// The cursor's item is behind this one, or gone: it is gone if what follows was seen up to an item that was ahead of
		// the cursor, or to the end.
		a.exact = nearAhead != nil && nearAhead.boundary.page == nearBehind.boundary.page
		if !a.exact {
			walked := r.traverse(alignment{boundary: a.boundary}, dir, maxPosition, nil, alignment{})
			a.exact = walked.complete
			if !a.exact && !r.bestEffort {
				if pages := r.beyond(walked.last, dir); len(pages) > 0 {
					return a, pages, ReasonRealign
				}
				// The pages are there and do not join: the item may have slipped between them.
				if r.retries++; r.retries <= maxRetries {
					position := r.position(walked.last)
					return a, Cover(Range{max(position-seamSlack*r.retries, 0), position + seamSlack*r.retries}), ReasonRealign
				}
			}
		}
		if !a.exact {
			a.passed = a.gone
		}
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	if !r.bestEffort {
		if pages, reason := r.widen(c); len(pages) > 0 {
			return a, pages, reason
		}
		if pages := r.singlePage(); len(pages) > 0 {
			return a, pages, ReasonScan
		}
	}
	if _, ok := r.listEnd(dir); !ok && nearBehind == nil && r.ends < maxRetries {
		r.ends++
		return a, r.endPages(dir), ReasonScan
	}
	return r.fallback(a, nearBehind, behind, dir), nil, ""
}

// shift returns how far a sighted item has moved besides making up for the gone ones, which only pull at what is listed later.
func (r *Assembler) shift(c *Cursor, s *match, dir, gone int) int {
	moved := r.position(s.boundary) - (c.Position + dir*s.offset)
	if dir*s.offset > 0 {
		moved += gone
	}
	return moved
}

// begins says whether whatever was ahead of the cursor all the time begins at the item sighted ahead: it was the next one, or
// those between are not where they would be.
func (r *Assembler) startsAt(ahead, behind *match, dir int) bool {
	v := r.pages[ahead.boundary.page]
	return ahead.offset == 1 || behind != nil && behind.boundary.page == ahead.boundary.page || v.ends(-dir)
}

// standIn is the last resort: a far item that the cursor remembers, or the end of the list.
func (r *Assembler) fallback(a alignment, nearBehind *match, behind []Neighbor, dir int) alignment {
	c := a.cursor
	if nearBehind != nil {
		a.boundary = r.boundaryAt(nearBehind.boundary, dir, true)
		a.passed = -nearBehind.offset
		a.gone = 1
		a.moved = r.shift(c, nearBehind, dir, a.gone)
		return a
	}
	a.lost = true
	start, ok := r.listEnd(dir)
	if !ok { // the list grew at every look: its end is the furthest seen
		for i, v := range r.pages {
			if len(v.Items) > 0 && v.end() > r.position(start) {
				start = boundary{i, len(v.Items)}
			}
		}
	}
	a.boundary = start
	distance := c.Position
	if dir < 0 {
		distance = c.Total - 1 - c.Position
	}
	a.gone = min(runLength(behind), distance) + 1
	// Where the cursor remembers everything up to that end, nothing can be met again, if all of the list was looked at.
	if distance <= runLength(behind) {
		a.exact = r.traverse(alignment{boundary: start}, dir, maxPosition, nil, alignment{}).complete
	}
	if !a.exact {
		a.passed = distance + 1
	}
	return a
}

// listEnd returns the spot at the end of the list that a walk in the direction dir begins at.
func (r *Assembler) listEnd(dir int) (boundary, bool) {
	for i, v := range r.pages {
		if dir > 0 && v.start() == 0 {
			return boundary{i, 0}, true
		}
		if dir < 0 && v.reachesEnd() && (len(v.Items) > 0 || v.Total == 0) {
			return boundary{i, len(v.Items)}, true
		}
	}
	return boundary{}, false
}

func (r *Assembler) position(s boundary) int { return r.pages[s.page].start() + s.index }

// spotAt returns the spot beside the item at s: on its far side in the direction of reading, or on its near side.
func (r *Assembler) boundaryAt(s boundary, dir int, far bool) boundary {
	if (dir > 0) == far {
		s.index++
	}
	return s
}

// atPlace returns the cursor's item where it stands at its old position.
func (r *Assembler) atPlace(c *Cursor) (boundary, bool) {
	for i, v := range r.pages {
		if at := c.Position - v.start(); !r.outdated[i] && at >= 0 && at < len(v.Items) && v.Items[at] == c.Item {
			return boundary{i, at}, true
		}
	}
	return boundary{}, false
}

// sightings looks for what the cursor remembers: its own item, and the nearest on either side. Of several places of one item
// the one nearest to its old position counts.
func (r *Assembler) matches(c *Cursor, behind, ahead []Neighbor) (item, nearBehind, nearAhead *match) {
	offsets := make(map[Fingerprint]int, len(behind)+len(ahead))
	for _, m := range ahead {
		offsets[m.Item] = m.Distance
	}
	for _, m := range behind {
		offsets[m.Item] = -m.Distance
	}
	closer := func(s boundary, other *match) bool {
		return other == nil || abs(r.position(s)-c.Position) < abs(r.position(other.boundary)-c.Position)
	}
	for i, v := range r.pages {
		if r.outdated[i] {
			continue
		}
		for j, f := range v.Items {
			s := boundary{i, j}
			if f == c.Item && closer(s, item) {
				item = &match{boundary: s}
				continue
			}
			switch offset := offsets[f.clipped()]; {
			case offset < 0 && (nearBehind == nil || offset > nearBehind.offset || offset == nearBehind.offset && closer(s, nearBehind)):
				nearBehind = &match{s, offset}
			case offset > 0 && (nearAhead == nil || offset < nearAhead.offset || offset == nearAhead.offset && closer(s, nearAhead)):
				nearAhead = &match{s, offset}
			}
		}
	}
	return item, nearBehind, nearAhead
}

// checkOrder looks in the view of the alignment for remembered items on the wrong side of it.
func (r *Assembler) checkOrder(a *alignment, behind, ahead []Neighbor, dir int) {
	a.before = make(map[Fingerprint]bool, len(behind))
	for _, m := range behind {
		a.before[m.Item] = true
	}
	was := make(map[Fingerprint]bool, len(ahead))
	for _, m := range ahead {
		was[m.Item] = true
	}
	v := r.pages[a.boundary.page]
	for j, f := range v.Items {
		isAhead := (j >= a.boundary.index) == (dir > 0)
		if isAhead && a.before[f.clipped()] || !isAhead && was[f.clipped()] {
			a.reordered, a.exact = true, false
		}
	}
}
