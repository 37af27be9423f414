package changinglist

import "slices"

// atCursor reports whether an item was inserted directly next to a cursor's item, after the cursor
// was made. One that was inserted before the cursor's item may be returned, because the items that
// the cursor remembers do not show whether it was inserted or the cursor's item moved. If items
// moved, one that was inserted after the cursor's item may be left out.
func (w *Walk) atCursor(item int, c *Mark, version int) bool {
	span := Span{c.Seen.Lo, version}
	if w.History.Stayed(item, span) {
		return false
	}
	at, own := w.History.Position(version, item), w.History.Position(version, c.Item())
	between := w.History.Items(version)[min(at, own)+1 : max(at, own)]
	return !slices.ContainsFunc(between, func(other int) bool { return w.History.Stayed(other, span) })
}

// insertedBeyond reports whether an item was inserted directly beyond the item of a cursor at which
// a walk ends. The walk may go on to it, as after atCursor.
func (w *Walk) insertedBeyond(c *Mark, version int) bool {
	items, at := w.History.Items(version), w.History.Position(version, c.Item())+1
	if w.Backward {
		at -= 2
	}
	return at >= 0 && at < len(items) && !w.History.Stayed(items[at], Span{c.Seen.Lo, version})
}

// leftOut reports whether step k may leave out an item: the walk had passed it when it began, or
// has passed it since.
func (w *Walk) leftOut(item, k int) bool {
	c := w.Steps[0].Cursor
	return w.passed(item, k) || c != nil && w.nearBefore(c, item)
}

// passed reports whether an item was inserted or moved after the walk began, and was just before
// the item of a cursor of one of the steps up to k. The walk has passed it, and later cursors may
// remember that.
func (w *Walk) passed(item, k int) bool {
	if w.History.Kept(item, Span{w.Steps[0].Seen.Lo, w.Steps[k].Seen.Hi}) {
		return false
	}
	return slices.ContainsFunc(w.Steps[:k+1], func(s Step) bool { return s.Cursor != nil && w.nearBefore(s.Cursor, item) })
}

// nearBefore reports whether an item was just before the item of a cursor, which may remember it
// therefore, or is that item.
func (w *Walk) nearBefore(c *Mark, item int) bool {
	for v := c.Seen.Lo; v <= c.Seen.Hi; v++ {
		at, own := w.History.Position(v, item), w.History.Position(v, c.Item())
		if at >= 0 && own >= 0 && max(at-own, own-at) <= nearby && !w.after(v, c.Item(), item) {
			return true
		}
	}
	return false
}
