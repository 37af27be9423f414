package relay

import "slices"

// CachedPage is a page that takes no upstream call.
type CachedPage struct {
	Ref PageRef
	// Len is the number of items on the page, Total the number of items in the list at that time.
	Len, Total int
}

// positions returns the positions that the page has. If the list ends on the page, it also has all
// positions after it.
func (p CachedPage) positions() Range {
	r := p.Ref.Range()
	if r.Hi = r.Lo + p.Len; r.Hi >= p.Total {
		r.Hi = maxPosition
	}
	return r
}

// CoverCached returns cached pages that have every position of the ranges, each page once. It
// returns false if there are none. The cached pages are ordered, latest first: a range is covered
// by the latest page that has all of it. If a range needs several pages, each shares a position
// with the previous one. For no ranges, any page does.
func CoverCached(ranges []Range, cached []CachedPage) ([]PageRef, bool) {
	if len(cached) == 0 {
		return nil, false
	}
	if len(ranges) == 0 {
		return []PageRef{cached[0].Ref}, true
	}
	var pages []PageRef
	for _, r := range ranges {
		for x := r.Lo; r.Len() > 0; {
			best := nextCached(cached, x, r.Hi)
			last := best.positions().Hi - 1
			if last < x {
				return nil, false
			}
			if !slices.Contains(pages, best.Ref) {
				pages = append(pages, best.Ref)
			}
			if last >= r.Hi-1 {
				break
			}
			if last == x {
				return nil, false
			}
			x = last
		}
	}
	return pages, true
}

// nextCached returns the first cached page that has the positions from x up to end. If no page has
// all of them, it returns the page that has x and reaches furthest after it, and if no page has x,
// an empty page.
func nextCached(cached []CachedPage, x, end int) CachedPage {
	best, reach := CachedPage{Ref: PageRef{1, 1}, Total: 1}, x
	for _, page := range cached {
		p := page.positions()
		if p.Lo <= x && p.Hi >= end {
			return page
		}
		if p.Lo <= x && p.Hi > reach {
			best, reach = page, p.Hi
		}
	}
	return best
}
