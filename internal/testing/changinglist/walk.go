package changinglist

import (
	"fmt"
	"slices"
)

// nearby is how far from a cursor's item an item may be that the cursor remembers as a near one, in
// places.
const nearby = 10

// Mark is what the client knows of a cursor.
type Mark struct {
	// Near are the cursor's item, and the items next to it that the client saw with it or, in the
	// same walk, before it: at most NearItems on a side. A cursor remembers them if there are no
	// other items in between.
	Near []int
	// Seen are the versions that the cursor's response may be of.
	Seen Span
}

// Item returns the cursor's item.
func (m *Mark) Item() int { return m.Near[0] }

// Report is what a response says about changes of the list. The zero value is a response without
// extensions.pagination.
type Report struct {
	Present, Exact, Reordered, Repeats bool
	Inserted, Removed                  int
}

// tells reports whether a client knows from the report that items may be repeated.
func (r Report) tells() bool { return r.Present && (!r.Exact || r.Reordered || r.Repeats) }

// Step is a response of a walk.
type Step struct {
	// Cursor is where the step begins. It is nil for a step that begins at an end of the list.
	Cursor *Mark
	// Seen are the versions of the list that the response may be of.
	Seen Span
	// Items are in the order of the walk.
	Items []int
	// More and Before are the response's hasNextPage and hasPreviousPage. In a backward walk, it is
	// the other way round.
	More, Before bool
	Report       Report
}

// Walk is a walk along a list in one direction. A client goes on at each step from the cursor of
// the item that it got last.
type Walk struct {
	History  *History
	Backward bool
	// Stop is the cursor at which the walk ends. It is nil for a walk to an end of the list.
	Stop *Mark
	// Known are items that the client got before the walk. A response may leave them out if they
	// moved.
	Known []int
	Steps []Step

	returned []int        // the items of all steps that are checked so far
	first    map[int]int  // the step that returned an item first
	lost     map[int]bool // reported as lost
	unsteady bool         // a step was not steady
}

// Faults returns what is wrong with the walk. The promises are:
//
//   - A response shows no item that none of its versions has, and no item twice.
//   - An item that is listed throughout, does not move, and is between the walk's ends is returned.
//   - An item that is returned again is reported.
//   - No other item is outside of the walk's ends.
//   - The flags about further items are right.
//
// They hold as long as, at each step, more of the near items of the step's cursor stayed than
// moved: see steady. If no item moves, they hold without a condition.
//
// There are these exceptions. A mover that the cursor does not remember is like a new item. If no
// item moves, a repeat is a fault even if it is reported, unless all near items of a cursor are
// deleted, or items were inserted between them: see spread. An item that is inserted directly next
// to a cursor's item may be left out: see atCursor.
func (w *Walk) Faults() []string {
	var faults []string
	add := func(step int, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("step %d: ", step)+fmt.Sprintf(format, args...))
	}
	w.first, w.returned, w.lost = make(map[int]int), nil, make(map[int]bool)
	steady := make([]bool, len(w.Steps))
	for k := range w.Steps {
		steady[k] = w.steady(k)
		w.unsteady = w.unsteady || !steady[k]
		w.checkItems(k, steady, add)
		w.checkFlags(k, steady[k], add)
		w.checkReport(k, add)
	}
	w.checkLost(steady, add)
	return faults
}

// Steady reports whether the promises held at each step. It is valid after a call of Faults.
func (w *Walk) Steady() bool { return !w.unsteady }

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

// spread reports whether items were inserted between the near items of the cursor of step k. Then
// its item may have moved as well, and the step may go on from before the inserted items.
func (w *Walk) spread(k int) bool {
	c := w.Steps[k].Cursor
	for v := c.Seen.Lo + 1; v <= w.Steps[k].Seen.Hi; v++ {
		lo, hi := len(w.History.Items(v)), -1
		for _, item := range c.Near {
			if at := w.History.Position(v, item); at >= 0 {
				lo, hi = min(lo, at), max(hi, at)
			}
		}
		for at := lo; at <= hi; at++ {
			if !w.History.Listed(w.History.Items(v)[at], c.Seen) {
				return true
			}
		}
	}
	return false
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

type addFault func(step int, format string, args ...any)

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
			if w.gone(w.Steps[m].Cursor, m) || w.spread(m) {
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

// after reports whether an item comes after another in the order of the walk.
func (w *Walk) after(version, item, next int) bool {
	a, b := w.History.Position(version, item), w.History.Position(version, next)
	if w.Backward {
		a, b = b, a
	}
	return a < b
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
			if _, ok := w.first[item]; !ok && !w.leftOut(item, k, v) {
				add(k, "no more items are announced, but %d follows", item)
				break
			}
		}
	}
}

// insertedBeyond reports whether an item was inserted directly beyond the item of a cursor. It may
// be on either side of the cursor: see atCursor.
func (w *Walk) insertedBeyond(c *Mark, version int) bool {
	items, at := w.History.Items(version), w.History.Position(version, c.Item())+1
	if w.Backward {
		at -= 2
	}
	return at >= 0 && at < len(items) && !w.History.Stayed(items[at], Span{c.Seen.Lo, version})
}

// leftOut reports whether step k may leave out an item of a version: the cursor's item and those
// next to it, and a mover that the walk had passed before it moved, or that the client got before
// the walk.
func (w *Walk) leftOut(item, k, version int) bool {
	c := w.Steps[k].Cursor
	if c == nil || w.passedInserted(item, k) {
		return c != nil
	}
	if w.Steps[0].Cursor == nil {
		return false
	}
	if slices.Contains(c.Near, item) || w.nearBefore(c, item) || w.nearBefore(w.Steps[0].Cursor, item) {
		return true
	}
	if w.knownMover(item, version) {
		return true
	}
	if !w.History.Moved(item, Span{0, version}) {
		return false
	}
	for v := range c.Seen.Hi + 1 {
		if w.History.Position(v, item) >= 0 && w.History.Position(v, c.Item()) >= 0 && w.after(v, item, c.Item()) {
			return true
		}
	}
	return false
}

// passedInserted reports whether an item was inserted after the walk began, just before the item of
// a cursor of one of the steps up to k. The walk has passed it, and later cursors may remember
// that.
func (w *Walk) passedInserted(item, k int) bool {
	if w.History.Stayed(item, Span{w.Steps[0].Seen.Lo, w.Steps[0].Seen.Lo}) {
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

// knownMover reports whether the client got an item before the walk that moved up to a version.
func (w *Walk) knownMover(item, version int) bool {
	return w.History.Moved(item, Span{0, version}) && slices.Contains(w.Known, item)
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
		if returned && i < end || w.lost[item] || w.knownMover(item, until) || !w.promised(item, k, end) || !finished && !w.after(until, item, last) {
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
	if start := w.Steps[0].Cursor; start != nil && slices.Contains(start.Near, item) || w.passedInserted(item, k) {
		return false // the client got it before, or the walk has passed it
	}
	if c != nil {
		from := w.reference(k)
		if from < 0 || !h.Stayed(item, Span{from, from}) || !w.after(from, c.Item(), item) || w.atCursor(item, c, from) {
			return false
		}
		span.Lo = min(from, span.Lo)
	}
	if !h.Stayed(item, span) || h.Moved(item, Span{w.since(k), span.Hi}) {
		return false
	}
	return w.Stop == nil || w.comparable(w.Stop, item, end-1) && w.after(w.Stop.Seen.Hi, item, w.Stop.Item())
}

// atCursor reports whether an item was inserted directly next to a cursor's item, after the cursor
// was made. Such an item may be on either side of the cursor, because the items that the cursor
// remembers do not show whether the item was inserted or the cursor's item moved.
func (w *Walk) atCursor(item int, c *Mark, version int) bool {
	span := Span{c.Seen.Lo, version}
	if w.History.Stayed(item, span) {
		return false
	}
	at, own := w.History.Position(version, item), w.History.Position(version, c.Item())
	between := w.History.Items(version)[min(at, own)+1 : max(at, own)]
	return !slices.ContainsFunc(between, func(other int) bool { return w.History.Stayed(other, span) })
}

// reference returns a version that shows which items are after the cursor of step k, -1 if there is
// none.
func (w *Walk) reference(k int) int {
	c := w.Steps[k].Cursor
	if c == nil {
		return -1
	}
	if until := w.Steps[k].Seen; w.History.Kept(c.Item(), Span{c.Seen.Lo, until.Hi}) {
		return until.Lo
	}
	if w.History.Kept(c.Item(), c.Seen) {
		return c.Seen.Hi
	}
	return -1
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
