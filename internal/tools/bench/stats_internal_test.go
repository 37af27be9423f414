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
		"one":                      {[]float64{3}, 3},
		"an odd number, unordered": {[]float64{9, 1, 4}, 4},
		"an even number":           {[]float64{1, 100, 2, 3}, 2.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := median(tt.values); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("got %v for nothing, want no number", got)
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
		"half of a hundred":       {hundred, 0.5, 50},
		"99 of a hundred":         {hundred, 0.99, 99},
		"all":                     {hundred, 1, 100},
		"none":                    {hundred, 0, 1},
		"99 % of few is the last": {[]int{1, 2, 3}, 0.99, 3},
		"of one":                  {[]int{7}, 0.5, 7},
		"of nothing":              {nil, 0.5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := quantile(tt.values, tt.q); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestARatioIsTakenWithinItsRound(t *testing.T) {
	t.Parallel()
	// The machine is ten times as slow in the second round: the ratio of the medians would be 20.
	if got := ratio([]float64{200, 20, 200}, []float64{100, 10, 10}); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := ratio([]float64{4, 6}, []float64{0, 3}); got != 2 {
		t.Errorf("got %v with a round that was not run, want 2", got)
	}
}
