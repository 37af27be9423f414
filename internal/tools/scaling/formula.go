package main

import "math"

// load is the load of a gateway and its configuration.
type load struct {
	// rates are the requests per second for each page, over all replicas. Pages of different
	// credentials are different pages.
	rates    []float64
	replicas int
	// ttl is the number of seconds for which a page is served, counted from the start of its call.
	// If it is 0, replicas share only calls in flight, and each replica separately.
	ttl   float64
	fetch float64 // mean duration of an upstream call, in seconds
}

// even returns equal rates for n pages. Their sum is total.
func even(n int, total float64) []float64 {
	rates := make([]float64, n)
	for i := range rates {
		rates[i] = total / float64(n)
	}
	return rates
}

// zipf returns rates for n pages. The rate of the k-th page is 1/k of the first page's rate, and
// their sum is total.
func zipf(n int, total float64) []float64 {
	rates := make([]float64, n)
	var unscaled float64
	for i := range rates {
		rates[i] = 1 / float64(i+1)
		unscaled += rates[i]
	}
	for i := range rates {
		rates[i] *= total / unscaled
	}
	return rates
}

// total returns the requests per second for all pages.
func (l load) total() float64 {
	return sum(l, func(_ load, rate float64) float64 { return rate })
}

// minInterval returns the minimum number of seconds between the starts of two calls for a page by
// replicas that share it.
func (l load) minInterval() float64 { return math.Max(l.ttl, l.fetch) }

// formulas are the formulas of docs/scaling.md. Their arguments are a load and the requests per
// second for a page. Their results are events per second.
type formulas struct {
	// alone is the number of upstream calls if replicas do not share pages, and shared if they do.
	alone, shared func(l load, rate float64) float64
	// reads is the number of pages that replicas read from Redis.
	reads func(l load, rate float64) float64
}

func documentedFormulas() formulas {
	alone := func(l load, rate float64) float64 {
		replicas := float64(l.replicas)
		return replicas / (l.minInterval() + replicas/rate)
	}
	shared := func(l load, rate float64) float64 {
		if l.ttl == 0 {
			return alone(l, rate)
		}
		return 1 / (l.minInterval() + 1/rate)
	}
	reads := func(l load, rate float64) float64 {
		if l.ttl == 0 {
			return 0
		}
		replicas := float64(l.replicas)
		return shared(l, rate) * (replicas - 1) * (1 - math.Exp(-rate/replicas*l.minInterval()))
	}
	return formulas{alone, shared, reads}
}

// sum returns the sum of a formula over all pages.
func sum(l load, formula func(load, float64) float64) float64 {
	var total float64
	for _, rate := range l.rates {
		total += formula(l, rate)
	}
	return total
}
