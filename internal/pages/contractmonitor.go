package pages

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/restclient"
)

const (
	// compareEvery is the minimum interval between two compared pages.
	compareEvery = time.Minute
	// compareRetry replaces compareEvery after a document that is not valid JSON.
	compareRetry = time.Second
	// maxReported is the maximum number of differences to remember.
	maxReported = 200
)

// contractMonitor occasionally compares a page from the upstream with the API contract. Callers
// wait for the comparison, which takes a few milliseconds once a minute. Pages are served whatever
// its result. It is safe for concurrent use.
type contractMonitor struct {
	// compared is [CacheObserver.Compared]. If nil, no page is compared.
	compared func(found restclient.Comparison, fresh []restclient.Difference)
	shape    restclient.Shape // of the pages
	// due is the time of the next comparison, in nanoseconds since 1970.
	due atomic.Int64

	mu       sync.Mutex
	reported map[string]struct{}
}

// check compares a document if a comparison is due. The document was requested at the given time
// with the credential. The page is its decoded form, or nil if it was invalid. A page without items
// does not count, because it shows nothing about items.
func (m *contractMonitor) check(requested time.Time, credential restclient.Credential, document []byte, page *Page) {
	due, now := m.due.Load(), requested.UnixNano()
	// Pages may arrive in another order than they were requested, so wait can exceed compareEvery.
	// If it exceeds twice that time, the clock was set back.
	if wait := due - now; wait > 0 && wait <= 2*int64(compareEvery) {
		return
	}
	if m.compared == nil || document == nil || page != nil && page.Len() == 0 || !m.due.CompareAndSwap(due, now+int64(compareEvery)) {
		return
	}
	found, err := m.shape.Compare(document, credential)
	switch {
	case err != nil:
		m.due.CompareAndSwap(now+int64(compareEvery), now+int64(compareRetry))
	case found.Items == 0 && found.Differences == nil:
		m.due.CompareAndSwap(now+int64(compareEvery), due)
	default:
		m.compared(found, m.unreported(found.Differences))
	}
}

// unreported returns the differences that it has not returned before. It returns none once it
// remembers maxReported differences.
func (m *contractMonitor) unreported(differences []restclient.Difference) (fresh []restclient.Difference) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range differences {
		key := string(d.Kind) + " " + d.Path + " " + strings.Join(d.Got, " ")
		if _, known := m.reported[key]; known || len(m.reported) == maxReported {
			continue
		}
		if m.reported == nil {
			m.reported = make(map[string]struct{})
		}
		m.reported[key] = struct{}{}
		fresh = append(fresh, d)
	}
	return fresh
}
