package graph_test

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// walkSeed returns the seed of the first walk. CVMGRAPH_TEST_WALK_SEED overrides it.
func walkSeed(t *testing.T) int {
	t.Helper()
	value := cmp.Or(os.Getenv("CVMGRAPH_TEST_WALK_SEED"), "100000")
	seed, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// TestConnection_randomWalks is the model of a list that changes. Rapid draws plans: inserts,
// deletes and moves, windows between two cursors, items that only their order distinguishes, and
// other requests that refresh the caches. A client walks along the list through the whole gateway.
// changinglist.Walk.Faults computes the promises from the history of the list. Each walk has a
// seed, so that it can be repeated.
func TestConnection_randomWalks(t *testing.T) {
	t.Parallel()
	shapes := []restclient.Shape{restclient.ShapeHosted, restclient.ShapeFlat}
	parts := len(shapes)
	plans := rapid.Custom(func(t *rapid.T) walkPlan { return planner{t}.plan() })
	count, first := testmode.Count(400, 20_000)/parts, walkSeed(t)
	for part := range parts {
		t.Run(string(shapes[part]), func(t *testing.T) {
			t.Parallel()
			walkers := startWalkers(t, shapes[part])
			var moved, steady int
			for seed := first + part*count; seed < first+(part+1)*count; seed++ {
				result := walkers.do(plans.Example(seed))
				if len(result.faults) > 0 {
					t.Errorf("seed %d: %s\n%s", seed, strings.Join(result.faults, "\n"), result.history)
				}
				if result.moved {
					moved++
					if result.steady {
						steady++
					}
				}
			}
			t.Logf("the promises hold throughout %d of %d walks of lists with moves", steady, moved)
			if steady*2 < moved {
				t.Error("want them to hold for half of the walks at least")
			}
		})
	}
}

// TestConnection_walksOfFixedSeeds repeats walks that had faults once.
func TestConnection_walksOfFixedSeeds(t *testing.T) {
	t.Parallel()
	hosted, flat := startWalkers(t, restclient.ShapeHosted), startWalkers(t, restclient.ShapeFlat)
	plans := rapid.Custom(func(t *rapid.T) walkPlan { return planner{t}.plan() })
	for name, seed := range map[string]int{
		"a range whose beginning passes its end, with alike items":        138651,
		"alike items near an item that moved":                             146963,
		"items inserted before the cursor, when its item is deleted":      124368,
		"a list that changes after a page was served":                     127434,
		"an item inserted before the cursor, whose neighbors are deleted": 125268,
		"many inserted before two neighbors, three of which are deleted":  125596,
		"three inserted before three":                                     147966,
		"a turn at an item that another one moved past":                   144502,
		"a turn at a deleted item that was inserted before the cursor":    152368,
	} {
		for _, walkers := range []*walkers{hosted, flat} {
			if result := walkers.do(plans.Example(seed)); len(result.faults) > 0 {
				t.Errorf("%s, seed %d, %s: %s\n%s", name, seed, walkers.shape, strings.Join(result.faults, "\n"), result.history)
			}
		}
	}
}

// TestConnection_walksOfAlikeItems walks along lists that do not change, with items that only their
// order distinguishes, and looks them up.
func TestConnection_walksOfAlikeItems(t *testing.T) {
	t.Parallel()
	shapes := []*walkers{startWalkers(t, restclient.ShapeHosted), startWalkers(t, restclient.ShapeFlat)}
	for every := 1; every <= 4; every++ {
		for size := 1; size <= testmode.Count(13, 25); size += 4 {
			for count := 1; count <= size; count++ {
				for _, kind := range []walkKind{walkForward, walkBackward} {
					for _, ttl := range walkTTLs()[:2] {
						result := shapes[count%2].do(walkPlan{
							kind: kind, ttl: ttl, size: size, every: every, alike: true, lookUp: true,
							steps: []walkStep{{count: count, wait: time.Millisecond}},
						})
						if len(result.faults) > 0 {
							t.Fatalf("one of %d items, %d a page: %s\n%s", every, count, strings.Join(result.faults, "\n"), result.history)
						}
					}
				}
			}
		}
	}
}
