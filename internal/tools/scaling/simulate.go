package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
)

// Durations of Redis in seconds: a round trip, and the first and the longest pause of a replica
// that waits for a page of another replica. The formulas ignore them.
const (
	redisRoundTrip = 0.0005
	firstPause     = 0.005
	longestPause   = 0.05
)

// outcome has the counts of a simulation.
type outcome struct {
	requests int
	calls    int // upstream calls
	reads    int // pages read from Redis
	seconds  float64
}

// perSecond returns the rate of a count.
func (o outcome) perSecond(count int) float64 { return float64(count) / o.seconds }

// simulation is a discrete-event simulation of replicas. Requests arrive at random times, at random
// replicas, for random pages according to their rates.
type simulation struct {
	load
	sharing    bool // replicas share pages through Redis
	outcome    outcome
	rng        *rand.Rand
	now        float64
	events     events
	cumulative []float64 // by page: the sum of the rates up to this page
	local      []entry   // by page and replica
	redis      []entry   // by page
}

// entry is a page in a cache.
type entry struct {
	expiresAt float64
	// busy reports whether a replica fetches the page or waits for it. For Redis, it reports
	// whether a replica has the lock.
	busy bool
}

type kind int

const (
	redisReply kind = iota
	upstreamReply
)

type event struct {
	at            float64
	kind          kind
	page, replica int
	calledAt      float64 // upstreamReply: the start of the call
	pause         float64 // redisReply: the pause before the next attempt
}

// events is a heap of future events. The next event is the first element.
type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

// simulate runs a simulation until it has served about the given number of requests and has lasted
// for the given number of page lifetimes. A warm-up of three lifetimes is not counted.
func simulate(l load, sharing bool, seed uint64, requests, lifetimes int) outcome {
	s := &simulation{
		load: l, sharing: sharing && l.ttl > 0, rng: rand.New(rand.NewPCG(seed, 0)),
		cumulative: make([]float64, len(l.rates)), local: make([]entry, len(l.rates)*l.replicas), redis: make([]entry, len(l.rates)),
	}
	var total float64
	for i, rate := range l.rates {
		total += rate
		s.cumulative[i] = total
	}
	// Pages have random ages at first. If they had the same age, they would be fetched at the same
	// times forever.
	lifetime := l.ttl + l.fetch
	for page := range s.redis {
		s.redis[page].expiresAt = s.rng.Float64() * lifetime
		for replica := range l.replicas {
			at := s.rng.Float64() * lifetime
			if s.sharing {
				at = s.redis[page].expiresAt
			}
			s.local[page*l.replicas+replica].expiresAt = at
		}
	}
	s.run(3 * lifetime)
	start := s.now
	s.outcome = outcome{seconds: math.Max(float64(requests)/total, float64(lifetimes)*lifetime)}
	s.run(start + s.outcome.seconds)
	return s.outcome
}

// run advances the simulation to a time.
func (s *simulation) run(until float64) {
	total := s.cumulative[len(s.cumulative)-1]
	next := s.now + s.rng.ExpFloat64()/total
	for {
		if len(s.events) > 0 && s.events[0].at < next {
			if s.events[0].at >= until {
				break
			}
			e := heap.Pop(&s.events).(event)
			s.now = e.at
			s.handle(e)
			continue
		}
		if next >= until {
			break
		}
		s.now = next
		page, _ := slices.BinarySearch(s.cumulative, s.rng.Float64()*total)
		s.request(min(page, len(s.rates)-1), s.rng.IntN(s.replicas))
		next = s.now + s.rng.ExpFloat64()/total
	}
	s.now = until
}

// request handles a request. If the page is neither cached nor already being fetched by the
// replica, the replica asks Redis or calls the upstream.
func (s *simulation) request(page, replica int) {
	s.outcome.requests++
	local := &s.local[page*s.replicas+replica]
	if s.now < local.expiresAt || local.busy {
		return
	}
	local.busy = true
	if s.sharing {
		heap.Push(&s.events, event{at: s.now + redisRoundTrip, kind: redisReply, page: page, replica: replica, pause: firstPause})
		return
	}
	s.call(page, replica)
}

// call starts an upstream call. Its duration is uniformly distributed between 0.5 and 1.5 times the
// mean.
func (s *simulation) call(page, replica int) {
	s.outcome.calls++
	duration := s.fetch * (0.5 + s.rng.Float64())
	heap.Push(&s.events, event{at: s.now + duration, kind: upstreamReply, page: page, replica: replica, calledAt: s.now})
}

func (s *simulation) handle(e event) {
	local, shared := &s.local[e.page*s.replicas+e.replica], &s.redis[e.page]
	switch e.kind {
	case redisReply:
		switch {
		case s.now < shared.expiresAt:
			s.outcome.reads++
			local.expiresAt, local.busy = shared.expiresAt, false
		case shared.busy:
			e.at = s.now + e.pause*(0.5+s.rng.Float64()/2) + redisRoundTrip
			e.pause = math.Min(e.pause*1.5, longestPause)
			heap.Push(&s.events, e)
		default:
			shared.busy = true
			s.call(e.page, e.replica)
		}
	case upstreamReply:
		local.expiresAt, local.busy = e.calledAt+s.ttl, false
		if s.sharing {
			shared.expiresAt, shared.busy = local.expiresAt, false
		}
	}
}
