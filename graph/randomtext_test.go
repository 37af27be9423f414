package graph_test

import "math/rand/v2"

// part is a piece of a random text. Leaving out some of its parts leaves a smaller text, which is how failures are reduced.
type part struct {
	before, separator, after string
	parts                    []*part
}

func leaf(text string) *part { return &part{before: text} }

func (p *part) append(dst []byte) []byte {
	dst = append(dst, p.before...)
	for i, below := range p.parts {
		if i > 0 {
			dst = append(dst, p.separator...)
		}
		dst = below.append(dst)
	}
	return append(dst, p.after...)
}

func (p *part) String() string { return string(p.append(nil)) }

// reduce leaves out what can be left out while fails stays true, and returns how often it may still ask.
func (p *part) reduce(tries int, fails func() bool) int {
	for i := 0; i < len(p.parts) && tries > 0; {
		all := p.parts
		p.parts = append(append([]*part{}, all[:i]...), all[i+1:]...)
		if tries--; !fails() {
			p.parts = all
			i++
		}
	}
	for _, below := range p.parts {
		tries = below.reduce(tries, fails)
	}
	return tries
}

// random makes choices.
type random struct{ *rand.Rand }

// in says yes so many times in 100.
func (r random) in100(times int) bool { return r.IntN(100) < times }

func pick[T any](r random, from []T) T { return from[r.IntN(len(from))] }
