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
		held   []relay.CachedPage
		want   []relay.PageRef
	}{
		"nothing at hand":                   {[]relay.Range{{Lo: 0, Hi: 1}}, nil, nil},
		"the page itself":                   {[]relay.Range{{Lo: 0, Hi: 20}}, []relay.CachedPage{full(1, 20)}, []relay.PageRef{{Number: 1, Size: 20}}},
		"a larger page":                     {[]relay.Range{{Lo: 29, Hi: 60}}, []relay.CachedPage{full(1, 100)}, []relay.PageRef{{Number: 1, Size: 100}}},
		"an item is lacking":                {[]relay.Range{{Lo: 0, Hi: 21}}, []relay.CachedPage{full(1, 20)}, nil},
		"ahead of what is there":            {[]relay.Range{{Lo: 19, Hi: 30}}, []relay.CachedPage{full(2, 20)}, nil},
		"the list ends on the page":         {[]relay.Range{{Lo: 110, Hi: 300}}, []relay.CachedPage{last}, []relay.PageRef{{Number: 2, Size: 100}}},
		"two that share a position":         {[]relay.Range{{Lo: 0, Hi: 150}}, []relay.CachedPage{full(1, 100), full(2, 99)}, []relay.PageRef{{Number: 1, Size: 100}, {Number: 2, Size: 99}}},
		"two that only touch":               {[]relay.Range{{Lo: 0, Hi: 150}}, []relay.CachedPage{full(1, 100), full(2, 100)}, nil},
		"the page that goes furthest":       {[]relay.Range{{Lo: 5, Hi: 6}}, []relay.CachedPage{full(1, 6), full(1, 50)}, []relay.PageRef{{Number: 1, Size: 50}}},
		"of equal pages the first":          {[]relay.Range{{Lo: 25, Hi: 40}}, []relay.CachedPage{full(2, 20), full(1, 40)}, []relay.PageRef{{Number: 2, Size: 20}}},
		"two ranges":                        {[]relay.Range{{Lo: 0, Hi: 5}, {Lo: 60, Hi: 65}}, []relay.CachedPage{full(1, 10), full(7, 10)}, []relay.PageRef{{Number: 1, Size: 10}, {Number: 7, Size: 10}}},
		"one page for two ranges":           {[]relay.Range{{Lo: 0, Hi: 5}, {Lo: 60, Hi: 65}}, []relay.CachedPage{full(1, 100)}, []relay.PageRef{{Number: 1, Size: 100}}},
		"one of two ranges":                 {[]relay.Range{{Lo: 0, Hi: 5}, {Lo: 60, Hi: 65}}, []relay.CachedPage{full(1, 10)}, nil},
		"an empty range":                    {[]relay.Range{{Lo: 7, Hi: 7}}, []relay.CachedPage{full(1, 10)}, nil},
		"a single position at a page's end": {[]relay.Range{{Lo: 9, Hi: 10}}, []relay.CachedPage{full(1, 10)}, []relay.PageRef{{Number: 1, Size: 10}}},
		"no range, for any page tells":      {nil, []relay.CachedPage{full(3, 10), full(1, 1)}, []relay.PageRef{{Number: 3, Size: 10}}},
		"an empty list":                     {[]relay.Range{{Lo: 0, Hi: 30}}, []relay.CachedPage{{Ref: relay.PageRef{Number: 1, Size: 30}}}, []relay.PageRef{{Number: 1, Size: 30}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := relay.CoverCached(tt.ranges, tt.held)
			if !slices.Equal(got, tt.want) || ok != (tt.want != nil || len(tt.ranges) == 1 && tt.ranges[0].Len() == 0) {
				t.Errorf("CoverCached(%v, %v): got %v, %t, want %v", tt.ranges, tt.held, got, ok, tt.want)
			}
		})
	}
}

// FuzzCoverCached checks a cover position by position, and that there is none where it says so.
func FuzzCoverCached(f *testing.F) {
	f.Add(10, 60, []byte{1, 20, 2, 20, 1, 100})
	f.Add(0, 150, []byte{1, 100, 2, 99})
	f.Fuzz(func(t *testing.T, lo, length int, sizes []byte) {
		lo, length = min(max(lo, 0), 400), min(max(length, 1), 300)
		const total = 350
		var held []relay.CachedPage
		for i := 0; i+1 < len(sizes) && len(held) < 20; i += 2 {
			p := relay.PageRef{Number: int(sizes[i])%10 + 1, Size: int(sizes[i+1])%100 + 1}
			held = append(held, relay.CachedPage{Ref: p, Len: max(min(p.Range().Hi, total)-p.Range().Lo, 0), Total: total})
		}
		want := relay.Range{Lo: lo, Hi: lo + length}
		pages, ok := relay.CoverCached([]relay.Range{want}, held)
		if ok != reachable(want, held) {
			t.Fatalf("got %t for %v of %v", ok, want, held)
		}
		if !ok {
			return
		}
		x := want.Lo // to be on the next page
		for _, p := range pages {
			r := p.Range()
			if r.Hi >= total {
				r.Hi = 1 << 30
			}
			if r.Lo > x || r.Hi <= x {
				t.Fatalf("%v: page %v does not hold %d", pages, p, x)
			}
			x = r.Hi - 1
		}
		if x < want.Hi-1 {
			t.Fatalf("%v end at %d, want %v", pages, x, want)
		}
	})
}

// reachable says whether some chain of pages that share positions leads through the range.
func reachable(r relay.Range, held []relay.CachedPage) bool {
	seen := map[int]bool{r.Lo: true}
	for queue := []int{r.Lo}; len(queue) > 0; queue = queue[1:] {
		for _, e := range held {
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
