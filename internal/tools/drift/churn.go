package main

import (
	"math/rand/v2"
	"slices"
)

// churn is a kind of changes to a list during a traversal.
type churn struct {
	name string
	// step makes n changes between two pages. The traversal has returned these items so far, in this
	// order.
	step func(l *list, rng *rand.Rand, n int, returned []int)
}

// unchanging makes no changes.
func unchanging() churn {
	return churn{"none", func(*list, *rand.Rand, int, []int) {}}
}

// mixed makes n inserts and as many deletes.
func mixed() churn {
	return churn{"inserts and deletes", each(func(l *list, rng *rand.Rand) {
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
		{"inserts at the front", each(func(l *list, _ *rand.Rand) { l.insert(0) })},
		atCursor(),
		{"replacements", each(func(l *list, rng *rand.Rand) {
			if len(l.items) > 0 {
				at := rng.IntN(len(l.items))
				l.remove(at)
				l.insert(at)
			}
		})},
	}
}

// each returns a step that calls change n times.
func each(change func(*list, *rand.Rand)) func(*list, *rand.Rand, int, []int) {
	return func(l *list, rng *rand.Rand, n int, _ []int) {
		for range n {
			change(l, rng)
		}
	}
}

func insertAnywhere(l *list, rng *rand.Rand) { l.insert(rng.IntN(len(l.items) + 1)) }

func deleteAnywhere(l *list, rng *rand.Rand) {
	if len(l.items) > 0 {
		l.remove(rng.IntN(len(l.items)))
	}
}

// deleteReturned deletes the last n returned items that are still in the list.
func deleteReturned(l *list, _ *rand.Rand, n int, returned []int) {
	for _, item := range slices.Backward(returned) {
		if n == 0 {
			return
		}
		if at := slices.Index(l.items, item); at >= 0 {
			l.remove(at)
			n--
		}
	}
}
