package main

import (
	"math/rand/v2"
	"slices"

	"cvmgraph/internal/testing/changinglist"
)

// churn is a kind of changes to a list during a traversal.
type churn struct {
	name string
	// step makes n changes between two pages. The traversal has returned these items so far, in
	// this order.
	step func(l *changinglist.List, rng *rand.Rand, n int, returned []int)
}

// unchanging makes no changes.
func unchanging() churn {
	return churn{"none", func(*changinglist.List, *rand.Rand, int, []int) {}}
}

// mixed makes n inserts and as many deletes.
func mixed() churn {
	return churn{"inserts and deletes", each(func(l *changinglist.List, rng *rand.Rand) {
		insertAnywhere(l, rng)
		deleteAnywhere(l, rng)
	})}
}

// atCursor deletes the items that were returned last, the cursor's item first.
func atCursor() churn { return churn{"deletes at the cursor", deleteReturned} }

// churns returns all kinds of changes.
func churns() []churn {
	return []churn{
		{"inserts anywhere", each(insertAnywhere)},
		{"deletes anywhere", each(deleteAnywhere)},
		mixed(),
		{"inserts at the front", each(func(l *changinglist.List, _ *rand.Rand) { l.Insert(0) })},
		atCursor(),
		{"replacements", each(func(l *changinglist.List, rng *rand.Rand) {
			if len(l.Items) > 0 {
				l.Replace(rng.IntN(len(l.Items)))
			}
		})},
	}
}

// reorders returns the kinds of changes that do not keep the order of the items.
func reorders() []churn {
	return []churn{
		{"updates, the latest first", each(func(l *changinglist.List, rng *rand.Rand) { moveAny(l, rng, 0) })},
		{"updates, the latest last", each(func(l *changinglist.List, rng *rand.Rand) { moveAny(l, rng, len(l.Items)-1) })},
		{"moves anywhere", each(func(l *changinglist.List, rng *rand.Rand) { moveAny(l, rng, rng.IntN(len(l.Items))) })},
		{"swaps of adjacent items", each(func(l *changinglist.List, rng *rand.Rand) {
			at := rng.IntN(len(l.Items) - 1)
			l.Move(at, at+1)
		})},
		{"of the items returned last, to the front", moveReturned(func(*changinglist.List) int { return 0 })},
		{"of the items returned last, to the end", moveReturned(func(l *changinglist.List) int { return len(l.Items) - 1 })},
	}
}

// moveAny moves a random item so that it has index to afterwards.
func moveAny(l *changinglist.List, rng *rand.Rand, to int) { l.Move(rng.IntN(len(l.Items)), to) }

// moveReturned returns a step that moves n of the items returned last to an index: the cursor's
// item, and every second one of those returned before.
func moveReturned(to func(*changinglist.List) int) func(*changinglist.List, *rand.Rand, int, []int) {
	return func(l *changinglist.List, _ *rand.Rand, n int, returned []int) {
		for i := range n {
			if at := len(returned) - 1 - 2*i; at >= 0 {
				l.MoveItem(returned[at], to(l))
			}
		}
	}
}

// each returns a step that calls change n times.
func each(change func(*changinglist.List, *rand.Rand)) func(*changinglist.List, *rand.Rand, int, []int) {
	return func(l *changinglist.List, rng *rand.Rand, n int, _ []int) {
		for range n {
			change(l, rng)
		}
	}
}

func insertAnywhere(l *changinglist.List, rng *rand.Rand) { l.Insert(rng.IntN(len(l.Items) + 1)) }

func deleteAnywhere(l *changinglist.List, rng *rand.Rand) {
	if len(l.Items) > 0 {
		l.Remove(rng.IntN(len(l.Items)))
	}
}

// deleteReturned deletes the last n returned items that are still in the list.
func deleteReturned(l *changinglist.List, _ *rand.Rand, n int, returned []int) {
	for _, item := range slices.Backward(returned) {
		if n == 0 {
			return
		}
		if l.RemoveItem(item) {
			n--
		}
	}
}
