package graph_test

import "math/rand/v2"

// part is a part of a random document, which consists of parts itself. Removing parts reduces a
// failing document.
type part struct {
	before, separator, after string
	parts                    []*part
}

func leaf(text string) *part { return &part{before: text} }

func (p *part) append(dst []byte) []byte {
	dst = append(dst, p.before...)
	for i, inner := range p.parts {
		if i > 0 {
			dst = append(dst, p.separator...)
		}
		dst = inner.append(dst)
	}
	return append(dst, p.after...)
}

func (p *part) String() string { return string(p.append(nil)) }

// reduce removes parts as long as fails returns true. It calls fails at most tries times, and
// returns the number of remaining calls.
func (p *part) reduce(tries int, fails func() bool) int {
	for i := 0; i < len(p.parts) && tries > 0; {
		all := p.parts
		p.parts = append(append([]*part{}, all[:i]...), all[i+1:]...)
		if tries--; !fails() {
			p.parts = all
			i++
		}
	}
	for _, inner := range p.parts {
		tries = inner.reduce(tries, fails)
	}
	return tries
}

// random makes choices.
type random struct{ *rand.Rand }

// in100 returns true in so many of 100 cases.
func (r random) in100(times int) bool { return r.IntN(100) < times }

func pick[T any](r random, from []T) T { return from[r.IntN(len(from))] }
