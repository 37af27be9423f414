// The tests are in package relay because no exported function weighs a cursor's witnesses alone.
package relay

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// place is an item of a list around a cursor.
type place struct {
	offset int // from the cursor's item
	moved  bool
	known  bool // it was listed when the cursor was made
}

// surroundings are a list around a cursor, some of whose items were deleted or have moved since.
type surroundings struct {
	list      []place
	witnesses offsets
	toStart   bool // the witnesses reach the ends of the list
	toEnd     bool
}

// randomSurroundings moves fewer witnesses than it leaves at their places.
func randomSurroundings(random *rand.Rand) surroundings {
	before, after := random.IntN(12), random.IntN(12)
	w := offsets{-random.IntN(nearMost + 1), random.IntN(nearMost + 1)}
	s := surroundings{witnesses: w, toStart: before == 0, toEnd: after == 0}
	var movers []place
	stayed, moved := 0, 0
	for offset := w.lowest - before; offset <= w.highest+after; offset++ {
		p := place{offset: offset, known: true}
		switch random.IntN(4) {
		case 0: // deleted
			continue
		case 1:
			p.moved = true
		}
		if w.has(offset) && p.moved {
			moved++
		} else if w.has(offset) {
			stayed++
		}
		if p.moved {
			movers = append(movers, p)
		} else {
			s.list = append(s.list, p)
		}
	}
	if moved >= stayed {
		return randomSurroundings(random)
	}
	for range random.IntN(4) {
		movers = append(movers, place{})
	}
	for _, p := range movers {
		s.list = slices.Insert(s.list, random.IntN(len(s.list)+1), p)
	}
	return s
}

// evidence returns what the items from lo to hi-1 show.
func (s *surroundings) evidence(lo, hi int) evidence {
	e := evidence{witnesses: s.witnesses, begins: lo == 0, ends: hi == len(s.list)}
	e.missing = s.witnesses.highest - s.witnesses.lowest + 1
	for _, p := range s.list[lo:hi] {
		offset := p.offset
		if !p.known || !s.witnesses.has(offset) {
			offset = stranger
		} else {
			e.missing--
		}
		e.offsets = append(e.offsets, offset)
	}
	if lo == 0 && hi == len(s.list) {
		e.missing = 0
	}
	if s.toStart {
		e.before++
	}
	if s.toEnd {
		e.after++
	}
	return e
}

// TestWeigh_minorityMoves weighs the witnesses of random lists and of parts of them. If fewer
// witnesses moved than stayed, no item is lost, and repeats are reported.
func TestWeigh_minorityMoves(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	certain, partial := 0, 0
	for range 20000 {
		s := randomSurroundings(random)
		lo, hi := 0, len(s.list)
		if random.IntN(2) == 0 {
			lo = random.IntN(len(s.list))
			hi = lo + 1 + random.IntN(len(s.list)-lo)
		}
		e := s.evidence(lo, hi)
		v := e.weigh()
		whole := e.begins && e.ends
		if !whole {
			partial++
		}
		if !v.certain && !whole {
			continue
		}
		if !whole {
			certain++
		}
		for i, p := range s.list {
			isStranger := !s.witnesses.has(p.offset)
			switch {
			case !p.known || p.moved:
			case isStranger && p.offset > 0 && i < lo+v.start:
				t.Fatalf("%+v from %d to %d: got the start %d, which loses the item with offset %d", s, lo, hi, lo+v.start, p.offset)
			case isStranger && p.offset < 0 && i >= lo+v.start && !v.ambiguous:
				t.Fatalf("%+v from %d to %d: got the start %d, which repeats the item with offset %d", s, lo, hi, lo+v.start, p.offset)
			}
		}
	}
	if certain < partial/20 {
		t.Errorf("got a certain verdict for %d of %d parts, want a twentieth at least", certain, partial)
	}
	t.Logf("%d of %d parts are certain", certain, partial)
}

func TestWeigh_start(t *testing.T) {
	t.Parallel()
	const x = stranger
	for name, tt := range map[string]struct {
		offsets       []int
		want          int
		wantAmbiguous bool
	}{
		"in order":                             {offsets: []int{x, -2, -1, 0, 1, x}, want: 4},
		"the cursor's item moved to the end":   {offsets: []int{x, -2, -1, x, x, 0}, want: 3},
		"the cursor's item moved to the front": {offsets: []int{0, x, -2, -1, 1, x}, want: 4},
		"two of five moved to the end":         {offsets: []int{x, -2, -1, 1, x, 0, 2}, want: 3},
		"swapped with an unknown item":         {offsets: []int{x, -2, -1, x, 0, x}, want: 3},
		"as many moved as stayed":              {offsets: []int{x, -1, x, 0}, want: 2, wantAmbiguous: true},
		"a next item before the others":        {offsets: []int{3, x, -1, 0, 1, 2, x}, want: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := evidence{offsets: tt.offsets, witnesses: offsets{-3, 3}, begins: true, ends: true}
			if v := e.weigh(); v.start != tt.want || v.ambiguous != tt.wantAmbiguous {
				t.Errorf("got %+v, want the start %d, ambiguous %t", v, tt.want, tt.wantAmbiguous)
			}
		})
	}
}
