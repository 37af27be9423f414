package relay

// alignment is where a cursor's place is now.
type alignment struct {
	spot spot
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
	behind map[Fingerprint]bool // what was on the near side of the cursor, its own item included
}

// remembersBehind says whether a walk away from the cursor should not meet the item.
func (a alignment) remembersBehind(f Fingerprint) bool {
	return a.behind != nil && (a.behind[f.clipped()] || f == a.cursor.Item)
}

// sighting is a remembered item in a view. offset is how many places behind (below 0) or ahead of the cursor's item it stood,
// in the direction of reading.
type sighting struct {
	spot   spot
	offset int
}

// sides returns what the cursor remembers behind it and ahead of it, in the direction of reading.
func (c *Cursor) sides(dir int) (behind, ahead []Memory) {
	if dir > 0 {
		return c.Preceding, c.Following
	}
	return c.Following, c.Preceding
}

// carried says whether what the cursor remembers ahead of it, in the direction of reading, may leave out items between.
func (c *Cursor) carried(dir int) bool {
	if dir > 0 {
		return c.FollowingCarried
	}
	return c.PrecedingCarried
}

// locate finds the place of a cursor: the spot from which a walk in the direction dir goes on. Where the views do not tell, it
// returns pages that might.
func (r *Reader) locate(c *Cursor, dir int) (alignment, []Page, Reason) {
	a := alignment{cursor: c}
	behind, ahead := c.sides(dir)
	if at, ok := r.atPlace(c); ok {
		a.spot, a.exact = r.spotAt(at, dir, true), true
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	a.realigned = true
	item, nearBehind, nearAhead := r.sightings(c, behind, ahead)
	if item != nil {
		a.spot, a.exact = r.spotAt(item.spot, dir, true), true
		a.moved = r.position(item.spot) - c.Position
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	dense := nearBehind != nil && -nearBehind.offset <= run(behind)
	if nearAhead != nil && nearAhead.offset <= run(ahead) && !c.carried(dir) && !dense && r.begins(nearAhead, nearBehind, dir) {
		a.spot, a.exact = r.spotAt(nearAhead.spot, dir, false), true
		a.gone = nearAhead.offset
		a.moved = r.shift(c, nearAhead, dir, a.gone)
		r.checkOrder(&a, behind, ahead, dir)
		return a, nil, ""
	}
	if dense {
		a.spot = r.spotAt(nearBehind.spot, dir, true)
		a.gone = -nearBehind.offset
		a.moved = r.shift(c, nearBehind, dir, a.gone)
		// The cursor's item is behind this one, or gone: it is gone if what follows was seen up to an item that was ahead of
		// the cursor, or to the end.
		a.exact = nearAhead != nil && nearAhead.spot.view == nearBehind.spot.view
		if !a.exact {
			walked := r.follow(alignment{spot: a.spot}, dir, maxPosition, nil, alignment{})
			a.exact = walked.complete
			if !a.exact && !r.settle {
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
	if !r.settle {
		if pages, reason := r.widen(c); len(pages) > 0 {
			return a, pages, reason
		}
		if pages := r.atOnce(); len(pages) > 0 {
			return a, pages, ReasonScan
		}
	}
	if _, ok := r.listEnd(dir); !ok && nearBehind == nil && r.ends < maxRetries {
		r.ends++
		return a, r.endPages(dir), ReasonScan
	}
	return r.standIn(a, nearBehind, behind, dir), nil, ""
}

// shift returns how far a sighted item has moved besides making up for the gone ones, which only pull at what is listed later.
func (r *Reader) shift(c *Cursor, s *sighting, dir, gone int) int {
	moved := r.position(s.spot) - (c.Position + dir*s.offset)
	if dir*s.offset > 0 {
		moved += gone
	}
	return moved
}

// begins says whether whatever was ahead of the cursor all the time begins at the item sighted ahead: it was the next one, or
// those between are not where they would be.
func (r *Reader) begins(ahead, behind *sighting, dir int) bool {
	v := r.views[ahead.spot.view]
	return ahead.offset == 1 || behind != nil && behind.spot.view == ahead.spot.view || v.ends(-dir)
}

// standIn is the last resort: a far item that the cursor remembers, or the end of the list.
func (r *Reader) standIn(a alignment, nearBehind *sighting, behind []Memory, dir int) alignment {
	c := a.cursor
	if nearBehind != nil {
		a.spot = r.spotAt(nearBehind.spot, dir, true)
		a.passed = -nearBehind.offset
		a.gone = 1
		a.moved = r.shift(c, nearBehind, dir, a.gone)
		return a
	}
	a.lost = true
	start, ok := r.listEnd(dir)
	if !ok { // the list grew at every look: its end is the furthest seen
		for i, v := range r.views {
			if len(v.Items) > 0 && v.end() > r.position(start) {
				start = spot{i, len(v.Items)}
			}
		}
	}
	a.spot = start
	distance := c.Position
	if dir < 0 {
		distance = c.Total - 1 - c.Position
	}
	a.gone = min(run(behind), distance) + 1
	// Where the cursor remembers everything up to that end, nothing can be met again, if all of the list was looked at.
	if distance <= run(behind) {
		a.exact = r.follow(alignment{spot: start}, dir, maxPosition, nil, alignment{}).complete
	}
	if !a.exact {
		a.passed = distance + 1
	}
	return a
}

// listEnd returns the spot at the end of the list that a walk in the direction dir begins at.
func (r *Reader) listEnd(dir int) (spot, bool) {
	for i, v := range r.views {
		if dir > 0 && v.lo() == 0 {
			return spot{i, 0}, true
		}
		if dir < 0 && v.reachesEnd() && (len(v.Items) > 0 || v.Total == 0) {
			return spot{i, len(v.Items)}, true
		}
	}
	return spot{}, false
}

func (r *Reader) position(s spot) int { return r.views[s.view].lo() + s.index }

// spotAt returns the spot beside the item at s: on its far side in the direction of reading, or on its near side.
func (r *Reader) spotAt(s spot, dir int, far bool) spot {
	if (dir > 0) == far {
		s.index++
	}
	return s
}

// atPlace returns the cursor's item where it stands at its old position.
func (r *Reader) atPlace(c *Cursor) (spot, bool) {
	for i, v := range r.views {
		if at := c.Position - v.lo(); !r.outdated[i] && at >= 0 && at < len(v.Items) && v.Items[at] == c.Item {
			return spot{i, at}, true
		}
	}
	return spot{}, false
}

// sightings looks for what the cursor remembers: its own item, and the nearest on either side. Of several places of one item
// the one nearest to its old position counts.
func (r *Reader) sightings(c *Cursor, behind, ahead []Memory) (item, nearBehind, nearAhead *sighting) {
	offsets := make(map[Fingerprint]int, len(behind)+len(ahead))
	for _, m := range ahead {
		offsets[m.Item] = m.Distance
	}
	for _, m := range behind {
		offsets[m.Item] = -m.Distance
	}
	closer := func(s spot, other *sighting) bool {
		return other == nil || abs(r.position(s)-c.Position) < abs(r.position(other.spot)-c.Position)
	}
	for i, v := range r.views {
		if r.outdated[i] {
			continue
		}
		for j, f := range v.Items {
			s := spot{i, j}
			if f == c.Item && closer(s, item) {
				item = &sighting{spot: s}
				continue
			}
			switch offset := offsets[f.clipped()]; {
			case offset < 0 && (nearBehind == nil || offset > nearBehind.offset || offset == nearBehind.offset && closer(s, nearBehind)):
				nearBehind = &sighting{s, offset}
			case offset > 0 && (nearAhead == nil || offset < nearAhead.offset || offset == nearAhead.offset && closer(s, nearAhead)):
				nearAhead = &sighting{s, offset}
			}
		}
	}
	return item, nearBehind, nearAhead
}

// checkOrder looks in the view of the alignment for remembered items on the wrong side of it.
func (r *Reader) checkOrder(a *alignment, behind, ahead []Memory, dir int) {
	a.behind = make(map[Fingerprint]bool, len(behind))
	for _, m := range behind {
		a.behind[m.Item] = true
	}
	was := make(map[Fingerprint]bool, len(ahead))
	for _, m := range ahead {
		was[m.Item] = true
	}
	v := r.views[a.spot.view]
	for j, f := range v.Items {
		isAhead := (j >= a.spot.index) == (dir > 0)
		if isAhead && a.behind[f.clipped()] || !isAhead && was[f.clipped()] {
			a.reordered, a.exact = true, false
		}
	}
}
