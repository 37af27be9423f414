package restclient

import (
	"strings"

	"cvmgraph/internal/wire"
)

// The values of one item share a few allocations, whose sizes are guessed from the item before.
// Different items share none, so that an item does not keep the memory of others in use.

// maxGuess limits a guess, so that one large item does not make the following ones expensive. It
// counts values of a slab, elements of a list, and bytes of strings in KiB.
const maxGuess = 256

// slab returns pointers to values that share allocations.
type slab[T any] struct {
	free []T
	used int // since the last item's end
	next int // size of the next allocation
}

func (s *slab[T]) put(value T) *T {
	if len(s.free) == 0 {
		s.free = make([]T, max(s.next, 4))
		s.next = min(2*len(s.free), maxGuess) // if the guess was too low
	}
	p := &s.free[0]
	*p = value
	s.free = s.free[1:]
	s.used++
	return p
}

// endItem makes the next item start an allocation of its own.
func (s *slab[T]) endItem() {
	s.free, s.next, s.used = nil, min(s.used, maxGuess), 0
}

// textArena copies strings into shared allocations.
type textArena struct {
	b    strings.Builder
	used int // bytes since the last item's end
	next int // size of the next allocation
}

// put copies a string, given as the bytes between its quotes.
func (a *textArena) put(raw []byte, escaped bool) string {
	if len(raw) == 0 {
		return ""
	}
	// Unescaping never makes a string longer, so the builder does not grow, which would copy.
	if a.b.Cap()-a.b.Len() < len(raw) {
		a.b.Reset()
		a.b.Grow(max(len(raw), a.next))
		a.next = 1 << 10
	}
	start := a.b.Len()
	if escaped {
		a.unescape(raw)
	} else {
		a.b.Write(raw)
	}
	a.used += a.b.Len() - start
	return a.b.String()[start:]
}

func (a *textArena) unescape(raw []byte) {
	for {
		before, char, after := wire.CutEscape(raw)
		a.b.Write(before)
		if char < 0 {
			return
		}
		a.b.WriteRune(char)
		raw = after
	}
}

// endItem makes the next item start an allocation of its own.
func (a *textArena) endItem() {
	a.b.Reset()
	a.next, a.used = min(a.used, maxGuess<<10), 0
}
