package changinglist

import "slices"

// checkLost checks that the walk returned all that it should. Each step begins a walk of its own,
// up to the first step that is not steady.
func (w *Walk) checkLost(steady []bool, add addFault) {
	if w.reversed() {
		return
	}
	for k := range w.Steps {
		end := len(w.Steps)
		if i := slices.Index(steady[k:], false); i >= 0 {
			end = k + i
		}
		if end > k {
			w.checkLostFrom(k, end, add)
		}
	}
}

// checkLostFrom checks that steps k to end-1 leave out no item.
func (w *Walk) checkLostFrom(k, end int, add addFault) {
	h := w.History
	finished := end == len(w.Steps) && !w.Steps[end-1].More
	until := w.Steps[end-1].Seen.Hi
	last, ok := w.lastKept(end, until)
	if !finished && !ok {
		return
	}
	var lost []int
	for item := range h.items {
		i, returned := w.first[item]
		if returned && i < end || w.lost[item] || !w.promised(item, k, end) || !finished && !w.after(until, item, last) {
			continue
		}
		w.lost[item] = true
		lost = append(lost, item)
	}
	if len(lost) > 0 {
		add(end-1, "%v are not returned since step %d, though they stayed and did not move", lost, k)
	}
}

// promised reports whether steps k to end-1 have to meet an item: it stays, does not move, and is
// between the cursor of step k and the stop.
func (w *Walk) promised(item, k, end int) bool {
	h, c, span := w.History, w.Steps[k].Cursor, Span{w.Steps[k].Seen.Lo, w.Steps[end-1].Seen.Hi}
	if start := w.Steps[0].Cursor; start != nil && slices.Contains(start.Near, item) || w.passed(item, k) {
		return false // the client got it before, or the walk has passed it
	}
	if c != nil {
		from, since := w.reference(k)
		if from < 0 || !h.Stayed(item, Span{from, from}) || !w.after(from, c.Item(), item) {
			return false
		}
		if w.atCursor(item, c, from) && h.AnyMoved(Span{w.since(k), w.Steps[end-1].Seen.Hi}) {
			return false
		}
		span.Lo = min(since, span.Lo)
	}
	if !h.Stayed(item, span) || h.Moved(item, Span{w.since(k), span.Hi}) {
		return false
	}
	return w.Stop == nil || w.comparable(w.Stop, item, end-1) && w.after(w.Stop.Seen.Hi, item, w.Stop.Item())
}

// reference returns a version that shows which items are after the cursor of step k, -1 if there is
// none, and the version since which such an item must be listed. If the cursor's item is still
// there, these are the oldest version of the step. If not, the cursor's response may be of any of
// its versions.
func (w *Walk) reference(k int) (version, since int) {
	c := w.Steps[k].Cursor
	if c == nil {
		return -1, -1
	}
	if until := w.Steps[k].Seen; w.History.Kept(c.Item(), Span{c.Seen.Lo, until.Hi}) {
		return until.Lo, until.Lo
	}
	if w.History.Kept(c.Item(), c.Seen) {
		return c.Seen.Hi, c.Seen.Lo
	}
	return -1, -1
}

// lastKept returns the item that was returned last before step end, of those whose place in a
// version is the one where they were returned.
func (w *Walk) lastKept(end, version int) (int, bool) {
	for m := end - 1; m >= 0; m-- {
		for _, item := range slices.Backward(w.Steps[m].Items) {
			if w.first[item] == m && w.History.Kept(item, Span{w.Steps[m].Seen.Lo, version}) {
				return item, true
			}
		}
	}
	return 0, false
}
