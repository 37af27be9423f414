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
