// The tests are in package main because a command cannot be imported.
package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestCompare_isDeterministic(t *testing.T) {
	t.Parallel()
	measured := func() (totals, totals) {
		c, err := compare(mixed(), baseRate, 5)
		if err != nil {
			t.Fatal(err)
		}
		return c.offset, c.cvmgraph
	}
	offset, ours := measured()
	offsetAgain, oursAgain := measured()
	if !reflect.DeepEqual(offset, offsetAgain) || !reflect.DeepEqual(ours, oursAgain) {
		t.Errorf("got %+v and %+v, then %+v and %+v", offset, ours, offsetAgain, oursAgain)
	}
	if offset.lost == 0 || offset.repeated == 0 {
		t.Errorf("got %+v for offset cursors, want lost and repeated items", offset)
	}
}

func TestCompare_cvmgraphLosesAndRepeatsNoItems(t *testing.T) {
	t.Parallel()
	for _, churn := range slices.Concat(churns(), reorders(), []churn{unchanging()}) {
		t.Run(churn.name, func(t *testing.T) {
			t.Parallel()
			c, err := compare(churn, rateOf(churn), 10)
			if err != nil {
				t.Fatal(err)
			}
			if c.cvmgraph.lost != 0 || c.cvmgraph.repeated != 0 || c.cvmgraph.exact() != 10 {
				t.Errorf("got %+v, want no lost or repeated items", c.cvmgraph)
			}
		})
	}
}

func TestCheck_lostAndRepeatedItems(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stayed, returned       []int
		wantLost, wantRepeated int
		wantExact              bool
	}{
		"every item once":            {stayed: []int{1, 2, 3}, returned: []int{1, 2, 3}, wantExact: true},
		"inserted and deleted items": {stayed: []int{1, 3}, returned: []int{1, 2, 9, 3}, wantExact: true},
		"missing item":               {stayed: []int{1, 2, 3}, returned: []int{1, 3}, wantLost: 1},
		"item three times":           {stayed: []int{1, 2}, returned: []int{1, 2, 2, 2}, wantRepeated: 1},
		"inserted item twice":        {stayed: []int{1, 2}, returned: []int{1, 9, 9, 2}, wantRepeated: 1},
		"wrong order":                {stayed: []int{1, 2}, returned: []int{2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost, repeated, exact := check(tt.stayed, tt.returned)
			if lost != tt.wantLost || repeated != tt.wantRepeated || exact != tt.wantExact {
				t.Errorf("got %d lost, %d repeated, exact %t, want %d, %d, %t",
					lost, repeated, exact, tt.wantLost, tt.wantRepeated, tt.wantExact)
			}
		})
	}
}

func TestChart_hasAPointForEachRate(t *testing.T) {
	t.Parallel()
	var points []comparison
	for _, rate := range []int{0, baseRate} {
		c, err := compare(mixed(), rate, 2)
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, c)
	}
	c := chart(points)
	if want := []float64{0, baseRate}; !reflect.DeepEqual(c.XTicks, want) {
		t.Errorf("got ticks %v, want %v", c.XTicks, want)
	}
	for _, s := range c.Series {
		if len(s.Line) != len(points) {
			t.Errorf("%s: got %d points, want %d", s.Name, len(s.Line), len(points))
		}
	}
	if !strings.HasPrefix(c.SVG(), "<svg ") {
		t.Errorf("got %.100s, want an SVG image", c.SVG())
	}
}
