package changinglist

import "slices"

// checkFlags checks the flags of a step.
func (w *Walk) checkFlags(k int, steady bool, add addFault) {
	h, step := w.History, &w.Steps[k]
	if len(step.Items) == 0 && step.More {
		add(k, "no item is returned, but more are announced")
	}
	if step.Seen.Lo != step.Seen.Hi || len(step.Items) == 0 || !steady {
		return
	}
	// The version is known.
	v := step.Seen.Lo
	items := h.Items(v)
	first, last := h.Position(v, step.Items[0]), h.Position(v, step.Items[len(step.Items)-1])
	if first < 0 || last < 0 {
		return // a fault of its own
	}
	before, rest := items[:first], items[last+1:]
	if w.Backward {
		before, rest = items[first+1:], items[:last]
	}
	if step.Before != (len(before) > 0) {
		add(k, "the flag about items on the other side: got %t, want %t", step.Before, !step.Before)
	}
	following := rest // surely before the stop
	if w.Stop != nil {
		span := Span{w.Stop.Seen.Lo, v}
		if w.reversed() || !h.Kept(w.Stop.Item(), span) || h.AnyMoved(span) {
			return
		}
		if w.insertedBeyond(w.Stop, v) {
			return
		}
		rest = slices.DeleteFunc(slices.Clone(rest), func(item int) bool { return !w.after(v, item, w.Stop.Item()) })
		following = slices.DeleteFunc(slices.Clone(rest), func(item int) bool { return !w.comparable(w.Stop, item, k) })
	}
	if step.More && len(rest) == 0 {
		add(k, "more items are announced after the last one")
	}
	if !step.More {
		for _, item := range following {
			if _, ok := w.first[item]; !ok && !w.leftOut(item, k) {
				add(k, "no more items are announced, but %d follows", item)
				break
			}
		}
	}
}

// checkReport checks the numbers of a report about a list without moves.
func (w *Walk) checkReport(k int, add addFault) {
	step := &w.Steps[k]
	if !step.Report.Present {
		return
	}
	span := step.Seen
	for _, c := range []*Mark{step.Cursor, w.Stop} {
		if c != nil {
			span.Lo = min(span.Lo, c.Seen.Lo)
		}
	}
	if w.History.AnyMoved(Span{0, span.Hi}) {
		return
	}
	inserted, deleted := w.History.Changes(span)
	if got := step.Report; got.Inserted > inserted || got.Removed > deleted {
		add(k, "got the report %+v, want at most %d inserted and %d removed", got, inserted, deleted)
	}
}
