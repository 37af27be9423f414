package changinglist

import "slices"

// steady reports whether the promises hold for a step: between the response of the cursor and this
// one, no item moved, or more of the items that the cursor surely remembers stayed than moved of
// those that it may remember as near ones. The former are those of Mark.Near that remembered
// returns. The latter are Mark.Near, the last nearby items of the walk, and all items within nearby
// places of the cursor's item. A deleted item neither stayed nor moved. If the walk has a stop, the
// same holds for the cursor of the stop.
func (w *Walk) steady(k int) bool {
	step := &w.Steps[k]
	return w.holds(step.Cursor, w.since(k), step.Seen.Hi, w.lastReturned(k)) &&
		w.holds(w.Stop, step.Seen.Hi, step.Seen.Hi, nil)
}

// since returns the oldest version from which the cursor of step k may have a near item.
func (w *Walk) since(k int) int {
	since := w.Steps[k].Seen.Lo
	if c := w.Steps[k].Cursor; c != nil {
		since = c.Seen.Lo
	}
	for count := 0; k > 0 && count <= nearby; {
		k--
		count += len(w.Steps[k].Items)
		since = min(since, w.Steps[k].Seen.Lo)
		if c := w.Steps[k].Cursor; c != nil {
			since = min(since, c.Seen.Lo)
		}
	}
	return since
}

// lastReturned returns the last items that were returned before step k.
func (w *Walk) lastReturned(k int) []int {
	var items []int
	for k > 0 && len(items) < nearby {
		k--
		items = append(slices.Clone(w.Steps[k].Items), items...)
	}
	return items[max(0, len(items)-nearby):]
}

func (w *Walk) holds(c *Mark, since, until int, others []int) bool {
	if c == nil {
		return true
	}
	h := w.History
	span := Span{min(since, c.Seen.Lo), until}
	if !h.AnyMoved(span) {
		return true
	}
	var stayed, moved int
	for _, item := range w.remembered(c) {
		if h.Kept(item, span) {
			stayed++
		}
	}
	near := make(map[int]bool)
	for _, item := range slices.Concat(c.Near, others) {
		near[item] = true
	}
	for v := span.Lo; v <= c.Seen.Hi; v++ {
		if at := h.Position(v, c.Item()); at >= 0 {
			items := h.Items(v)
			for _, item := range items[max(0, at-nearby):min(len(items), at+nearby+1)] {
				near[item] = true
			}
		}
	}
	for item := range near {
		if h.Moved(item, span) {
			moved++
		}
	}
	return stayed > moved
}

// gone reports whether the list may have none of the near items of a cursor at step k.
func (w *Walk) gone(c *Mark, k int) bool {
	if c == nil {
		return false
	}
	span := Span{c.Seen.Lo, max(w.Steps[k].Seen.Hi, c.Seen.Lo)}
	return !slices.ContainsFunc(w.remembered(c), func(item int) bool { return w.History.Stayed(item, span) })
}

// remembered returns the items of Near that are within NearItems places of the cursor's item in all
// versions that the cursor's response may be of. A cursor surely remembers these.
func (w *Walk) remembered(c *Mark) []int {
	return slices.DeleteFunc(slices.Clone(c.Near), func(item int) bool {
		for v := c.Seen.Lo; v <= c.Seen.Hi && item != c.Item(); v++ {
			at, near := w.History.Position(v, c.Item()), w.History.Position(v, item)
			if at < 0 || near < 0 || max(at-near, near-at) >= NearItems {
				return true
			}
		}
		return false
	})
}
