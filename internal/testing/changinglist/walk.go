package changinglist

import "fmt"

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
	Stop  *Mark
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
// deleted. An item that was inserted directly next to a cursor's item may be on either side of the
// cursor, and one that a step has passed may be left out by later steps: see atCursor and passed.
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

type addFault func(step int, format string, args ...any)

// after reports whether an item comes after another in the order of the walk.
func (w *Walk) after(version, item, next int) bool {
	a, b := w.History.Position(version, item), w.History.Position(version, next)
	if w.Backward {
		a, b = b, a
	}
	return a < b
}
