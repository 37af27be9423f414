// Package relay implements Relay connections over a list that an upstream serves in numbered pages.
// It has cursors ([Cursor]), the windows that arguments select ([Args.Window]), the pages that
// cover a range ([Cover]), and the assembly of a window from pages ([Assembler]). It does no I/O.
package relay

import "slices"

// MaxPageSize is the maximum number of items on an upstream page.
const MaxPageSize = 100

// Range is the positions of a list from Lo, counted from 0, up to but not including Hi. It is empty
// if Hi is not above Lo.
type Range struct{ Lo, Hi int }

// Len returns the number of positions in r.
func (r Range) Len() int { return max(r.Hi-r.Lo, 0) }

// Overlaps reports whether r and o share a position.
func (r Range) Overlaps(o Range) bool { return max(r.Lo, o.Lo) < min(r.Hi, o.Hi) }

// PageRef refers to an upstream page. Number counts from 1. Size is 1 to [MaxPageSize] items.
type PageRef struct{ Number, Size int }

// Range returns the positions of p in an endless list.
func (p PageRef) Range() Range { return Range{(p.Number - 1) * p.Size, p.Number * p.Size} }

// pageAt returns the page of size items that has position x.
func pageAt(x, size int) PageRef { return PageRef{x/size + 1, size} }

// Cover returns the fewest pages that have every position of r, in order, and of these the ones
// with the fewest items. Adjacent pages share at least one position, so that a change of the list
// between two calls can be noticed. An empty range needs no page.
//
// One page covers any range of up to 50 positions, two any of up to 101.
func Cover(r Range) []PageRef { return CoverWithin(r, MaxPageSize) }

// CoverWithin is [Cover] for pages of at most size items, at most [MaxPageSize]. If no page of that
// size has a position and the next one, the pages on both sides do not share a position. For a size
// of 12 or more, that is the case at 1 of 27,720 positions at most.
func CoverWithin(r Range, size int) []PageRef {
	if r.Len() == 0 {
		return nil
	}
	for n := r.Len(); n <= size; n++ {
		if r.Lo/n == (r.Hi-1)/n {
			return []PageRef{pageAt(r.Lo, n)}
		}
	}
	return coverMany(r, size)
}

// MostPages returns the maximum number of pages that [Cover] returns for n positions in a row among
// the first million.
func MostPages(n int) int {
	switch {
	case n <= MaxPageSize/2:
		return min(n, 1)
	case n <= MaxPageSize+1:
		return 2
	}
	return (n-1+89)/90 + 1
}

// coverMany is CoverWithin for a range that needs several pages. It computes, from the last
// position to the first, the cheapest chain of pages that begins with a page of that position.
func coverMany(r Range, most int) []PageRef {
	type chain struct {
		calls, items int
		size         int // of the first page
	}
	chains := make([]chain, r.Len()) // by x - r.Lo

	for x := r.Hi - 1; x >= r.Lo; x-- {
		// The best chain of the next position is the best one of this position if its first page
		// has both: a chain of an earlier position is never cheaper.
		if x < r.Hi-1 {
			if next := chains[x+1-r.Lo]; pageAt(x, next.size) == pageAt(x+1, next.size) {
				chains[x-r.Lo] = next
				continue
			}
		}
		var best chain
		for size := 1; size <= most; size++ {
			c := chain{1, size, size}
			if seam := pageAt(x, size).Range().Hi - 1; seam < r.Hi-1 {
				if seam == x {
					continue // the next page would need x again
				}
				rest := chains[seam-r.Lo]
				c.calls += rest.calls
				c.items += rest.items
			}
			if best.calls == 0 || c.calls < best.calls || c.calls == best.calls && c.items < best.items {
				best = c
			}
		}
		if best.calls == 0 { // all pages that have x end with it
			rest := chains[x+1-r.Lo]
			best = chain{1 + rest.calls, most + rest.items, most}
		}
		chains[x-r.Lo] = best
	}

	var pages []PageRef
	for x := r.Lo; ; {
		page := pageAt(x, chains[x-r.Lo].size)
		pages = append(pages, page)
		if page.Range().Hi >= r.Hi {
			return pages
		}
		x = max(page.Range().Hi-1, x+1)
	}
}

// cost returns the calls and the items that pages take.
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

// CoverAll returns pages that cover each of the ranges as [Cover] does. Ranges that overlap or are
// close together share pages if that is cheaper than a cover for each. The pages are in the order
// of their first position.
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

	var pages, group []PageRef // group is the cover of span, computed when it is needed
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
		// The cover of the span and a cover of the positions after it are a cover of both ranges.
		if rest := (Range{span.Hi - 1, joint.Hi}); r.Lo < rest.Lo && cheaper(Cover(rest), own) {
			span, group = joint, nil
			continue
		}
		// A cover of a span much wider than its parts is never cheaper, and slow to compute.
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

// gaps returns the parts of r that none of the covered ranges has, in order.
func gaps(r Range, covered []Range) []Range {
	sorted := slices.Clone(covered)
	slices.SortFunc(sorted, func(a, b Range) int { return a.Lo - b.Lo })

	var open []Range
	x := r.Lo // every position of r below x is covered or in a gap
	for _, c := range sorted {
		if c.Lo > x && x < r.Hi {
			open = append(open, Range{x, min(c.Lo, r.Hi)})
		}
		x = max(x, c.Hi)
	}
	if x < r.Hi {
		open = append(open, Range{x, r.Hi})
	}
	return open
}
