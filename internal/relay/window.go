package relay

import (
	"errors"
	"fmt"
	"math"
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

// Bounds returns the positions of the items that w asks for in a list of total items.
func (w Window) Bounds(total int) Range {
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

// needs returns the positions to fetch for w in a list of total items: its items, and the cursors' own.
func (w Window) needs(total int) []Range {
	r := w.Bounds(total)
	ranges := []Range{r}
	if w.After != nil {
		if p := w.After.Position; p+1 == r.Lo && r.Len() > 0 {
			ranges[0].Lo = p
		} else {
			ranges = append(ranges, Range{p, p + 1})
		}
	}
	if w.Before != nil {
		if p := w.Before.Position; p == r.Hi && r.Len() > 0 {
			ranges[0].Hi = p + 1
		} else {
			ranges = append(ranges, Range{p, p + 1})
		}
	}
	return ranges
}

// unknownEnd stands for the total of a list that nobody has seen the end of.
const unknownEnd = math.MaxInt32

// First returns the positions to fetch before anything is known of the list. Empty means that its total has to be known
// first: any page of the list tells it.
func (w Window) First() []Range {
	if w.After == nil && w.Before == nil {
		if w.FromBack || w.Count == 0 {
			return nil
		}
		// The first page goes alone: where the list ends early, the others are not needed.
		return []Range{{0, min(w.Count, Cover(Range{0, w.Count})[0].Range().Hi)}}
	}
	seen := w.totalSeen()
	if w.FromBack && w.Before == nil {
		return w.needs(seen)
	}
	// The list may have grown since the cursor was made, so its end counts only where that saves a call.
	open, closed := w.needs(unknownEnd), w.needs(seen)
	if len(CoverAll(closed)) < len(CoverAll(open)) {
		return closed
	}
	return open
}

// Next returns the pages that are still missing once the list is known to hold total items and the pages of have are
// there; none where the window is complete. They overlap those that are there by one position where they touch.
func (w Window) Next(have []Page, total int) []Page {
	var open []Range
	for _, r := range w.needs(total) {
		r.Hi = min(r.Hi, total)
		for _, gap := range gaps(r, have) {
			open = append(open, Range{max(gap.Lo-1, r.Lo), min(gap.Hi+1, r.Hi)})
		}
	}
	return CoverAll(open)
}

// Complete returns the part of w that the pages of have answer without a gap, in a list of total items: all of
// w.Bounds(total) where [Window.Next] returns none.
func (w Window) Complete(have []Page, total int) Range {
	r := w.Bounds(total)
	open := gaps(r, have)
	switch {
	case len(open) == 0:
		return r
	case w.FromBack:
		return Range{open[len(open)-1].Hi, r.Hi}
	default:
		return Range{r.Lo, open[0].Lo}
	}
}

// totalSeen returns how many items the list held when the newer of the cursors was made, as far as the larger total tells.
func (w Window) totalSeen() int {
	var total int
	for _, c := range []*Cursor{w.After, w.Before} {
		if c != nil {
			total = max(total, c.Total)
		}
	}
	return total
}
