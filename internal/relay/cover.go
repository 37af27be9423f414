// Package relay is the arithmetic of a Relay connection over a list that comes in numbered pages: cursors, the windows that
// arguments ask for, the pages that cover a window, and the answer that those pages give. All of it is pure.
package relay

import "slices"

// MaxPageSize is the largest page, in items, that the upstream hands out.
const MaxPageSize = 100

// Range is the positions of a list from Lo, counted from 0, up to but not including Hi.
// It is empty where Hi is not above Lo.
type Range struct{ Lo, Hi int }

// Len returns how many positions r holds.
func (r Range) Len() int { return max(r.Hi-r.Lo, 0) }

// Overlaps says whether r and o share a position.
func (r Range) Overlaps(o Range) bool { return max(r.Lo, o.Lo) < min(r.Hi, o.Hi) }

// PageRef is a page as the upstream counts them: Number from 1, Size from 1 to [MaxPageSize] items.
type PageRef struct{ Number, Size int }

// Range returns the positions that p holds in a list without end.
func (p PageRef) Range() Range { return Range{(p.Number - 1) * p.Size, p.Number * p.Size} }

// pageAt returns the page of size items that holds position x.
func pageAt(x, size int) PageRef { return PageRef{x/size + 1, size} }

// Cover returns the pages to ask for so that every position of r is on one of them, in order. It takes the fewest pages,
// and of those the fewest items. Where there are several, each shares at least one position with the one before, so that
// a list that changes between the calls can be noticed. An empty range takes no page.
//
// One page covers any range of up to 50 positions, two any of up to 101.
func Cover(r Range) []PageRef {
	if r.Len() == 0 {
		return nil
	}
	for size := r.Len(); size <= MaxPageSize; size++ {
		if r.Lo/size == (r.Hi-1)/size {
			return []PageRef{pageAt(r.Lo, size)}
		}
	}
	return coverMany(r)
}

// MostPages returns how many pages [Cover] takes at most for n positions in a row, wherever they lie among the first million.
func MostPages(n int) int {
	switch {
	case n <= MaxPageSize/2:
		return min(n, 1)
	case n <= MaxPageSize+1:
		return 2
	}
	return (n-1+89)/90 + 1
}

// coverMany is Cover for a range that no page covers alone. A chain of pages is settled from its end: for each position x
// that a next page would have to hold, the cheapest way to go on from there.
func coverMany(r Range) []PageRef {
	type way struct {
		calls, items int
		size         int // of the page that holds x
	}
	ways := make([]way, r.Len()) // by x - r.Lo

	for x := r.Hi - 1; x >= r.Lo; x-- {
		// What is best for the next position is best for this one, if the same page holds it: a way from further ahead in the list is
		// never cheaper.
		if x < r.Hi-1 {
			if next := ways[x+1-r.Lo]; pageAt(x, next.size) == pageAt(x+1, next.size) {
				ways[x-r.Lo] = next
				continue
			}
		}
		var best way
		for size := 1; size <= MaxPageSize; size++ {
			w := way{1, size, size}
			if seam := pageAt(x, size).Range().Hi - 1; seam < r.Hi-1 {
				if seam == x {
					continue // the next page would have to hold x again
				}
				rest := ways[seam-r.Lo]
				w.calls += rest.calls
				w.items += rest.items
			}
			if best.calls == 0 || w.calls < best.calls || w.calls == best.calls && w.items < best.items {
				best = w
			}
		}
		ways[x-r.Lo] = best
	}

	var pages []PageRef
	for x := r.Lo; ; {
		page := pageAt(x, ways[x-r.Lo].size)
		pages = append(pages, page)
		if page.Range().Hi >= r.Hi {
			return pages
		}
		x = page.Range().Hi - 1
	}
}

// cost orders sets of pages: fewer calls first, then fewer items.
func cost(pages []PageRef) (calls, items int) {
	for _, p := range pages {
		items += p.Size
	}
	return len(pages), items
}

func cheaper(a, b []PageRef) bool {
	aCalls, aItems := cost(a)
	bCalls, bItems := cost(b)
	return aCalls < bCalls || aCalls == bCalls && aItems < bItems
}

// CoverAll returns pages that cover each of the ranges as [Cover] would, where ranges that overlap or lie close together
// share pages if that is cheaper than a cover for each. The pages are in order of their first position.
func CoverAll(ranges []Range) []PageRef {
	if len(ranges) == 1 {
		return Cover(ranges[0])
	}
	sorted := slices.DeleteFunc(slices.Clone(ranges), func(r Range) bool { return r.Len() == 0 })
	slices.SortFunc(sorted, func(a, b Range) int {
		if a.Lo != b.Lo {
			return a.Lo - b.Lo
		}
		return a.Hi - b.Hi
	})

	var pages, group []PageRef // group is the cover of span, nil as long as nobody needs it
	var span Range
	covered := func() []PageRef {
		if group == nil {
			group = Cover(span)
		}
		return group
	}
	for i, r := range sorted {
		if i == 0 {
			span = r
			continue
		}
		joint := Range{span.Lo, max(span.Hi, r.Hi)}
		if joint == span {
			continue
		}
		own := Cover(r)
		// The span's cover and one of what is beyond it, joined, are a cover of both.
		if beyond := (Range{span.Hi - 1, joint.Hi}); r.Lo < beyond.Lo && cheaper(Cover(beyond), own) {
			span, group = joint, nil
			continue
		}
		// A cover of a span far wider than its parts is never cheaper, and costly to find out.
		if joint.Len() <= span.Len()+r.Len()+MaxPageSize {
			if shared := Cover(joint); cheaper(shared, append(slices.Clone(covered()), own...)) {
				span, group = joint, shared
				continue
			}
		}
		pages = append(pages, covered()...)
		span, group = r, own
	}
	return append(pages, covered()...)
}

// gaps returns the parts of r that none of the held ranges has, in order.
func gaps(r Range, held []Range) []Range {
	sorted := slices.Clone(held)
	slices.SortFunc(sorted, func(a, b Range) int { return a.Lo - b.Lo })

	var open []Range
	x := r.Lo // every position of r below x is held or in a gap
	for _, h := range sorted {
		if h.Lo > x && x < r.Hi {
			open = append(open, Range{x, min(h.Lo, r.Hi)})
		}
		x = max(x, h.Hi)
	}
	if x < r.Hi {
		open = append(open, Range{x, r.Hi})
	}
	return open
}
