package main

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		values []float64
		want   float64
	}{
		"one value":             {values: []float64{3}, want: 3},
		"odd number, unsorted":  {values: []float64{9, 1, 4}, want: 4},
		"even number of values": {values: []float64{1, 100, 2, 3}, want: 2.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := median(tt.values); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("got %v for no values, want NaN", got)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for name, tt := range map[string]struct {
		values []int
		q      float64
		want   int
	}{
		"median of 100": {values: hundred, q: 0.5, want: 50},
		"99 % of 100":   {values: hundred, q: 0.99, want: 99},
		"maximum":       {values: hundred, q: 1, want: 100},
		"minimum":       {values: hundred, q: 0, want: 1},
		"99 % of 3":     {values: []int{1, 2, 3}, q: 0.99, want: 3},
		"median of 1":   {values: []int{7}, q: 0.5, want: 7},
		"no values":     {q: 0.5, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := quantile(tt.values, tt.q); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestRatio_comparesWithinRounds(t *testing.T) {
	t.Parallel()
	// The machine is ten times slower in the second round. The ratio of the medians is 20.
	if got := ratio([]float64{200, 20, 200}, []float64{100, 10, 10}); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := ratio([]float64{4, 6}, []float64{0, 3}); got != 2 {
		t.Errorf("got %v with a missing round, want 2", got)
	}
}
