package relay

import (
	"errors"
	"fmt"
)

// DefaultCount is how many items a window holds where neither first nor last says so.
const DefaultCount = 30

// Args are the paging arguments of a connection, nil where they are absent or null.
type Args struct {
	First, Last   *int32
	After, Before *string
}

// ArgumentError says that an argument cannot be used, and why, in words for the caller.
type ArgumentError struct {
	// Argument is its name, such as first.
	Argument string
	// Reason goes on from the name: "must be at least 0".
	Reason string
}

func (e *ArgumentError) Error() string { return e.Argument + " " + e.Reason }

// Window is the part of a list that a caller asked for: Count items from the front of a range, or from its back. The
// range is the list, behind After and ahead of Before where these are not nil.
type Window struct {
	Count         int
	FromBack      bool
	After, Before *Cursor
	// TotalOnly selects no items, only the total.
	TotalOnly bool
}

// Window checks the arguments against the list that they are for, and the largest count allowed. The error is an
// [ArgumentError].
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
	// Relay's algorithm looks for before among the items behind after: one that is not there cuts nothing off.
	if w.After != nil && w.Before != nil && w.Before.Position <= w.After.Position {
		w.Before = nil
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

func cursor(argument string, text *string, list Fingerprint) (*Cursor, error) {
	if text == nil {
		return nil, nil
	}
	c, err := DecodeCursor(*text, list)
	switch {
	case errors.Is(err, ErrForeignCursor):
		return nil, &ArgumentError{argument, "is a cursor of another list: use it with the nodeId and userId it came from"}
	case err != nil:
		return nil, &ArgumentError{argument, "is not a cursor of this gateway: take it from pageInfo or an edge, unchanged"}
	}
	return &c, nil
}

// direction is the way in which a window is read: 1 from the front of its range, -1 from the back.
func (w Window) direction() int {
	if w.FromBack {
		return -1
	}
	return 1
}

// bounds returns the positions of the items that w asks for in a list of total items that has not moved.
func (w Window) bounds(total int) Range {
	lo, hi := 0, total
	if w.Before != nil {
		hi = min(w.Before.Position, total)
	}
	if w.After != nil {
		lo = min(w.After.Position+1, hi)
	}
	if w.FromBack {
		return Range{max(lo, hi-w.Count), hi}
	}
	return Range{lo, min(hi, lo+w.Count)}
}

// needs returns the positions to fetch for w in a list of total items: its items, and the cursors' own. Where a cursor says
// that the list moves, slack positions more on either side.
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

// unanchored says whether w has no cursor: its place is known by the end of the list that it begins at.
func (w Window) unanchored() bool { return w.After == nil && w.Before == nil }

// unknownEnd stands for the total of a list that nobody has seen the end of.
const unknownEnd = maxPosition

// firstRanges returns the positions to fetch before anything is known of the list. Empty means that its total has to be known
// first: any page of the list tells it.
func (w Window) firstRanges() []Range {
	if w.TotalOnly {
		return nil
	}
	if w.unanchored() {
		if w.FromBack || w.Count == 0 {
			return nil
		}
		if w.Count <= MaxPageSize {
			return []Range{{0, w.Count}}
		}
		// The first page goes alone: where the list ends early, the others are not needed.
		return []Range{{0, min(w.Count, Cover(Range{0, w.Count})[0].Range().Hi)}}
	}
	var seen, moving int
	for _, c := range []*Cursor{w.After, w.Before} {
		if c != nil {
			seen, moving = max(seen, c.Total), max(moving, c.Moving)
		}
	}
	ends := []int{unknownEnd, seen} // the list may have grown since the cursor was made
	if w.FromBack && w.Before == nil {
		ends = ends[1:]
	}
	// What might not be needed is asked for only where it costs no call.
	var best []Range
	calls := 0
	for _, slack := range slacks(moving) {
		for _, end := range ends {
			ranges := w.needs(end, slack)
			if n := len(CoverAll(ranges)); best == nil || n < calls {
				best, calls = ranges, n
			}
		}
	}
	return best
}

// slacks returns how far a window may reach to find its cursor's item where a list moves, in the order of preference.
func slacks(moving int) []int {
	if moving == 0 {
		return []int{0}
	}
	return []int{moving + 4, moving/2 + 2, 0}
}
