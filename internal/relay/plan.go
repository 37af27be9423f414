package relay

import (
	"slices"
	"sync"
)

// ListPlan is what the windows of one operation load from one list before any page is known.
// Windows that overlap share pages, whichever of them is assembled first. It is safe for concurrent
// use. A nil plan is valid: its windows share nothing.
type ListPlan struct {
	pages []PageRef
	// front is the largest count of the windows without a cursor that begin at the front of the
	// list, and back of those at its back. Each is -1 if there are none.
	front, back int
	// longFront is the first range of the front windows that need more than one page.
	longFront []Range
	// edges is how many windows have no items and ask only for what is beyond an end of the list.
	edges int

	mu      sync.Mutex
	choices []choice
}

// choice records the first pages of a window. Windows that begin with the same ranges begin with
// the same pages, so that their next pages are the same too.
type choice struct {
	ranges []Range
	seen   uint32
	pages  []PageRef
}

// NewListPlan returns the plan of the given windows.
func NewListPlan(windows ...Window) *ListPlan {
	p := &ListPlan{front: -1, back: -1}
	var ranges []Range
	for _, w := range windows {
		if w.TotalOnly {
			continue
		}
		if w.Count == 0 && (w.FromBack && w.limit() == nil || !w.FromBack && w.After == nil) {
			p.edges++
		}
		switch {
		case !w.hasNoCursor():
		case w.FromBack:
			p.back = max(p.back, w.Count)
		default:
			p.front = max(p.front, w.Count)
			if w.Count > MaxPageSize {
				continue // all of them begin with longFront
			}
		}
		ranges = append(ranges, w.firstRanges()...)
	}
	if p.front > MaxPageSize {
		p.longFront = Window{Count: p.front}.firstRanges()
		ranges = append(ranges, p.longFront...)
	}
	p.pages = CoverAll(ranges)
	return p
}

// Pages returns the pages that the windows load first, unless they find cached ones.
func (p *ListPlan) Pages() []PageRef {
	if p == nil {
		return nil
	}
	return p.pages
}

// MaxCalls returns how many upstream calls the windows make at most if the list does not change.
func (p *ListPlan) MaxCalls() int {
	calls := len(p.pages) + p.edges
	if p.front > MaxPageSize {
		calls += MostPages(p.front) - len(p.longFront) // the first page is planned
	}
	if p.back >= 0 {
		calls += 1 + MostPages(max(p.back, 1)) // the total, then the window
	}
	return max(calls, 1) // at least the total
}

// widest returns the largest count of the planned windows that begin at the same end as w.
func (p *ListPlan) widest(w Window) int {
	switch {
	case p == nil || !w.hasNoCursor():
		return w.Count
	case w.FromBack:
		return max(w.Count, p.back)
	}
	return max(w.Count, p.front)
}

// firstPages returns the pages that w loads first: cached pages if they hold all of it, else the
// planned pages, else the cheapest cover.
func (p *ListPlan) firstPages(w Window, cached []CachedPage) ([]PageRef, Reason) {
	ranges, reason := p.firstRanges(w), ReasonWindow
	if len(ranges) == 0 {
		reason = ReasonTotal
	}
	if p == nil {
		return choosePages(ranges, nil, cached), reason
	}
	seen := w.seen()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.choices {
		if c.seen == seen && slices.Equal(c.ranges, ranges) {
			return c.pages, reason
		}
	}
	pages := choosePages(ranges, p.pages, cached)
	p.choices = append(p.choices, choice{ranges, seen, pages})
	return pages, reason
}

// firstRanges returns the positions that w needs first.
func (p *ListPlan) firstRanges(w Window) []Range {
	if p != nil && len(p.longFront) > 0 && w.hasNoCursor() && !w.FromBack && w.Count > MaxPageSize {
		return p.longFront
	}
	return w.firstRanges()
}

// choosePages returns pages that hold the ranges. Any page does for no ranges: each reports the
// total.
func choosePages(ranges []Range, planned []PageRef, cached []CachedPage) []PageRef {
	if pages, ok := CoverCached(ranges, cached); ok {
		return pages
	}
	switch {
	case len(planned) == 0 && len(ranges) == 0:
		return []PageRef{{1, 1}}
	case len(planned) == 0:
		return CoverAll(ranges)
	case len(ranges) == 0:
		return planned[:1]
	}
	return slices.DeleteFunc(slices.Clone(planned), func(p PageRef) bool {
		return !slices.ContainsFunc(ranges, p.Range().Overlaps)
	})
}
