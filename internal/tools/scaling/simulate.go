package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
)

// What Redis costs, in seconds: a round trip, and the pauses of a replica that waits for another's page, at first and at most.
// The formulae leave both out.
const (
	redisTrip  = 0.0005
	firstPause = 0.005
	lastPause  = 0.05
)

// outcome is what happened in a simulation.
type outcome struct {
	requests, calls, reads int
	seconds                float64
}

// each returns how often a second something happened.
func (o outcome) each(n int) float64 { return float64(n) / o.seconds }

// simulation is replicas that serve requests, event by event. Requests come at random moments, each for a page by the pages'
// rates, and each to any replica.
type simulation struct {
	load
	sharing bool // through Redis
	outcome outcome
	rng     *rand.Rand
	now     float64
	events  events
	upTo    []float64 // by page: the sum of the rates up to it
	local   []copied  // by page and replica
	redis   []copied  // by page; busy while somebody has the lock
}

// copied is a page in a cache.
type copied struct {
	staleAt float64
	busy    bool // being fetched, or waited for
}

type kind int

const (
	asked   kind = iota // a replica's answer from Redis is there
	fetched             // the upstream's answer is there
)

type event struct {
	at            float64
	kind          kind
	page, replica int
	begun         float64 // of a call, when it began
	pause         float64 // of a question to Redis, before the next one
}

// events is a heap of what is to come, the next one first.
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

// simulate serves at least so many requests, and for at least so many lives of a page. What comes before is to forget how it
// began and does not count.
func simulate(l load, sharing bool, seed uint64, requests, lives int) outcome {
	s := &simulation{
		load: l, sharing: sharing && l.ttl > 0, rng: rand.New(rand.NewPCG(seed, 0)),
		upTo: make([]float64, len(l.rates)), local: make([]copied, len(l.rates)*l.replicas), redis: make([]copied, len(l.rates)),
	}
	var sum float64
	for i, rate := range l.rates {
		sum += rate
		s.upTo[i] = sum
	}
	// Pages are of any age at the beginning: had all been fetched at the same moment, they would be so again and again.
	life := l.ttl + l.fetch
	for page := range s.redis {
		s.redis[page].staleAt = s.rng.Float64() * life
		for replica := range l.replicas {
			at := s.rng.Float64() * life
			if s.sharing {
				at = s.redis[page].staleAt
			}
			s.local[page*l.replicas+replica].staleAt = at
		}
	}
	s.run(3 * life)
	begun := s.now
	s.outcome = outcome{seconds: math.Max(float64(requests)/sum, float64(lives)*life)}
	s.run(begun + s.outcome.seconds)
	return s.outcome
}

// run goes on until the time is over.
func (s *simulation) run(until float64) {
	total := s.upTo[len(s.upTo)-1]
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
		page, _ := slices.BinarySearch(s.upTo, s.rng.Float64()*total)
		s.request(min(page, len(s.rates)-1), s.rng.IntN(s.replicas))
		next = s.now + s.rng.ExpFloat64()/total
	}
	s.now = until
}

// request is answered from what the replica has, or waits for what the replica is waiting for, or has it ask.
func (s *simulation) request(page, replica int) {
	s.outcome.requests++
	c := &s.local[page*s.replicas+replica]
	if s.now < c.staleAt || c.busy {
		return
	}
	c.busy = true
	if s.sharing {
		heap.Push(&s.events, event{at: s.now + redisTrip, kind: asked, page: page, replica: replica, pause: firstPause})
		return
	}
	s.call(page, replica)
}

// call begins an upstream call, which takes from half to one and a half times the mean.
func (s *simulation) call(page, replica int) {
	s.outcome.calls++
	took := s.fetch * (0.5 + s.rng.Float64())
	heap.Push(&s.events, event{at: s.now + took, kind: fetched, page: page, replica: replica, begun: s.now})
}

func (s *simulation) handle(e event) {
	c, r := &s.local[e.page*s.replicas+e.replica], &s.redis[e.page]
	switch e.kind {
	case asked:
		switch {
		case s.now < r.staleAt:
			s.outcome.reads++
			c.staleAt, c.busy = r.staleAt, false
		case r.busy:
			e.at = s.now + e.pause*(0.5+s.rng.Float64()/2) + redisTrip
			e.pause = math.Min(e.pause*1.5, lastPause)
			heap.Push(&s.events, e)
		default:
			r.busy = true
			s.call(e.page, e.replica)
		}
	case fetched:
		c.staleAt, c.busy = e.begun+s.ttl, false
		if s.sharing {
			r.staleAt, r.busy = c.staleAt, false
		}
	}
}
