package relay

// alignment is the place of a cursor in the pages that are loaded. In this file, the previous and
// the next items are those that a traversal in the direction dir meets before and after the cursor.
type alignment struct {
	memory
	boundary boundary
	// exact reports that each item that has been in the list since the cursor was made is on the
	// same side of the cursor as before.
	exact bool
	// lost reports that nothing is left of what the cursor remembers. The boundary is then the end
	// of the list at which the traversal begins.
	lost bool
	// anchored reports that the pages have the cursor's item or one before it, and that these are
	// before the boundary. If not, the place of the cursor may be before the boundary, too.
	anchored bool
	// realigned reports that the cursor's item is not at its position.
	realigned bool
	// inserted and removed are at least how many items were added and deleted. moved is how far the
	// list has moved at the cursor, in positions.
	inserted, removed, moved int
	// ordered reports that the witnesses are in their old order.
	ordered bool
	// reordered reports that an item that the cursor remembers has moved.
	reordered bool
	// repeats reports that a traversal from the boundary may meet items again. It is false if the
	// alignment is exact.
	repeats bool
	// ahead are the places of the previous items that are after the boundary now.
	ahead []boundary
}

// leavesOut reports whether a traversal from the cursor leaves out an item: it is the cursor's item
// or one of the previous ones, which the traversal has passed. A far previous item is not left out
// if it is met: it has moved, maybe more than once, and the client may not have it.
func (m *memory) leavesOut(f Fingerprint) bool {
	if m.cursor == nil {
		return false
	}
	offset := m.offset(f)
	return offset <= 0 && (m.witnesses.has(offset) || offset <= -passedDistance)
}

// known reports whether the place of the cursor is known.
func (a *alignment) known() bool { return a.anchored && a.exact }

// locate finds the boundary from which a traversal in the direction dir goes on from a cursor. If
// the pages do not show it, locate returns pages that may.
func (asm *Assembler) locate(c *Cursor, dir int, limit bool) (alignment, []PageRef, Reason) {
	m := newMemory(c, dir)
	if a, ok := asm.undisturbed(m); ok {
		return a, nil, ""
	}
	v := asm.view(m)
	verdict := v.evidence.weigh()
	if !verdict.certain || !v.showsItem() {
		if pages, reason := asm.search(&v); len(pages) > 0 {
			return alignment{}, pages, reason
		}
		// Whatever was not found is deleted, as far as can be known.
		v.evidence.missing = 0
		certain := verdict.certain
		verdict = v.evidence.weigh()
		verdict.certain = certain || v.covered
	}
	if len(v.indexes) == 0 {
		return asm.fallback(m)
	}
	return asm.alignmentOf(&v, verdict, limit), nil, ""
}

// undisturbed returns the alignment of a cursor whose item and near neighbors are at their
// positions, as far as the page of the item shows them, in a list with as many items as before.
func (asm *Assembler) undisturbed(m memory) (alignment, bool) {
	for i, page := range asm.pages {
		at := m.cursor.Position - page.start()
		if asm.outdated[i] || at < 0 || at >= len(page.Items) || page.Items[at] != m.cursor.Item || page.Total != m.cursor.Total {
			continue
		}
		for j, f := range page.Items {
			distance, offset := m.dir*(j-at), m.offset(f)
			next := m.witnesses.has(distance) && abs(distance) <= 1 && (!m.inherited || distance > 0)
			far := offset > -passedDistance && offset < 0 && distance > 0
			if offset != distance && (m.witnesses.has(offset) || next || far) {
				return alignment{}, false
			}
		}
		return alignment{memory: m, boundary: boundaryAfter(boundary{i, at}, m.dir), anchored: true, exact: true}, true
	}
	return alignment{}, false
}

// alignmentOf returns the alignment that a view shows. limit reports that a range ends at the
// cursor.
func (asm *Assembler) alignmentOf(v *view, verdict verdict, limit bool) alignment {
	a := alignment{memory: v.memory, ordered: v.ordered, realigned: !v.inPlace(), exact: verdict.certain && v.showsItem()}
	start := verdict.start
	a.reordered = !v.ordered
	if v.ordered {
		start = v.orderedStart()
		place := v.place()
		a.reordered = start < place && v.witnessesFrom(start) > 1 ||
			v.strangers(start, place) > max(v.growth, 0)+v.missingFrom(v.witnesses.lowest, 0)
		if v.movedBack() {
			a.reordered, verdict.ambiguous = true, true
			if limit {
				start = max(start, verdict.start)
			}
		}
	}
	if a.reordered {
		a.exact, a.realigned = false, true
	}
	a.repeats = !a.exact && (!a.reordered || verdict.ambiguous || !verdict.certain) && !v.toStart()
	// The traversal leaves out the previous items. If the cursor's item is deleted, those that a
	// traversal in the other direction passed are at its place.
	offsets := v.evidence.offsets
	for start < len(offsets) && (offsets[start] <= 0 || v.ordered && !v.has(0) && passedBack(offsets[start])) {
		start++
	}
	for i, offset := range offsets[start:] {
		switch {
		case offset > 0:
		case v.witnesses.has(offset) || offset <= -passedDistance:
			a.ahead = append(a.ahead, v.path.items.at(start+i))
		default:
			a.reordered, a.exact, a.realigned = true, false, true
		}
	}
	a.boundary = v.path.boundary(start)
	_, a.anchored = v.previousBefore(start)
	asm.measure(&a, v, start)
	return a
}

// measure sets how far the list has moved at the boundary, and how many items were added and
// deleted. If items have moved, only the total shows that.
func (asm *Assembler) measure(a *alignment, v *view, start int) {
	previous, hasPrevious := v.previousBefore(start)
	next, hasNext := v.nextFrom(start)
	gone := 0
	switch {
	case hasPrevious:
		if v.showsItem() {
			gone = v.missingFrom(previous+1, 0)
		}
		a.moved = v.position(v.indexes[previous]) - v.oldPosition(previous)
		if v.dir*previous > 0 {
			a.moved += gone // the deletions moved the items that are listed after them
		}
	case hasNext:
		if v.showsItem() {
			gone = v.missingFrom(0, next-1)
		}
		a.moved = v.position(v.indexes[next]) - v.oldPosition(next)
		if v.dir*next > 0 {
			a.moved += gone
		}
	}
	a.inserted, a.removed = max(a.moved, 0), gone+max(-a.moved, 0)
	if a.reordered || v.inherited && previous < 0 || v.ordered && start < v.place() { // the offset is no distance any more
		a.inserted, a.removed = max(v.growth, 0), max(-v.growth, 0)
	}
}

// fallback aligns a cursor of whose nearest items none is left with a far previous item that it
// remembers, else with the end of the list.
func (asm *Assembler) fallback(m memory) (alignment, []PageRef, Reason) {
	a := alignment{memory: m, realigned: true}
	if at, offset, ok := asm.nearestPrevious(m); ok {
		a.boundary = boundaryAfter(at, m.dir)
		a.anchored, a.repeats = true, true
		a.moved = asm.position(at) - m.oldPosition(offset)
		growth := asm.total() - m.cursor.Total
		a.inserted, a.removed = max(growth+1, 0), max(-growth, 1)
		return a, nil, ""
	}
	start, ok := asm.listEnd(m.dir)
	if !ok && asm.endCalls < maxRetries {
		asm.endCalls++
		return a, asm.endPages(m.dir), ReasonScan
	}
	if !ok { // the list grew between all calls: the furthest page counts as its end
		for i, page := range asm.pages {
			if len(page.Items) > 0 && page.end() > asm.position(start) {
				start = boundary{i, len(page.Items)}
			}
		}
	}
	a.boundary, a.lost = start, true
	a.removed = min(-m.witnesses.lowest, m.distance(-m.dir)) + 1
	// If the cursor remembers all items up to that end, and the pages show the whole list, no item
	// can be met again.
	a.exact = m.toStart() && asm.traverse(&span{from: alignment{boundary: start}}, m.dir, maxPosition).complete
	a.repeats = !a.exact
	return a, nil, ""
}

// nearestPrevious returns the place and the offset of the nearest previous item that a page has.
func (asm *Assembler) nearestPrevious(m memory) (at boundary, offset int, ok bool) {
	for i, page := range asm.pages {
		for j, f := range page.Items {
			if o := m.offset(f); !asm.outdated[i] && o < 0 && o > -passedDistance && (!ok || o > offset) {
				at, offset, ok = boundary{i, j}, o, true
			}
		}
	}
	return at, offset, ok
}

// listEnd returns the boundary at the end of the list where a traversal in the direction dir
// begins.
func (asm *Assembler) listEnd(dir int) (boundary, bool) {
	for i, page := range asm.pages {
		if asm.outdated[i] {
			continue
		}
		if dir > 0 && page.start() == 0 {
			return boundary{i, 0}, true
		}
		if dir < 0 && page.reachesEnd() && (len(page.Items) > 0 || page.Total == 0) {
			return boundary{i, len(page.Items)}, true
		}
	}
	return boundary{}, false
}

// boundaryAfter returns the boundary after the item at b, in the direction dir.
func boundaryAfter(b boundary, dir int) boundary {
	if dir > 0 {
		b.index++
	}
	return b
}
