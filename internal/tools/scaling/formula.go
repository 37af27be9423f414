package main

import "math"

// load is what is asked of the gateway, and what it is made of.
type load struct {
	// rates are requests a second for each page that is asked for, over all replicas. A page is one of one credential.
	rates    []float64
	replicas int
	ttl      float64 // seconds that a page is served, from when it was asked for; 0: only calls in flight are shared, and not through Redis
	fetch    float64 // seconds that an upstream call takes, in the mean
}

// even returns the rates of n pages that are asked for equally often, total times a second together.
func even(n int, total float64) []float64 {
	rates := make([]float64, n)
	for i := range rates {
		rates[i] = total / float64(n)
	}
	return rates
}

// zipf returns the rates of n pages of which the k-th is asked for 1/k as often as the first.
func zipf(n int, total float64) []float64 {
	rates := make([]float64, n)
	var sum float64
	for i := range rates {
		rates[i] = 1 / float64(i+1)
		sum += rates[i]
	}
	for i := range rates {
		rates[i] *= total / sum
	}
	return rates
}

// total returns the requests a second for all pages.
func (l load) total() float64 {
	var sum float64
	for _, rate := range l.rates {
		sum += rate
	}
	return sum
}

// quiet returns for how many seconds after a call has begun those who share it begin no other.
func (l load) quiet() float64 { return math.Max(l.ttl, l.fetch) }

// formulae are the arithmetic of docs/scaling.md: upstream calls and reads of Redis a second, for a page asked for rate times a
// second.
type formulae struct {
	// alone are the calls of replicas that share nothing, shared those of replicas that share their pages.
	alone, shared func(l load, rate float64) float64
	// reads are the pages a second that replicas take from Redis.
	reads func(l load, rate float64) float64
}

// ours returns the formulae of docs/scaling.md.
func ours() formulae {
	alone := func(l load, rate float64) float64 {
		replicas := float64(l.replicas)
		return replicas / (l.quiet() + replicas/rate)
	}
	shared := func(l load, rate float64) float64 {
		if l.ttl == 0 {
			return alone(l, rate)
		}
		return 1 / (l.quiet() + 1/rate)
	}
	reads := func(l load, rate float64) float64 {
		if l.ttl == 0 {
			return 0
		}
		replicas := float64(l.replicas)
		return shared(l, rate) * (replicas - 1) * (1 - math.Exp(-rate/replicas*l.quiet()))
	}
	return formulae{alone, shared, reads}
}

// over returns the sum of a formula over all pages.
func over(l load, formula func(load, float64) float64) float64 {
	var sum float64
	for _, rate := range l.rates {
		sum += formula(l, rate)
	}
	return sum
}
