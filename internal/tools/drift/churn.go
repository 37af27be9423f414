package main

import (
	"math/rand/v2"
	"slices"
)

// churn is a way in which a list changes while somebody pages through it.
type churn struct {
	name string
	// step makes n changes between two pages. The items returned so far are in the order in which they were returned.
	step func(l *list, rng *rand.Rand, n int, returned []int)
}

// still is no churn: the list stays as it is.
func still() churn {
	return churn{"none", func(*list, *rand.Rand, int, []int) {}}
}

// mixed makes n inserts and as many deletes.
func mixed() churn {
	return churn{"inserts and deletes", each(func(l *list, rng *rand.Rand) {
		insertAnywhere(l, rng)
		deleteAnywhere(l, rng)
	})}
}

// atCursor deletes the items returned last, the cursor's own first.
func atCursor() churn { return churn{"deletes at the cursor", deleteReturned} }

// churns returns the six kinds.
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

// each makes n changes of one kind.
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

// deleteReturned deletes the n items returned last, of those that are still there.
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
