// The tests are in package main because a command cannot be imported.
package main

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// tolerance is the maximum relative difference between a formula and the simulation.
const tolerance = 0.03

// grid returns simulated loads, from rarely requested pages to pages that are always in demand.
var grid = sync.OnceValue(func() map[string]comparison {
	loads := map[string]load{
		"Zipf, 50 pages":  {rates: zipf(50, 20), replicas: 3, ttl: 2, fetch: 0.2},
		"Zipf, 200 pages": {rates: zipf(200, 5), replicas: 10, ttl: 5, fetch: 0.2},
	}
	for _, replicas := range []int{1, 3, 10} {
		for _, rate := range []float64{0.05, 0.5, 5, 50} {
			for _, times := range []struct{ ttl, fetch float64 }{{0, 0.3}, {0.5, 0.05}, {2, 0.2}, {2, 1}, {10, 0.2}, {10, 3}} {
				name := fmt.Sprintf("%d replicas, %g/s, ttl %g s, fetch %g s", replicas, rate, times.ttl, times.fetch)
				loads[name] = load{rates: even(20, 20*rate), replicas: replicas, ttl: times.ttl, fetch: times.fetch}
			}
		}
	}
	simulated := map[string]comparison{}
	for name, l := range loads {
		simulated[name] = compare(l, 60_000, 60)
	}
	return simulated
})

// maxError returns the maximum difference between formulas and a simulation, as a multiple of the
// tolerance. If events are rare, three standard deviations of their number are tolerated.
func maxError(c comparison, f formulas) float64 {
	relative := func(formula float64, o outcome, n int) float64 {
		if n == 0 {
			return formula * o.seconds // the expected number
		}
		return math.Abs(formula/o.perSecond(n)-1) / max(tolerance, 3/math.Sqrt(float64(n)))
	}
	return max(
		relative(sum(c.load, f.alone), c.alone, c.alone.calls),
		relative(sum(c.load, f.shared), c.shared, c.shared.calls),
		relative(sum(c.load, f.reads), c.shared, c.shared.reads),
	)
}

func TestFormulas_agreeWithTheSimulation(t *testing.T) {
	t.Parallel()
	var most float64
	for name, c := range grid() {
		off := maxError(c, documentedFormulas())
		most = max(most, off)
		if off > 1 {
			t.Errorf("%s: the formulas differ by %.1f %%", name, 100*tolerance*off)
		}
	}
	t.Logf("%d loads: the maximum error is %.0f %% of the tolerance", len(grid()), 100*most)
}

// The loads of the grid distinguish the formulas from similar ones.
func TestFormulas_similarOnesDisagreeWithTheSimulation(t *testing.T) {
	t.Parallel()
	replicas := func(l load) float64 { return float64(l.replicas) }
	for name, change := range map[string]func(*formulas){
		"alone, lifetime from the end of the call": func(f *formulas) {
			f.alone = func(l load, rate float64) float64 { return replicas(l) / (l.ttl + l.fetch + replicas(l)/rate) }
		},
		"alone, without the call's duration": func(f *formulas) {
			f.alone = func(l load, rate float64) float64 { return replicas(l) / (l.ttl + replicas(l)/rate) }
		},
		"alone, always in demand": func(f *formulas) {
			f.alone = func(l load, rate float64) float64 { return min(rate, replicas(l)/l.minInterval()) }
		},
		"alone, one replica": func(f *formulas) {
			f.alone = func(l load, rate float64) float64 { return 1 / (l.minInterval() + 1/rate) }
		},
		"alone, every replica gets all requests": func(f *formulas) {
			f.alone = func(l load, rate float64) float64 { return replicas(l) / (l.minInterval() + 1/rate) }
		},
		"shared, lifetime from the end of the call": func(f *formulas) {
			f.shared = func(l load, rate float64) float64 { return 1 / (l.ttl + l.fetch + 1/rate) }
		},
		"shared, always in demand": func(f *formulas) {
			f.shared = func(l load, rate float64) float64 { return min(rate, 1/l.minInterval()) }
		},
		"shared, same as alone": func(f *formulas) { f.shared = f.alone },
		"reads, by the calling replica too": func(f *formulas) {
			reads := f.reads
			f.reads = func(l load, rate float64) float64 { return reads(l, rate) * replicas(l) / max(1, replicas(l)-1) }
		},
		"reads, by every other replica": func(f *formulas) {
			shared := f.shared
			f.reads = func(l load, rate float64) float64 { return shared(l, rate) * (replicas(l) - 1) }
		},
		"reads, every replica gets all requests": func(f *formulas) {
			shared := f.shared
			f.reads = func(l load, rate float64) float64 {
				return shared(l, rate) * (replicas(l) - 1) * (1 - math.Exp(-rate*l.minInterval()))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := documentedFormulas()
			change(&f)
			most := 0.0
			for _, c := range grid() {
				most = max(most, maxError(c, f))
			}
			if most < 3 {
				t.Errorf("the maximum error is %.1f %%, want at least three tolerances", 100*tolerance*most)
			}
		})
	}
}

func TestFormulas_limits(t *testing.T) {
	t.Parallel()
	f := documentedFormulas()
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	l := load{rates: even(1, 1), replicas: 3, ttl: 2, fetch: 0.2}
	near("always in demand, alone", f.alone(l, 1e9), 3/2.0)
	near("always in demand, shared", f.shared(l, 1e9), 1/2.0)
	near("rarely requested, alone", f.alone(l, 1e-9), 1e-9)
	near("rarely requested, shared", f.shared(l, 1e-9), 1e-9)
	many := load{rates: even(1, 1), replicas: 1e9, ttl: 2, fetch: 0.2}
	near("very many replicas, alone", f.alone(many, 5), 5)
	one := load{rates: even(1, 1), replicas: 1, ttl: 2, fetch: 0.2}
	near("one replica", f.alone(one, 5), f.shared(one, 5))
	if got := f.reads(one, 5); got != 0 {
		t.Errorf("one replica: got %g reads, want 0", got)
	}
	// Equal rates take the most calls of all distributions of the same requests over the same
	// pages.
	uneven := load{rates: zipf(50, 20), replicas: 3, ttl: 2, fetch: 0.2}
	equal := load{rates: even(50, 20), replicas: 3, ttl: 2, fetch: 0.2}
	if sum(uneven, f.alone) >= sum(equal, f.alone) || sum(uneven, f.shared) >= sum(equal, f.shared) {
		t.Error("uneven rates take as many calls as equal rates, want fewer")
	}
}

func TestSimulate_isDeterministic(t *testing.T) {
	t.Parallel()
	l := load{rates: even(5, 10), replicas: 3, ttl: 1, fetch: 0.1}
	if a, b := compare(l, 5000, 10), compare(l, 5000, 10); !reflect.DeepEqual(a, b) {
		t.Errorf("got %+v, then %+v", a, b)
	}
}

func TestWithTable_replacesTheTable(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := []scenario{{
		name: "a row", credentials: 1, windows: 2,
		comparison: compare(load{rates: even(2, 10), replicas: 3, ttl: 1, fetch: 0.1}, 5000, 10),
	}}
	written, err := withTable(string(document), rows)
	if err != nil || !strings.Contains(written, "| a row | 1 | 2 | 10 | 3 | 1 s |") || strings.Contains(written, "| dashboard of a team |") {
		t.Errorf("got %v and\n%s\nwant the new row only", err, written)
	}
	if again, err := withTable(written, rows); err != nil || again != written {
		t.Errorf("second time: got a different document, %v", err)
	}
	if _, err := withTable("no table", rows); err == nil {
		t.Error("document without a table: got no error")
	}
}

func TestChart_hasLinesAndMarkers(t *testing.T) {
	t.Parallel()
	points := []comparison{compare(load{rates: even(2, 10), replicas: 3, ttl: 1, fetch: 0.1}, 5000, 10)}
	c := chart([]curve{{ttl: 2, points: points}, {ttl: 10, points: points}})
	if len(c.Series) != 4 || len(c.XTicks) != maxReplicas {
		t.Fatalf("got %d series and %d ticks, want 4 and %d", len(c.Series), len(c.XTicks), maxReplicas)
	}
	for i, s := range c.Series {
		if len(s.Line) != 1 || len(s.Markers) != 1 || s.Dotted != (i%2 == 1) {
			t.Errorf("got %+v, want one point, one marker, and a dotted line for the second TTL", s)
		}
	}
	if !strings.HasPrefix(c.SVG(), "<svg ") {
		t.Errorf("got %.100s, want an SVG image", c.SVG())
	}
}
