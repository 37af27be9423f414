package demo

import (
	"math/rand/v2"
	"slices"
	"time"
)

// maxSteps is the number of changes that one request makes up for at most.
const maxSteps = 1000

// change makes the one change of the current step, in place where it can. It
// draws from the number of the step alone, so that a list does not depend on
// how often it was asked for. f.mu is held.
func (f *fleet) change(cells []*cell, now time.Time) []*cell {
	if f.target == 0 {
		return cells
	}
	r := rand.New(rand.NewPCG(^f.seed, uint64(f.steps)))
	slack := max(1, f.target/20)
	tooMany := len(cells) >= f.target+slack
	tooFew := len(cells) <= max(0, f.target-slack)

	// A new CVM takes about four more changes until it runs. These shares let
	// the boots end faster than they begin.
	switch dice := r.IntN(100); {
	case dice < 15 && !tooMany, dice < 30 && tooFew, len(cells) == 0:
		fresh := f.newMachine()
		fresh.seen = now
		return slices.Insert(cells, r.IntN(len(cells)+1), newCell(fresh))
	case dice < 30:
		i := r.IntN(len(cells))
		return slices.Delete(cells, i, i+1)
	}
	if i, ok := pick(cells, r.IntN(len(cells))); ok {
		cells[i] = newCell(cells[i].machine.next(r, now))
	}
	return cells
}

// pick returns the place of a machine to move on: the first one after start
// that is on its way somewhere, or else the first that can move at all. Items
// that a test wrote by hand cannot.
func pick(cells []*cell, start int) (_ int, ok bool) {
	settled, found := 0, false
	for n := range cells {
		i := (start + n) % len(cells)
		m := cells[i].machine
		switch {
		case m == nil:
		case m.stage.passing():
			return i, true
		case !found:
			settled, found = i, true
		}
	}
	return settled, found
}
