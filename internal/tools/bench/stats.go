package main

import (
	"cmp"
	"math"
	"slices"
)

// median returns the median of the values. If there are no values, it returns NaN.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// quantile returns the q-quantile of sorted values by the nearest-rank method. If there are no
// values, it returns 0.
func quantile[T cmp.Ordered](sorted []T, q float64) T {
	if len(sorted) == 0 {
		var zero T
		return zero
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// ratio returns the median of a[i] / b[i]. Ratios within a round vary less than medians of rounds,
// because the machine's speed varies between rounds. Rounds in which b[i] is 0 are ignored.
func ratio(a, b []float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	return median(ratios)
}
