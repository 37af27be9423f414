// Package pages loads pages of the upstream's list, each at most once an operation.
package pages

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"cvmgraph/restclient"
)

// parallelCalls bounds how many upstream calls one operation has in flight.
const parallelCalls = 16

// Call is an upstream call that an operation made.
type Call struct {
	Request restclient.PageRequest
	// Reason is what the page was first asked for.
	Reason string
	// Status is the HTTP status, 0 where there was none.
	Status int
	// Duration is how long the call took.
	Duration time.Duration
	// Bytes and Items are the size of the page, 0 where the call failed.
	Bytes, Items int
}

// Loader loads pages for one operation with one credential. A page is asked for once, however many fields of the
// operation need it; a page that failed may be asked for again. It is safe for concurrent use.
type Loader struct {
	batches *dataloader.Loader[restclient.PageRequest, *Page]
	slots   chan struct{}

	mu      sync.Mutex
	reasons map[restclient.PageRequest]string
	calls   []Call
	whole   map[restclient.Filter]restclient.PageRequest
}

// NewLoader returns a loader that holds no pages yet. The credential is bound to it for good, so that no page can reach another
// caller.
func NewLoader(fetch Fetch, credential restclient.Credential) *Loader {
	l := &Loader{
		slots:   make(chan struct{}, parallelCalls),
		reasons: make(map[restclient.PageRequest]string),
		whole:   make(map[restclient.Filter]restclient.PageRequest),
	}
	load := func(ctx context.Context, request restclient.PageRequest) *dataloader.Result[*Page] {
		page, err := l.fetch(ctx, fetch, credential, request)
		if err != nil {
			return &dataloader.Result[*Page]{Error: dataloader.NewSkipCacheError(err)}
		}
		return &dataloader.Result[*Page]{Data: page}
	}
	l.batches = dataloader.NewBatchedLoader(func(ctx context.Context, requests []restclient.PageRequest) []*dataloader.Result[*Page] {
		results := make([]*dataloader.Result[*Page], len(requests))
		var group sync.WaitGroup
		for i, request := range requests[1:] {
			group.Go(func() { results[i+1] = load(ctx, request) })
		}
		results[0] = load(ctx, requests[0])
		group.Wait()
		return results
	})
	return l
}

func (l *Loader) fetch(ctx context.Context, fetch Fetch, credential restclient.Credential, request restclient.PageRequest) (*Page, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	begun := time.Now()
	page, err := fetch(ctx, credential, request)
	call := Call{Request: request, Duration: time.Since(begun)}

	l.mu.Lock()
	defer l.mu.Unlock()
	call.Reason = l.reasons[request]
	if err != nil {
		if status, ok := errors.AsType[*restclient.StatusError](err); ok {
			call.Status = status.StatusCode
		}
	} else {
		call.Status, call.Bytes, call.Items = http.StatusOK, page.Bytes(), page.Len()
		if request.Page == 1 && page.Len() == page.Total {
			l.whole[request.Filter] = request
		}
	}
	l.calls = append(l.calls, call)
	return page, err
}

// Load returns the pages in the order of the requests, fetching in parallel those that the operation does not have yet. The
// error is that of the first request that failed, as the client returned it. Pages are shared: callers do not change them.
func (l *Loader) Load(ctx context.Context, reason string, requests []restclient.PageRequest) ([]*Page, error) {
	l.mu.Lock()
	for _, request := range requests {
		if _, ok := l.reasons[request]; !ok {
			l.reasons[request] = reason
		}
	}
	l.mu.Unlock()

	thunks := make([]dataloader.Thunk[*Page], len(requests))
	for i, request := range requests {
		thunks[i] = l.batches.Load(ctx, request)
	}
	// Everything this call needs is queued, so the batch does not wait for the dataloader's timer.
	l.batches.Flush()

	pages := make([]*Page, len(requests))
	var first error
	for i, thunk := range thunks {
		page, err := thunk()
		if err != nil && first == nil {
			first = err
		}
		pages[i] = page
	}
	return pages, first
}

// Forget makes the next Load of the requests fetch them anew.
func (l *Loader) Forget(ctx context.Context, requests ...restclient.PageRequest) {
	for _, request := range requests {
		l.batches.Clear(ctx, request)
	}
}

// Whole returns the request of a loaded page that holds all of a list.
func (l *Loader) Whole(filter restclient.Filter) (restclient.PageRequest, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	request, ok := l.whole[filter]
	return request, ok
}

// Calls returns the calls that have ended so far, in the order of their end.
func (l *Loader) Calls() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Call(nil), l.calls...)
}
