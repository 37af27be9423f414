package demo

import (
	"math/rand/v2"
	"slices"
	"time"
)

// maxCatchUp is the maximum number of overdue changes that one request makes.
const maxCatchUp = 1000

// change makes the change of the current step, in place if possible. The change depends only on the
// number of the step, so the list does not depend on the number of requests. The caller holds f.mu.
func (f *fleet) change(entries []*entry, now time.Time) []*entry {
	if f.target == 0 {
		return entries
	}
	r := rand.New(rand.NewPCG(^f.seed, uint64(f.steps)))
	slack := max(1, f.target/20)
	tooMany := len(entries) >= f.target+slack
	tooFew := len(entries) <= max(0, f.target-slack)

	// A new CVM needs about four more changes until it runs. With these probabilities, boots end
	// faster than they begin.
	switch dice := r.IntN(100); {
	case dice < 15 && !tooMany, dice < 30 && tooFew, len(entries) == 0:
		fresh := f.newMachine()
		fresh.observedAt, fresh.createdAt = now, now
		return slices.Insert(entries, r.IntN(len(entries)+1), newEntry(fresh))
	case dice < 30:
		i := r.IntN(len(entries))
		return slices.Delete(entries, i, i+1)
	}
	if i, ok := pickMachine(entries, r.IntN(len(entries))); ok {
		entries[i] = newEntry(entries[i].machine.next(r, now))
	}
	return entries
}

// pickMachine returns the index of a machine to change: the first one from start that is in a
// transient stage, or else the first machine. Items that a test wrote have no machine.
func pickMachine(entries []*entry, start int) (_ int, ok bool) {
	stable, found := 0, false
	for n := range entries {
		i := (start + n) % len(entries)
		m := entries[i].machine
		switch {
		case m == nil:
		case m.stage.transient():
			return i, true
		case !found:
			stable, found = i, true
		}
	}
	return stable, found
}
