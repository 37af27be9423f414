package relay_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/relaytest"
	"cvmgraph/internal/testing/testmode"
)

func checkCover(t *testing.T, r relay.Range) {
	t.Helper()
	pages := relay.Cover(r)
	items, reached := 0, r.Lo
	for i, p := range pages {
		if p.Size < 1 || p.Size > relay.MaxPageSize || p.Number < 1 {
			t.Fatalf("Cover(%v): got impossible page %v", r, p)
		}
		need := reached
		if i > 0 {
			need = reached - 1 // the seam
		}
		if got := p.Range(); got.Lo > need || got.Hi <= need {
			t.Fatalf("Cover(%v): got page %v, which does not hold position %d, in %v", r, p, need, pages)
		}
		reached = p.Range().Hi
		items += p.Size
	}
	if reached < r.Hi {
		t.Fatalf("Cover(%v): got %v, want every position covered", r, pages)
	}
	if wantCalls, wantItems := relaytest.Cheapest(r.Lo, r.Hi); len(pages) != wantCalls || items != wantItems {
		t.Fatalf("Cover(%v): got %d calls of %d items, want %d of %d", r, len(pages), items, wantCalls, wantItems)
	}
	n := r.Len()
	switch {
	case n <= 50 && len(pages) > 1:
		t.Errorf("Cover(%v): got %d calls, want 1 for up to 50 positions", r, len(pages))
	case n <= 101 && len(pages) > 2:
		t.Errorf("Cover(%v): got %d calls, want 2 for up to 101 positions", r, len(pages))
	case len(pages) > (n-1+89)/90+1: // one of the n positions is the cursor's own
		t.Errorf("Cover(%v): got %d calls, want at most ceil(%d/90)+1", r, len(pages), n-1)
	}
	if most := relay.MostPages(n); len(pages) > most || most > (n-1+89)/90+1 {
		t.Errorf("Cover(%v): got %d calls, want at most %d, as for any %d positions", r, len(pages), most, n)
	}
}

func TestCover_isCheapest(t *testing.T) {
	t.Parallel()
	t.Run("for every short range near the front", func(t *testing.T) {
		t.Parallel()
		for lo := range 220 {
			for n := 0; n <= 101; n += 1 + lo%3 {
				checkCover(t, relay.Range{Lo: lo, Hi: lo + n})
			}
		}
	})
	t.Run("for ranges of any length up to a million", func(t *testing.T) {
		t.Parallel()
		random := rand.New(rand.NewPCG(1, 2))
		for range testmode.Count(300, 5000) {
			lo := random.IntN(1_000_001)
			checkCover(t, relay.Range{Lo: lo, Hi: lo + random.IntN(1002)})
		}
	})
}

func FuzzCover(f *testing.F) {
	f.Add(uint32(0), uint16(30))
	f.Add(uint32(50), uint16(51))
	f.Add(uint32(999_999), uint16(1000))
	f.Fuzz(func(t *testing.T, lo uint32, n uint16) {
		r := relay.Range{Lo: int(lo % 1_000_001), Hi: int(lo%1_000_001) + int(n%1002)}
		checkCover(t, r)
	})
}

func TestCoverAll_sharesPages(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ranges []relay.Range
		want   int // calls
	}{
		"none":                              {ranges: nil, want: 0},
		"empty ranges only":                 {ranges: []relay.Range{{5, 5}}, want: 0},
		"equal ranges":                      {ranges: []relay.Range{{0, 10}, {0, 10}}, want: 1},
		"one within another":                {ranges: []relay.Range{{0, 10}, {0, 30}, {5, 6}}, want: 1},
		"neighbors":                         {ranges: []relay.Range{{0, 10}, {9, 20}}, want: 1},
		"a cursor's item close by":          {ranges: []relay.Range{{0, 5}, {20, 21}}, want: 1},
		"a cursor's item far off":           {ranges: []relay.Range{{0, 5}, {900, 901}}, want: 2},
		"far apart":                         {ranges: []relay.Range{{0, 30}, {500_000, 500_030}}, want: 2},
		"one across the seam of two others": {ranges: []relay.Range{{0, 100}, {90, 110}, {99, 190}}, want: 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pages := relay.CoverAll(test.ranges)
			if len(pages) != test.want {
				t.Errorf("CoverAll(%v): got %v, want %d calls", test.ranges, pages, test.want)
			}
			for _, r := range test.ranges {
				for x := r.Lo; x < r.Hi; x++ {
					if !covered(pages, x) {
						t.Fatalf("CoverAll(%v): got %v, want position %d on one of them", test.ranges, pages, x)
					}
				}
			}
		})
	}
}

// TestCoverAll_overlappingRanges compares the pages with the cover of the union of the ranges. If
// each range overlaps the previous one by more than an item, no pages are cheaper.
func TestCoverAll_overlappingRanges(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range testmode.Count(200, 2000) {
		all := relay.Range{Lo: random.IntN(5000)}
		size, step := 20+random.IntN(300), 1+random.IntN(15)
		var ranges []relay.Range
		for i := range 2 + random.IntN(12) {
			lo := all.Lo + i*step
			ranges = append(ranges, relay.Range{Lo: lo, Hi: lo + size})
			all.Hi = lo + size
		}
		if got, want := relay.CoverAll(ranges), relay.Cover(all); !slices.Equal(got, want) {
			t.Fatalf("CoverAll(%v): got %v, want %v", ranges, got, want)
		}
	}
}

// covered reports whether one of the pages has a position.
func covered(pages []relay.PageRef, position int) bool {
	for _, p := range pages {
		if r := p.Range(); r.Lo <= position && position < r.Hi {
			return true
		}
	}
	return false
}

func BenchmarkCover(b *testing.B) {
	for name, r := range map[string]relay.Range{
		"30 from the front":  {Lo: 0, Hi: 30},
		"51 in the middle":   {Lo: 1249, Hi: 1300},
		"101 in the middle":  {Lo: 1249, Hi: 1350},
		"1001 in the middle": {Lo: 1249, Hi: 2250},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				relay.Cover(r)
			}
		})
	}
}

func BenchmarkCoverAll(b *testing.B) {
	var ranges []relay.Range
	for i := range 30 {
		ranges = append(ranges, relay.Range{Lo: 30 * i, Hi: 30*i + 100})
	}
	b.ReportAllocs()
	for b.Loop() {
		relay.CoverAll(ranges)
	}
}
