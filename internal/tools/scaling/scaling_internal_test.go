// The tests are in the package itself: nobody else can use what a command holds.
package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// tolerance is how far a formula may be from the simulation, as a share.
const tolerance = 0.03

// grid returns loads from pages that are hardly ever asked for to such that always are, simulated.
var grid = sync.OnceValue(func() map[string]comparison {
	loads := map[string]load{
		"rates that differ":           {zipf(50, 20), 3, 2, 0.2},
		"rates that differ, and less": {zipf(200, 5), 10, 5, 0.2},
	}
	for _, replicas := range []int{1, 3, 10} {
		for _, rate := range []float64{0.05, 0.5, 5, 50} {
			for _, times := range []struct{ ttl, fetch float64 }{{0, 0.3}, {0.5, 0.05}, {2, 0.2}, {2, 1}, {10, 0.2}, {10, 3}} {
				name := fmt.Sprintf("%d replicas, %g/s, ttl %g s, fetch %g s", replicas, rate, times.ttl, times.fetch)
				loads[name] = load{even(20, 20*rate), replicas, times.ttl, times.fetch}
			}
		}
	}
	simulated := map[string]comparison{}
	for name, l := range loads {
		simulated[name] = compare(l, 60_000, 60)
	}
	return simulated
})

// worst returns how far formulae are from a simulation at most, in tolerances. Where little happened, chance is tolerated too:
// three standard deviations of it.
func worst(c comparison, f formulae) float64 {
	far := func(formula float64, o outcome, n int) float64 {
		if n == 0 {
			return formula * o.seconds // what should have happened
		}
		return math.Abs(formula/o.each(n)-1) / max(tolerance, 3/math.Sqrt(float64(n)))
	}
	return max(
		far(over(c.load, f.alone), c.alone, c.alone.calls),
		far(over(c.load, f.shared), c.shared, c.shared.calls),
		far(over(c.load, f.reads), c.shared, c.shared.reads),
	)
}

func TestTheFormulaeAgreeWithTheSimulation(t *testing.T) {
	t.Parallel()
	var most float64
	for name, c := range grid() {
		most = max(most, worst(c, ours()))
		if off := worst(c, ours()); off > 1 {
			t.Errorf("%s: the formulae are off by %.1f %%", name, 100*tolerance*off)
		}
	}
	t.Logf("%d loads: off by %.0f %% of what is tolerated, at most", len(grid()), 100*most)
}

// The grid tells the formulae from those that are nearly right.
func TestOtherFormulaeDoNotAgree(t *testing.T) {
	t.Parallel()
	replicas := func(l load) float64 { return float64(l.replicas) }
	for name, change := range map[string]func(*formulae){
		"alone, a life that begins when the page is there": func(f *formulae) {
			f.alone = func(l load, rate float64) float64 { return replicas(l) / (l.ttl + l.fetch + replicas(l)/rate) }
		},
		"alone, without the fetch": func(f *formulae) {
			f.alone = func(l load, rate float64) float64 { return replicas(l) / (l.ttl + replicas(l)/rate) }
		},
		"alone, always in demand": func(f *formulae) {
			f.alone = func(l load, rate float64) float64 { return min(rate, replicas(l)/l.quiet()) }
		},
		"alone, as one replica": func(f *formulae) {
			f.alone = func(l load, rate float64) float64 { return 1 / (l.quiet() + 1/rate) }
		},
		"alone, each replica asked for all": func(f *formulae) {
			f.alone = func(l load, rate float64) float64 { return replicas(l) / (l.quiet() + 1/rate) }
		},
		"shared, a life that begins when the page is there": func(f *formulae) {
			f.shared = func(l load, rate float64) float64 { return 1 / (l.ttl + l.fetch + 1/rate) }
		},
		"shared, always in demand": func(f *formulae) {
			f.shared = func(l load, rate float64) float64 { return min(rate, 1/l.quiet()) }
		},
		"shared, as if alone": func(f *formulae) { f.shared = f.alone },
		"reads, of the caller too": func(f *formulae) {
			reads := f.reads
			f.reads = func(l load, rate float64) float64 { return reads(l, rate) * replicas(l) / max(1, replicas(l)-1) }
		},
		"reads, by every replica": func(f *formulae) {
			shared := f.shared
			f.reads = func(l load, rate float64) float64 { return shared(l, rate) * (replicas(l) - 1) }
		},
		"reads, by replicas asked for all": func(f *formulae) {
			shared := f.shared
			f.reads = func(l load, rate float64) float64 {
				return shared(l, rate) * (replicas(l) - 1) * (1 - math.Exp(-rate*l.quiet()))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := ours()
			change(&f)
			most := 0.0
			for _, c := range grid() {
				most = max(most, worst(c, f))
			}
			if most < 3 {
				t.Errorf("it is off by %.1f %% at most, want it told from the right one", 100*tolerance*most)
			}
		})
	}
}

func TestTheFormulaeAtTheirLimits(t *testing.T) {
	t.Parallel()
	f := ours()
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	l := load{even(1, 1), 3, 2, 0.2}
	near("always in demand, alone", f.alone(l, 1e9), 3/2.0)
	near("always in demand, shared", f.shared(l, 1e9), 1/2.0)
	near("hardly ever asked for, alone", f.alone(l, 1e-9), 1e-9)
	near("hardly ever asked for, shared", f.shared(l, 1e-9), 1e-9)
	many := load{even(1, 1), 1e9, 2, 0.2}
	near("replicas without end, alone", f.alone(many, 5), 5)
	one := load{even(1, 1), 1, 2, 0.2}
	near("one replica", f.alone(one, 5), f.shared(one, 5))
	if got := f.reads(one, 5); got != 0 {
		t.Errorf("one replica: got %g reads, want none", got)
	}
	// Of all ways to spread the same requests over the same pages, the even one takes most calls.
	uneven, spread := load{zipf(50, 20), 3, 2, 0.2}, load{even(50, 20), 3, 2, 0.2}
	if over(uneven, f.alone) >= over(spread, f.alone) || over(uneven, f.shared) >= over(spread, f.shared) {
		t.Error("uneven rates take as many calls as even ones, want fewer")
	}
}

func TestTheSimulationIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	l := load{even(5, 10), 3, 1, 0.1}
	if a, b := compare(l, 5000, 10), compare(l, 5000, 10); !reflect.DeepEqual(a, b) {
		t.Errorf("got %+v, then %+v", a, b)
	}
}

func TestTheDocumentHasAPlaceForTheTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := []scenario{{"a row", 1, 2, compare(load{even(2, 10), 3, 1, 0.1}, 5000, 10)}}
	written, err := withTable(string(text), rows)
	if err != nil || !strings.Contains(written, "| a row | 1 | 2 | 10 | 3 | 1 s |") || strings.Contains(written, "dashboard |") {
		t.Errorf("got %v and\n%s\nwant the row in place of the others", err, written)
	}
	if again, err := withTable(written, rows); err != nil || again != written {
		t.Errorf("written twice: got another text, %v", err)
	}
	if _, err := withTable("no place", rows); err == nil {
		t.Error("a text without marks: got no error")
	}
}

func TestThePictureIsWellFormed(t *testing.T) {
	t.Parallel()
	c := curve{2, []comparison{compare(load{even(2, 10), 3, 1, 0.1}, 5000, 10)}}
	d := xml.NewDecoder(strings.NewReader(plot([]curve{c, c})))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
