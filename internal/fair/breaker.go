package fair

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// The breaker opens if there have been outageFailures failures within outageTime, of which each
	// token counts at most failuresPerToken, and no call of any caller was healthy in that time.
	outageFailures   = 20
	failuresPerToken = 5
	outageTime       = 10 * time.Second
	// While it is open, each token has one probe at a time, and none for probePause after a failed
	// one. There are at most maxProbes of known callers at a time, and strangerProbes of all
	// others.
	probePause                = 5 * time.Second
	maxProbes, strangerProbes = 16, 4
)

// Result is what the end of an attempt shows about the upstream.
type Result int

// The values of Result.
const (
	Unknown Result = iota
	Healthy
	Failing
)

// Breaker stops most attempts of all callers while the whole upstream fails. It opens only if
// several known callers fail and none succeeds. A single success of any caller closes it, so a
// caller whose calls succeed does not depend on the others.
//
// It is safe for concurrent use.
type Breaker struct {
	changed func(open bool)
	start   time.Time
	// healthy is the time of the last healthy result, since start.
	healthy atomic.Int64
	open    atomic.Bool

	mu sync.Mutex
	// failures counts the failures of each token in the current period, while the breaker is
	// closed.
	failures map[uint64]int
	counted  int
	period   time.Duration // its begin, since start

	opened  uint64 // how often
	probing int    // probes of known callers in flight
	// resting has the times, since start, when each token may have another probe. strangers has
	// those of all callers that are not known.
	resting   map[uint64]time.Duration
	strangers [strangerProbes]time.Duration
}

// inFlight is the resting time of a probe that has not ended.
const inFlight time.Duration = 1<<63 - 1

// NewBreaker returns a closed breaker. It calls changed when it opens or closes. changed must not
// call the breaker.
func NewBreaker(changed func(open bool)) *Breaker {
	return &Breaker{changed: changed, start: time.Now(), failures: make(map[uint64]int), resting: make(map[uint64]time.Duration)}
}

// State reports whether the breaker is open, and whether a probe is in flight.
func (b *Breaker) State() (open, probing bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open.Load(), b.probing > 0
}

// Probe is the right to an attempt while the breaker is open. It is 0 while the breaker is closed.
type Probe uint64

// Wait returns how long the caller must wait for a probe, or 0.
func (b *Breaker) Wait(c Caller) time.Duration {
	if !b.open.Load() {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, wait := b.next(c)
	return wait
}

// Begin returns a probe, or how long the caller must wait for one.
func (b *Breaker) Begin(c Caller) (Probe, time.Duration) {
	if !b.open.Load() {
		return 0, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	slot, wait := b.next(c)
	switch {
	case wait > 0:
		return 0, wait
	case !b.open.Load():
		return 0, 0
	case c.Known:
		b.resting[c.Key] = inFlight
		b.probing++
	default:
		b.strangers[slot] = inFlight
	}
	return Probe(b.opened), 0
}

// next returns how long the caller must wait for a probe, and its slot if it is not known. The
// caller holds the lock.
func (b *Breaker) next(c Caller) (slot int, wait time.Duration) {
	if !b.open.Load() {
		return 0, 0
	}
	now := time.Since(b.start)
	if c.Known {
		wait = b.resting[c.Key] - now
		if wait <= 0 && b.probing >= maxProbes {
			wait = probePause
		}
	} else {
		for i, until := range b.strangers {
			if until < b.strangers[slot] {
				slot = i
			}
		}
		wait = b.strangers[slot] - now
	}
	return slot, min(max(wait, 0), probePause)
}

// End records the result of an attempt.
func (b *Breaker) End(c Caller, p Probe, result Result) {
	now := time.Since(b.start)
	if result == Healthy {
		b.healthy.Store(int64(now))
		if !b.open.Load() {
			return
		}
	}
	if p == 0 && (result == Unknown || result == Failing && !c.Known) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.open.Load()
	if before && uint64(p) == b.opened {
		b.rest(c, now+probePause)
	}
	switch {
	case result == Healthy:
		b.open.Store(false)
	case result == Failing && c.Known && !before:
		b.fail(c.Key, now)
	}
	if after := b.open.Load(); after != before {
		b.changed(after)
	}
}

// rest ends a probe. Its caller has the next one at a time. The caller of this method holds the
// lock.
func (b *Breaker) rest(c Caller, until time.Duration) {
	if c.Known {
		b.resting[c.Key] = until
		b.probing--
		return
	}
	for i, u := range b.strangers {
		if u == inFlight {
			b.strangers[i] = until
			return
		}
	}
}

// fail counts a failure, and opens the breaker if there is enough evidence. The caller holds the
// lock.
func (b *Breaker) fail(token uint64, now time.Duration) {
	if now-b.period > outageTime {
		clear(b.failures)
		b.counted, b.period = 0, now
	}
	if b.counted < outageFailures && b.failures[token] < failuresPerToken {
		b.failures[token]++
		b.counted++
	}
	if b.counted < outageFailures || now-time.Duration(b.healthy.Load()) < outageTime {
		return
	}
	b.opened++
	b.probing = 0
	clear(b.strangers[:])
	b.resting = make(map[uint64]time.Duration)
	for failed := range maps.Keys(b.failures) { // they need no other probe to show that they fail
		b.resting[failed] = now + probePause
	}
	b.open.Store(true)
}
