package relay

import (
	"errors"
	"fmt"
)

// DefaultCount is the number of items of a window with neither first nor last.
const DefaultCount = 30

// Args are the paging arguments of a connection. They are nil if absent or null.
type Args struct {
	First, Last   *int32
	After, Before *string
}

// ArgumentError reports an invalid argument. Its message is shown to clients.
type ArgumentError struct {
	// Argument is the name of the argument.
	Argument string
	// Reason continues a sentence that begins with the name, as in "must be at least 0".
	Reason string
}

func (e *ArgumentError) Error() string { return e.Argument + " " + e.Reason }

// Window is the part of a list that a connection selects: Count items from the front of a range, or
// from its back. The range is the list after After and before Before, if these are not nil. Their
// places in the current list count. As in Relay's algorithm, Before has no effect if its place is
// not after the place of After, and was not when the cursors were made. If it was, the range is
// empty.
type Window struct {
	Count         int
	FromBack      bool
	After, Before *Cursor
	// TotalOnly selects no items, only the total.
	TotalOnly bool
}

// Window returns the window that the arguments select from a list. maxCount is the largest count
// allowed. The error is an *[ArgumentError].
func (a Args) Window(list Fingerprint, maxCount int) (Window, error) {
	if a.First != nil && a.Last != nil {
		return Window{}, &ArgumentError{"last", "cannot be combined with first: use one of them"}
	}
	w := Window{Count: min(DefaultCount, maxCount)}
	var err error
	switch {
	case a.First != nil:
		w.Count, err = count("first", *a.First, maxCount)
	case a.Last != nil:
		w.FromBack = true
		w.Count, err = count("last", *a.Last, maxCount)
	case a.Before != nil && a.After == nil:
		w.FromBack = true
	}
	if err != nil {
		return Window{}, err
	}
	if w.After, err = cursor("after", a.After, list); err != nil {
		return Window{}, err
	}
	if w.Before, err = cursor("before", a.Before, list); err != nil {
		return Window{}, err
	}
	return w, nil
}

func count(argument string, n int32, maxCount int) (int, error) {
	if n < 0 {
		return 0, &ArgumentError{argument, fmt.Sprintf("must be at least 0, not %d", n)}
	}
	if int(n) > maxCount {
		return 0, &ArgumentError{argument, fmt.Sprintf("must be at most %d, not %d", maxCount, n)}
	}
	return int(n), nil
}

func cursor(argument string, encoded *string, list Fingerprint) (*Cursor, error) {
	if encoded == nil {
		return nil, nil
	}
	c, err := DecodeCursor(*encoded, list)
	switch {
	case errors.Is(err, ErrForeignCursor):
		return nil, &ArgumentError{argument, "is a cursor of another list: use it with the nodeId and userId it came from, " +
			"or start again without it if the gateway's API version has changed"}
	case err != nil:
		return nil, &ArgumentError{argument, "is not a cursor of this gateway: use a cursor of pageInfo or of an edge, unchanged"}
	}
	return &c, nil
}

// direction returns the direction in which the window is assembled: 1 from the front of its range,
// -1 from the back.
func (w Window) direction() int {
	if w.FromBack {
		return -1
	}
	return 1
}

// limit returns Before if it has an effect in a list that has not changed, else nil.
func (w Window) limit() *Cursor {
	if w.After != nil && w.Before != nil && w.Before.Position <= w.After.Position {
		return nil
	}
	return w.Before
}

// bounds returns the positions of the items of w in a list of total items that has not changed.
func (w Window) bounds(total int) Range {
	lo, hi := 0, total
	if before := w.limit(); before != nil {
		hi = min(before.Position, total)
	}
	if w.After != nil {
		lo = min(w.After.Position+1, hi)
	}
	if w.FromBack {
		return Range{max(lo, hi-w.Count), hi}
	}
	return Range{lo, min(hi, lo+w.Count)}
}

// needs returns the positions that w needs in a list of total items: its items and those of its
// cursors, with slack positions on either side.
func (w Window) needs(total, slack int) []Range {
	r := w.bounds(total)
	ranges := []Range{r}
	for _, c := range []*Cursor{w.After, w.Before} {
		switch {
		case c == nil:
		case r.Len() > 0 && c == w.After && c.Position+1 == r.Lo:
			ranges[0].Lo--
		case r.Len() > 0 && c == w.Before && c.Position == r.Hi:
			ranges[0].Hi++
		default:
			ranges = append(ranges, Range{c.Position, c.Position + 1})
		}
	}
	for i := range ranges {
		if ranges[i].Len() > 0 {
			ranges[i] = Range{max(ranges[i].Lo-slack, 0), min(ranges[i].Hi+slack, total)}
		}
	}
	return ranges
}

// hasNoCursor reports whether w has no cursor. It then begins at an end of the list.
func (w Window) hasNoCursor() bool { return w.After == nil && w.Before == nil }

// unknownEnd is the total of a list whose end is unknown.
const unknownEnd = maxPosition

// firstRanges returns the positions that w needs before any page of the list is loaded. It returns
// none if w needs the total first, which is on every page.
func (w Window) firstRanges() []Range {
	if w.TotalOnly {
		return nil
	}
	if w.hasNoCursor() {
		if w.FromBack || w.Count == 0 {
			return nil
		}
		if w.Count <= MaxPageSize {
			return []Range{{0, w.Count}}
		}
		// The first page is loaded alone: if the list ends on it, the others are not needed.
		return []Range{{0, min(w.Count, Cover(Range{0, w.Count})[0].Range().Hi)}}
	}
	var seen, drift int
	for _, c := range []*Cursor{w.After, w.Before} {
		if c != nil {
			seen, drift = max(seen, c.Total), max(drift, c.Drift)
		}
	}
	ends := []int{unknownEnd, seen} // the list may have grown since the cursor was made
	if w.FromBack && w.limit() == nil {
		ends = ends[1:]
	}
	// Positions that may not be needed are added only if they take no more calls.
	var best []Range
	calls := 0
	for _, slack := range slacks(drift) {
		for _, end := range ends {
			ranges := w.needs(end, slack)
			if n := len(CoverAll(ranges)); best == nil || n < calls {
				best, calls = ranges, n
			}
		}
	}
	return best
}

// slacks returns by how many positions a window may be extended to find its cursor's item in a list
// that moves, in the order of preference.
func slacks(drift int) []int {
	if drift == 0 {
		return []int{0}
	}
	return []int{drift + 4, drift/2 + 2, 0}
}
