package restclient

import (
	"errors"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/internal/fair"
)

const (
	// A caller of whose attempts separateAfter end within lossTime because their connections or
	// streams end has connections of its own, for separateTime after the last one.
	separateAfter = 2
	lossTime      = 10 * time.Second
	separateTime  = time.Minute
	// maxSeparate is the maximum number of such callers, among the known ones and among the others.
	maxSeparate = 32
)

// pools are pools of connections to one host. All callers share one, until connections are lost. A
// lost connection of HTTP/2 ends the calls of all its callers, and one of HTTP/1.1 closes the idle
// ones, so the callers that lose some are separated from the others and from each other.
type pools struct {
	transport *http.Transport
	endpoint  *url.URL
	shared    *connections
	trouble   atomic.Bool // the fields below are not empty

	mu sync.Mutex
	// callers are callers that have lost a connection. strangers counts the losses of all
	// strangers, who may be invented anew for each call.
	callers   map[fair.Caller]*separation
	strangers separation
}

// separation is the state of a caller that loses connections.
type separation struct {
	begin, last time.Time // of the losses counted
	losses      int
	conns       *connections // of its own, or nil
}

func newPools(transport *http.Transport, endpoint *url.URL) *pools {
	return &pools{
		transport: transport, endpoint: endpoint, shared: newConnections(transport, endpoint),
		callers: make(map[fair.Caller]*separation),
	}
}

// of returns the connections of a caller.
func (p *pools) of(c fair.Caller) *connections {
	if !p.trouble.Load() {
		return p.shared
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for caller, s := range p.callers {
		if time.Since(s.last) >= separateTime {
			delete(p.callers, caller)
		}
	}
	if time.Since(p.strangers.last) >= separateTime {
		p.strangers = separation{}
	}
	if s := p.callers[c]; s != nil && s.conns != nil {
		return s.conns
	}
	if !c.Known && p.strangers.conns != nil {
		return p.strangers.conns
	}
	p.trouble.Store(len(p.callers) > 0 || p.strangers.losses > 0)
	return p.shared
}

// lost records that a caller has lost a connection.
func (p *pools) lost(c fair.Caller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble.Store(true)
	if p.callers[c] == nil {
		p.makeRoom(c.Known)
		p.callers[c] = &separation{}
	}
	p.count(p.callers[c])
	if !c.Known {
		p.count(&p.strangers)
	}
}

// count adds a loss. The caller holds the lock.
func (p *pools) count(s *separation) {
	now := time.Now()
	if now.Sub(s.begin) > lossTime {
		s.begin, s.losses = now, 0
	}
	s.losses++
	s.last = now
	if s.losses >= separateAfter && s.conns == nil {
		s.conns = newConnections(p.transport, p.endpoint)
	}
}

// makeRoom removes the caller of one kind whose last loss is the oldest, if there are too many. The
// caller of this method holds the lock.
func (p *pools) makeRoom(known bool) {
	var oldest fair.Caller
	n := 0
	for c, s := range p.callers {
		if c.Known != known {
			continue
		}
		if n++; n == 1 || s.last.Before(p.callers[oldest].last) {
			oldest = c
		}
	}
	if n >= maxSeparate {
		delete(p.callers, oldest)
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (p *pools) CloseIdleConnections() {
	p.shared.CloseIdleConnections()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.callers {
		s.closeIdle()
	}
	p.strangers.closeIdle()
}

func (s *separation) closeIdle() {
	if s.conns != nil {
		s.conns.CloseIdleConnections()
	}
}

// isLoss reports whether an attempt has ended because its connection or stream did.
func isLoss(err error) bool {
	if e, ok := errors.AsType[*NetworkError](err); ok {
		return e.Kind == KindReset || e.Kind == KindClosed || e.Kind == KindProtocol
	}
	e, ok := errors.AsType[*InvalidResponseError](err)
	return ok && e.Reason == ReasonTruncated
}
