package fair_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/fair"
	"cvmgraph/internal/testing/testmode"
)

func always(n int) func(int) int { return func(int) int { return n } }

func known(key int) fair.Caller { return fair.Caller{Key: uint64(key), Known: true} }

func stranger(key int) fair.Caller { return fair.Caller{Key: uint64(1000 + key)} }

// call is a request of a Limit.
type call struct {
	fair.Caller
	unit  fair.Unit
	err   error
	ended bool // Acquire has returned
	leave context.CancelFunc
}

// acquire requests a unit and waits until all goroutines of the bubble are blocked.
func acquire(t *testing.T, limit *fair.Limit, c fair.Caller, longest time.Duration) *call {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	made := &call{Caller: c, leave: cancel}
	go func() {
		made.unit, made.err = limit.Acquire(ctx, c, longest)
		made.ended = true
	}()
	synctest.Wait()
	return made
}

func (c *call) held() bool { return c.ended && c.err == nil }

// fill requests n units for a caller.
func fill(t *testing.T, limit *fair.Limit, c fair.Caller, n int) []*call {
	t.Helper()
	var all []*call
	for range n {
		all = append(all, acquire(t, limit, c, 0))
	}
	return all
}

func heldOf(calls []*call) int {
	n := 0
	for _, c := range calls {
		if c.held() {
			n++
		}
	}
	return n
}

// leaveAll ends all calls.
func leaveAll(calls []*call) {
	for _, c := range calls {
		c.leave()
		synctest.Wait()
		if c.held() {
			c.unit.Release()
		}
	}
}

// TestLimit_oracle makes random requests, and compares who has a unit with a slow computation.
func TestLimit_oracle(t *testing.T) {
	t.Parallel()
	for seed := range testmode.Count(300, 10_000) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, uint64(seed)))
			options := fair.Options{
				Max: always(1 + random.IntN(9)), Reserve: random.IntN(5), Extra: random.IntN(6), StrangersExtra: random.IntN(4), Queue: random.IntN(3),
			}
			limit, want := fair.NewLimit(options), &oracle{Options: options}
			var calls []*call
			var requests []*request
			for step := range 60 {
				i := random.IntN(max(2*len(calls), 1))
				if i >= len(calls) || random.IntN(3) == 0 {
					c := fair.Caller{Key: uint64(random.IntN(5)), Known: true}
					if random.IntN(2) == 0 {
						c = stranger(random.IntN(5))
					}
					calls, requests = append(calls, acquire(t, limit, c, 0)), append(requests, want.request(c))
				} else {
					want.end(requests[i])
					leaveAll(calls[i : i+1])
					calls, requests = slices.Delete(calls, i, i+1), slices.Delete(requests, i, i+1)
				}
				synctest.Wait()
				for i, c := range calls {
					if r := requests[i]; c.held() != r.held || errors.Is(c.err, fair.ErrOverload) != r.rejected {
						t.Fatalf("seed %d, step %d, request %d of %+v: got %+v, want %+v", seed, step, i, options, c, r)
					}
				}
			}
			leaveAll(calls)
			if used, queued := limit.State(); used != 0 || queued != 0 {
				t.Errorf("seed %d: got %d units in use and %d waiting in the end, want none", seed, used, queued)
			}
		})
	}
}

var attempts = fair.Options{Max: always(32), Reserve: 4, Extra: 16, StrangersExtra: 6, Queue: 2}

func TestLimit_callerAloneUsesAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := fair.NewLimit(attempts)
		calls := fill(t, limit, known(1), 40)
		if got := heldOf(calls); got != 32 {
			t.Errorf("got %d units, want all 32", got)
		}
		leaveAll(calls)
	})
}

// TestLimit_heavyCaller lets one caller, or an attacker with many invented ones, take everything
// and keep it.
func TestLimit_heavyCaller(t *testing.T) {
	t.Parallel()
	one := func(int) fair.Caller { return known(1) }
	for name, tt := range map[string]struct {
		heavy func(i int) fair.Caller
		light fair.Caller
		want  int // units of the light caller, of six requests
	}{
		"a known caller":                        {heavy: one, light: known(2), want: 4},
		"a known caller, and a new caller":      {heavy: one, light: stranger(1), want: 4},
		"a stranger":                            {heavy: func(int) fair.Caller { return stranger(1) }, light: known(2), want: 4},
		"a stranger, and a new caller":          {heavy: func(int) fair.Caller { return stranger(1) }, light: stranger(2), want: 4},
		"invented strangers":                    {heavy: stranger, light: known(2), want: 4},
		"invented strangers and a new caller":   {heavy: stranger, light: stranger(5000), want: 0},
		"as many known callers as there are 32": {heavy: known, light: known(5000), want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limit := fair.NewLimit(attempts)
				var heavy []*call
				for i := range 200 {
					heavy = append(heavy, acquire(t, limit, tt.heavy(i), 0))
				}
				light := fill(t, limit, tt.light, 6)
				if got := heldOf(light); got != tt.want {
					t.Errorf("got %d units of the light caller, want %d", got, tt.want)
				}
				leaveAll(append(heavy, light...))
			})
		})
	}
}

// TestLimit_nextUnit frees the units of a caller that has all, one by one. They go to the callers
// that use the fewest.
func TestLimit_nextUnit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := fair.NewLimit(fair.Options{Max: always(9)})
		heavy := fill(t, limit, known(1), 30)
		others := [][]*call{fill(t, limit, known(2), 5), fill(t, limit, known(3), 1), fill(t, limit, stranger(1), 3), fill(t, limit, stranger(2), 3)}
		var got []string
		for _, c := range heavy[:9] {
			c.unit.Release()
			synctest.Wait()
			got = append(got, fmt.Sprint(heldOf(heavy)-len(got)-1, heldOf(others[0]), heldOf(others[1]), heldOf(others[2]), heldOf(others[3])))
		}
		want := []string{
			"8 1 0 0 0", "7 1 1 0 0", "6 1 1 1 0", "5 1 1 1 1", "4 2 1 1 1", "3 2 1 2 1", // all strangers count as one caller
			"3 2 1 2 1", "3 2 1 2 1", "3 2 1 2 1",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got units %q, want %q", got, want)
		}
		leaveAll(slices.Concat(heavy[9:], slices.Concat(others...)))
	})
}

func TestLimit_fullQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := fair.NewLimit(fair.Options{Max: always(4), Queue: 2})
		heavy := fill(t, limit, known(1), 12) // 4 units, 8 waiting
		rejected := acquire(t, limit, known(1), 0)
		light := fill(t, limit, known(2), 4)
		fifth := acquire(t, limit, known(2), 0) // now both have as many, and the last one goes
		if !errors.Is(rejected.err, fair.ErrOverload) || !errors.Is(fifth.err, fair.ErrOverload) {
			t.Errorf("got errors %v and %v, want ErrOverload", rejected.err, fifth.err)
		}
		for i, c := range slices.Concat(heavy, light) {
			if lost := i >= 8 && i < 12; lost != errors.Is(c.err, fair.ErrOverload) {
				t.Errorf("request %d: got error %v, want the last four of the heavy caller rejected", i, c.err)
			}
		}
		leaveAll(slices.Concat(heavy, light))
	})
}

func TestLimit_ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := fair.NewLimit(fair.Options{Max: always(1)})
		first := acquire(t, limit, known(1), time.Second)
		leaving, late := acquire(t, limit, known(1), time.Second), acquire(t, limit, known(2), time.Second)
		leaving.leave()
		<-time.After(time.Second)
		synctest.Wait()
		if !errors.Is(leaving.err, context.Canceled) || !errors.Is(late.err, fair.ErrOverload) {
			t.Errorf("got errors %v and %v, want one of the context and ErrOverload", leaving.err, late.err)
		}
		if _, ok := limit.TryAcquire(known(1)); ok {
			t.Error("got a unit, want none")
		}
		first.unit.Release()
		unit, ok := limit.TryAcquire(known(2))
		if !ok {
			t.Fatal("got no unit, want one")
		}
		unit.Release()
		leaveAll([]*call{leaving, late})
	})
}

// TestLimit_strangerBecomesKnown checks that a caller that has units as a stranger keeps them.
func TestLimit_strangerBecomesKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := fair.NewLimit(fair.Options{Max: always(4), Reserve: 4, Extra: 4})
		asStranger := fill(t, limit, fair.Caller{Key: 1}, 4)
		heavy := fill(t, limit, known(2), 4)
		if got := heldOf(heavy); got != 2 { // the share of one of two
			t.Errorf("got %d units of a light caller, want 2", got)
		}
		asKnown := fill(t, limit, known(1), 1)
		asStranger[0].unit.Release()
		asStranger[1].unit.Release()
		synctest.Wait()
		if used, queued := limit.State(); used != 4 || queued != 3 {
			t.Errorf("got %d in use and %d waiting, want 4 and 3", used, queued)
		}
		leaveAll(slices.Concat(asStranger[2:], heavy, asKnown))
	})
}

func BenchmarkLimit(b *testing.B) {
	for _, others := range []int{0, 1000} {
		b.Run(fmt.Sprintf("waiting=%d", others), func(b *testing.B) {
			limit := fair.NewLimit(fair.Options{Max: always(128), Reserve: 8, Extra: 128, StrangersExtra: 32})
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			for i := range others {
				go func() { _, _ = limit.Acquire(ctx, stranger(i), 0) }()
			}
			for used, queued := 0, 0; used+queued < others; used, queued = limit.State() {
			}
			b.ReportAllocs()
			for b.Loop() {
				unit, err := limit.Acquire(b.Context(), known(1), 0)
				if err != nil {
					b.Fatal(err)
				}
				unit.Release()
			}
		})
	}
}
