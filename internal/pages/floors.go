package pages

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/restclient"
)

// listKey identifies a list of one credential.
type listKey struct {
	credential CredentialKey
	filter     restclient.Filter
}

// floors records for each list which pages are older than a response that a caller has received
// with no-cache. Such pages must not serve again, however they are found: the list would go back in
// time. The zero value is empty. It is safe for concurrent use.
type floors struct {
	count  atomic.Int64 // of all floors; usually zero, so that a lookup takes no lock
	shards [64]floorShard
}

type floorShard struct {
	mu     sync.Mutex
	floors map[listKey]floor
	swept  time.Time // when the expired floors were removed last
}

// floor is the oldest state of a list that may still be shown. Its zero value admits every page.
type floor struct {
	// time is when the newest page of the response was requested. Pages that were requested before
	// are not admitted, apart from those of the response itself.
	time time.Time
	// operation is the time of the response's request. own are the receive times of its pages that
	// were requested before time.
	operation time.Time
	own       []time.Time
	expires   time.Time
}

// admits reports whether a page may be served.
func (f *floor) admits(page FetchTimes) bool {
	return !page.Requested.Before(f.time) || slices.ContainsFunc(f.own, page.Received.Equal)
}

// of returns the floor of a list.
func (f *floors) of(list listKey) floor {
	if f.count.Load() == 0 {
		return floor{}
	}
	s := &f.shards[list.credential[0]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.floors[list]
}

// raise raises the floor of a list after a response to a request of the time operation was made
// from pages. The floor is kept until expires.
func (f *floors) raise(list listKey, operation time.Time, pages []FetchTimes, now, expires time.Time) {
	var newest time.Time
	for _, p := range pages {
		// Replicas exchange times in microseconds.
		newest = latest(newest, p.Requested.Truncate(time.Microsecond))
	}
	s := &f.shards[list.credential[0]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.floors)
	if s.floors == nil {
		s.floors = make(map[listKey]floor)
	}
	raised := s.floors[list]
	raised.expires = latest(raised.expires, expires)
	same := raised.operation.Equal(operation)
	if newest.After(raised.time) {
		raised.time = newest
		if !same {
			raised.operation, raised.own, same = operation, nil, true
		}
	}
	if same {
		raised.own = slices.Clone(raised.own) // the former slice may be in use
		for _, p := range pages {
			if p.Requested.Before(raised.time) {
				raised.own = append(raised.own, p.Received)
			}
		}
	}
	s.floors[list] = raised
	s.sweep(now)
	f.count.Add(int64(len(s.floors) - before))
}

// sweepInterval is how often expired floors are removed.
const sweepInterval = time.Minute

// sweep removes the floors that have expired. The caller holds the lock.
func (s *floorShard) sweep(now time.Time) {
	if since := now.Sub(s.swept); since >= 0 && since < sweepInterval {
		return
	}
	s.swept = now
	for list, f := range s.floors {
		if f.expires.Before(now) {
			delete(s.floors, list)
		}
	}
}
