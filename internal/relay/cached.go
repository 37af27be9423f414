package relay

import "slices"

// CachedPage is a page that is at hand.
type CachedPage struct {
	Ref PageRef
	// Len is how many items it has, and Total how many the list had then.
	Len, Total int
}

// positions returns the positions that an extent answers for: where the list ends on it, all beyond as well.
func (e CachedPage) positions() Range {
	r := e.Ref.Range()
	if r.Hi = r.Lo + e.Len; r.Hi >= e.Total {
		r.Hi = maxPosition
	}
	return r
}

// CoverCached returns pages of those at hand on which every position of the ranges is, each once, and false where there are none. Where
// one range takes several pages, each shares a position with the one before. For no ranges any page will do.
func CoverCached(ranges []Range, held []CachedPage) ([]PageRef, bool) {
	if len(held) == 0 {
		return nil, false
	}
	if len(ranges) == 0 {
		return []PageRef{held[0].Ref}, true
	}
	var pages []PageRef
	for _, r := range ranges {
		for x := r.Lo; r.Len() > 0; {
			best := furthest(held, x)
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

// furthest returns the extent that has position x and goes furthest beyond it, the first of equal ones. Where none has, it is empty.
func furthest(held []CachedPage, x int) CachedPage {
	best, reach := CachedPage{Ref: PageRef{1, 1}, Total: 1}, x
	for _, e := range held {
		if p := e.positions(); p.Lo <= x && p.Hi > reach && p.Hi > x {
			best, reach = e, p.Hi
		}
	}
	return best
}
