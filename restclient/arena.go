package restclient

import "strings"

// The values of one item share a few allocations, whose sizes are guessed from the item before. An
// item kept alone therefore keeps no other item's memory alive.

// maxGuess bounds a guess, so that one odd item does not cost its successors: values of a slab,
// elements of a list, and (in units of 1 KiB) bytes of strings.
const maxGuess = 256

// slab hands out pointers to values that share allocations.
type slab[T any] struct {
	free []T
	used int // since the last item's end
	next int // size of the next allocation
}

func (s *slab[T]) put(value T) *T {
	if len(s.free) == 0 {
		s.free = make([]T, max(s.next, 4))
		s.next = min(2*len(s.free), maxGuess) // in case the guess was too low
	}
	place := &s.free[0]
	*place = value
	s.free = s.free[1:]
	s.used++
	return place
}

// endItem lets the next item start an allocation of its own.
func (s *slab[T]) endItem() {
	s.free, s.next, s.used = nil, min(s.used, maxGuess), 0
}

// textArena copies strings into shared allocations.
type textArena struct {
	b    strings.Builder
	used int // bytes since the last item's end
	next int // size of the next allocation
}

// put copies the string with the given text between its quotes.
func (a *textArena) put(raw []byte, escaped bool) string {
	if len(raw) == 0 {
		return ""
	}
	// Unescaping never lengthens, so that the builder does not grow, which would copy.
	if a.b.Cap()-a.b.Len() < len(raw) {
		a.b.Reset()
		a.b.Grow(max(len(raw), a.next))
		a.next = 1 << 10
	}
	start := a.b.Len()
	if escaped {
		unescape(&a.b, raw)
	} else {
		a.b.Write(raw)
	}
	a.used += a.b.Len() - start
	return a.b.String()[start:]
}

// endItem lets the next item start an allocation of its own.
func (a *textArena) endItem() {
	a.b.Reset()
	a.next, a.used = min(a.used, maxGuess<<10), 0
}
