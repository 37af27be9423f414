// The tests are in the package itself: nobody else can use what a command holds.
package main

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestTheFiguresAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	measured := func() (figures, figures) {
		c, err := compare(mixed(), baseRate, 5)
		if err != nil {
			t.Fatal(err)
		}
		return c.offset, c.ours
	}
	offset, ours := measured()
	offsetAgain, oursAgain := measured()
	if !reflect.DeepEqual(offset, offsetAgain) || !reflect.DeepEqual(ours, oursAgain) {
		t.Errorf("got %+v and %+v, then %+v and %+v", offset, ours, offsetAgain, oursAgain)
	}
	if offset.lost == 0 || offset.repeated == 0 {
		t.Errorf("got %+v for offset cursors, want losses and repeats", offset)
	}
}

func TestOurTraversalsLoseNothing(t *testing.T) {
	t.Parallel()
	for _, churn := range append(churns(), still()) {
		t.Run(churn.name, func(t *testing.T) {
			t.Parallel()
			c, err := compare(churn, baseRate, 10)
			if err != nil {
				t.Fatal(err)
			}
			if c.ours.lost != 0 || c.ours.repeated != 0 || c.ours.exact() != 10 {
				t.Errorf("got %+v, want nothing lost or repeated", c.ours)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		throughout, returned []int
		lost, repeated       int
		exact                bool
	}{
		"all, each once":               {[]int{1, 2, 3}, []int{1, 2, 3}, 0, 0, true},
		"one that came, one that went": {[]int{1, 3}, []int{1, 2, 9, 3}, 0, 0, true},
		"one missing":                  {[]int{1, 2, 3}, []int{1, 3}, 1, 0, false},
		"one thrice":                   {[]int{1, 2}, []int{1, 2, 2, 2}, 0, 1, false},
		"one that came, twice":         {[]int{1, 2}, []int{1, 9, 9, 2}, 0, 1, false},
		"out of order":                 {[]int{1, 2}, []int{2, 1}, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lost, repeated, exact := judge(tt.throughout, tt.returned)
			if lost != tt.lost || repeated != tt.repeated || exact != tt.exact {
				t.Errorf("got %d lost, %d repeated, exact %t, want %d, %d, %t", lost, repeated, exact, tt.lost, tt.repeated, tt.exact)
			}
		})
	}
}

func TestThePictureIsWellFormed(t *testing.T) {
	t.Parallel()
	c, err := compare(mixed(), baseRate, 2)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(plot([]comparison{c})))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
