package pages

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/restclient"
)

const (
	// compareEvery is how often a page is compared with the contract, at most.
	compareEvery = time.Minute
	// compareAgain is when the next one is compared after one that is no JSON, and shows nothing.
	compareRetry = time.Second
	// maxTold is how many differences are remembered, so that they are not told again.
	maxReported = 200
)

// sentinel compares a page of the upstream with its contract now and then. Callers wait for it, a few ms once a minute, and pages are
// served whatever it finds. It is safe for concurrent use.
type contractMonitor struct {
	// compared is told what was found, and which differences it is told for the first time; nil: nothing is compared.
	compared func(found restclient.Comparison, fresh []restclient.Difference)
	// due is when the next page is compared, in nanoseconds since 1970.
	due atomic.Int64

	mu       sync.Mutex
	reported map[string]struct{}
}

// look compares a document that was fetched then with the credential, where it is time. The page is what was made of it, nil where it was
// refused. A page without items does not count: it shows nothing.
func (s *contractMonitor) check(at time.Time, credential restclient.Credential, document []byte, page *Page) {
	due, now := s.due.Load(), at.UnixNano()
	// Longer than a minute where another page, asked for later, has come before; and much longer where the clock was set back.
	if wait := due - now; wait > 0 && wait <= 2*int64(compareEvery) {
		return
	}
	if s.compared == nil || document == nil || page != nil && page.Len() == 0 || !s.due.CompareAndSwap(due, now+int64(compareEvery)) {
		return
	}
	found, err := restclient.Compare(document, credential)
	switch {
	case err != nil:
		s.due.CompareAndSwap(now+int64(compareEvery), now+int64(compareRetry))
	case found.Items == 0 && found.Differences == nil:
		s.due.CompareAndSwap(now+int64(compareEvery), due)
	default:
		s.compared(found, s.unreported(found.Differences))
	}
}

// fresh returns the differences that it has not returned before, as far as there is room to remember them.
func (s *contractMonitor) unreported(differences []restclient.Difference) (fresh []restclient.Difference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range differences {
		key := string(d.Kind) + " " + d.Path + " " + strings.Join(d.Got, " ")
		if _, told := s.reported[key]; told || len(s.reported) == maxReported {
			continue
		}
		if s.reported == nil {
			s.reported = make(map[string]struct{})
		}
		s.reported[key] = struct{}{}
		fresh = append(fresh, d)
	}
	return fresh
}
