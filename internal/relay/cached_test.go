package relay_test

import (
	"slices"
	"testing"

	"cvmgraph/internal/relay"
)

func TestCoverCached(t *testing.T) {
	t.Parallel()
	full := func(number, size int) relay.CachedPage {
		return relay.CachedPage{Ref: relay.PageRef{Number: number, Size: size}, Len: size, Total: 1000}
	}
	last := relay.CachedPage{Ref: relay.PageRef{Number: 2, Size: 100}, Len: 20, Total: 120}
	for name, tt := range map[string]struct {
		ranges []relay.Range
		cached []relay.CachedPage
		want   []relay.PageRef
	}{
		"no cached page":                    {ranges: []relay.Range{{Lo: 0, Hi: 1}}, cached: nil, want: nil},
		"the page itself":                   {ranges: []relay.Range{{Lo: 0, Hi: 20}}, cached: []relay.CachedPage{full(1, 20)}, want: []relay.PageRef{{Number: 1, Size: 20}}},
		"a larger page":                     {ranges: []relay.Range{{Lo: 29, Hi: 60}}, cached: []relay.CachedPage{full(1, 100)}, want: []relay.PageRef{{Number: 1, Size: 100}}},
		"an item is missing":                {ranges: []relay.Range{{Lo: 0, Hi: 21}}, cached: []relay.CachedPage{full(1, 20)}, want: nil},
		"before the cached positions":       {ranges: []relay.Range{{Lo: 19, Hi: 30}}, cached: []relay.CachedPage{full(2, 20)}, want: nil},
		"the list ends on the page":         {ranges: []relay.Range{{Lo: 110, Hi: 300}}, cached: []relay.CachedPage{last}, want: []relay.PageRef{{Number: 2, Size: 100}}},
		"two that share a position":         {ranges: []relay.Range{{Lo: 0, Hi: 150}}, cached: []relay.CachedPage{full(1, 100), full(2, 99)}, want: []relay.PageRef{{Number: 1, Size: 100}, {Number: 2, Size: 99}}},
		"two that only touch":               {ranges: []relay.Range{{Lo: 0, Hi: 150}}, cached: []relay.CachedPage{full(1, 100), full(2, 100)}, want: nil},
		"the latest page, not a larger one": {ranges: []relay.Range{{Lo: 5, Hi: 6}}, cached: []relay.CachedPage{full(1, 6), full(1, 50)}, want: []relay.PageRef{{Number: 1, Size: 6}}},
		"the page that reaches furthest":    {ranges: []relay.Range{{Lo: 5, Hi: 120}}, cached: []relay.CachedPage{full(1, 6), full(1, 50), full(2, 49), full(2, 60)}, want: []relay.PageRef{{Number: 1, Size: 50}, {Number: 2, Size: 49}, {Number: 2, Size: 60}}},
		"of equal pages the first":          {ranges: []relay.Range{{Lo: 25, Hi: 40}}, cached: []relay.CachedPage{full(2, 20), full(1, 40)}, want: []relay.PageRef{{Number: 2, Size: 20}}},
		"two ranges":                        {ranges: []relay.Range{{Lo: 0, Hi: 5}, {Lo: 60, Hi: 65}}, cached: []relay.CachedPage{full(1, 10), full(7, 10)}, want: []relay.PageRef{{Number: 1, Size: 10}, {Number: 7, Size: 10}}},
		"one page for two ranges":           {ranges: []relay.Range{{Lo: 0, Hi: 5}, {Lo: 60, Hi: 65}}, cached: []relay.CachedPage{full(1, 100)}, want: []relay.PageRef{{Number: 1, Size: 100}}},
		"one of two ranges":                 {ranges: []relay.Range{{Lo: 0, Hi: 5}, {Lo: 60, Hi: 65}}, cached: []relay.CachedPage{full(1, 10)}, want: nil},
		"an empty range":                    {ranges: []relay.Range{{Lo: 7, Hi: 7}}, cached: []relay.CachedPage{full(1, 10)}, want: nil},
		"a single position at a page's end": {ranges: []relay.Range{{Lo: 9, Hi: 10}}, cached: []relay.CachedPage{full(1, 10)}, want: []relay.PageRef{{Number: 1, Size: 10}}},
		"no range: any page has the total":  {ranges: nil, cached: []relay.CachedPage{full(3, 10), full(1, 1)}, want: []relay.PageRef{{Number: 3, Size: 10}}},
		"an empty list":                     {ranges: []relay.Range{{Lo: 0, Hi: 30}}, cached: []relay.CachedPage{{Ref: relay.PageRef{Number: 1, Size: 30}}}, want: []relay.PageRef{{Number: 1, Size: 30}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := relay.CoverCached(tt.ranges, tt.cached)
			if !slices.Equal(got, tt.want) || ok != (tt.want != nil || len(tt.ranges) == 1 && tt.ranges[0].Len() == 0) {
				t.Errorf("CoverCached(%v, %v): got %v, %t, want %v", tt.ranges, tt.cached, got, ok, tt.want)
			}
		})
	}
}

// FuzzCoverCached checks a cover position by position, and that there is none if CoverCached
// returns false.
func FuzzCoverCached(f *testing.F) {
	f.Add(10, 60, []byte{1, 20, 2, 20, 1, 100})
	f.Add(0, 150, []byte{1, 100, 2, 99})
	f.Fuzz(func(t *testing.T, lo, length int, sizes []byte) {
		lo, length = min(max(lo, 0), 400), min(max(length, 1), 300)
		const total = 350
		var cached []relay.CachedPage
		for i := 0; i+1 < len(sizes) && len(cached) < 20; i += 2 {
			p := relay.PageRef{Number: int(sizes[i])%10 + 1, Size: int(sizes[i+1])%100 + 1}
			cached = append(cached, relay.CachedPage{Ref: p, Len: max(min(p.Range().Hi, total)-p.Range().Lo, 0), Total: total})
		}
		want := relay.Range{Lo: lo, Hi: lo + length}
		pages, ok := relay.CoverCached([]relay.Range{want}, cached)
		if ok != reachable(want, cached) {
			t.Fatalf("got %t for %v of %v", ok, want, cached)
		}
		if !ok {
			return
		}
		x := want.Lo // the next page has it
		for _, p := range pages {
			r := p.Range()
			if r.Hi >= total {
				r.Hi = 1 << 30
			}
			if r.Lo > x || r.Hi <= x {
				t.Fatalf("%v: page %v does not have %d", pages, p, x)
			}
			x = r.Hi - 1
		}
		if x < want.Hi-1 {
			t.Fatalf("%v end at %d, want %v", pages, x, want)
		}
	})
}

// reachable reports whether a chain of pages that share positions covers the range.
func reachable(r relay.Range, cached []relay.CachedPage) bool {
	seen := map[int]bool{r.Lo: true}
	for queue := []int{r.Lo}; len(queue) > 0; queue = queue[1:] {
		for _, e := range cached {
			p := e.Ref.Range()
			if p.Hi = p.Lo + e.Len; p.Hi >= e.Total {
				p.Hi = 1 << 30
			}
			if p.Lo > queue[0] || p.Hi <= queue[0] {
				continue
			}
			if p.Hi >= r.Hi {
				return true
			}
			if !seen[p.Hi-1] {
				seen[p.Hi-1] = true
				queue = append(queue, p.Hi-1)
			}
		}
	}
	return false
}
