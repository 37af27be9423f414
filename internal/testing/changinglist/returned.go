package changinglist

import "slices"

// checkItems checks the items of a step one by one.
func (w *Walk) checkItems(k int, steady []bool, add addFault) {
	h, step := w.History, &w.Steps[k]
	seen := make(map[int]bool)
	for _, item := range step.Items {
		if !h.Listed(item, step.Seen) {
			add(k, "%d is returned, which versions %v do not have", item, step.Seen)
		}
		if seen[item] {
			add(k, "%d is returned twice", item)
			continue
		}
		seen[item] = true
		if i, ok := w.first[item]; ok {
			w.checkRepeated(item, i, k, steady, add)
		} else {
			w.checkOrder(item, k, steady, add)
			w.checkOutside(item, k, steady, add)
			w.first[item] = k
		}
		w.returned = append(w.returned, item)
	}
}

// told reports whether the client knows that items which were returned at step i may be repeated at
// step k.
func (w *Walk) told(i, k int) bool {
	return slices.ContainsFunc(w.Steps[i+1:k+1], func(s Step) bool { return s.Report.tells() })
}

// checkRepeated checks an item of step k that was returned at step i before.
func (w *Walk) checkRepeated(item, i, k int, steady []bool, add addFault) {
	h := w.History
	span := Span{w.Steps[i].Seen.Lo, w.Steps[k].Seen.Hi}
	switch {
	case slices.Contains(steady[i+1:k+1], false), h.Renamed(item, span):
	case !w.told(i, k):
		// A mover that the cursor does not remember is like a new item.
		c := w.Steps[k].Cursor
		if !h.Moved(item, span) || slices.Contains(w.remembered(c), item) && !w.after(c.Seen.Hi, c.Item(), item) {
			add(k, "%d is repeated from step %d, and no response reports it", item, i)
		}
	case !h.AnyMoved(span):
		for m := i + 1; m <= k; m++ {
			if w.gone(w.Steps[m].Cursor, m) {
				return
			}
		}
		add(k, "%d is repeated from step %d, though near items of each cursor stayed", item, i)
	}
}

// checkOrder checks that an item is returned after the one that was returned before.
func (w *Walk) checkOrder(item, k int, steady []bool, add addFault) {
	if len(w.returned) == 0 || !steady[k] {
		return
	}
	h, last := w.History, w.returned[len(w.returned)-1]
	i := w.first[last]
	v := w.Steps[k].Seen.Hi
	span := Span{w.Steps[i].Seen.Lo, v}
	if c := w.Steps[k].Cursor; c != nil && c.Item() == last && h.Position(v, item) >= 0 && h.Position(v, last) >= 0 && w.atCursor(item, c, v) {
		return
	}
	if h.Kept(last, span) && h.Kept(item, Span{w.Steps[k].Seen.Lo, v}) && !h.Moved(item, span) && !w.after(v, last, item) && !w.told(i, k) {
		add(k, "%d is returned after %d", item, last)
	}
}

// checkOutside checks that an item is between the ends of the walk.
func (w *Walk) checkOutside(item, k int, steady []bool, add addFault) {
	if slices.Contains(steady[:k+1], false) || w.reversed() {
		return
	}
	if c := w.Steps[0].Cursor; w.comparable(c, item, k) && !w.after(c.Seen.Hi, c.Item(), item) && !w.told(-1, k) {
		add(k, "%d is returned, which is not after the walk's cursor of %d", item, c.Item())
	}
	if c := w.Stop; w.comparable(c, item, k) && !w.after(c.Seen.Hi, item, c.Item()) && !w.gone(c, k) {
		add(k, "%d is returned, which is not before the walk's end at %d", item, c.Item())
	}
}

// comparable reports whether it is known on which side of a cursor an item is at step k.
func (w *Walk) comparable(c *Mark, item, k int) bool {
	return c != nil && w.History.Kept(c.Item(), c.Seen) &&
		w.History.Kept(item, Span{c.Seen.Lo, max(w.Steps[k].Seen.Hi, c.Seen.Hi)})
}

// reversed reports whether the walk's end may be before its beginning.
func (w *Walk) reversed() bool {
	start := w.Steps[0].Cursor
	if start == nil || w.Stop == nil {
		return false
	}
	span := Span{min(start.Seen.Lo, w.Stop.Seen.Lo), max(start.Seen.Hi, w.Stop.Seen.Hi)}
	for _, c := range []*Mark{start, w.Stop} {
		if w.History.Moved(c.Item(), span) || !w.History.Stayed(c.Item(), Span{span.Hi, span.Hi}) {
			return true
		}
	}
	return !w.after(span.Hi, start.Item(), w.Stop.Item())
}
