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

// Call is how an operation came by a page.
type Call struct {
	Request restclient.PageRequest
	// Reason is what the page was first asked for.
	Reason string
	// Cached says that the page was at hand, and no call was made.
	Cached bool
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
	source     Source
	credential restclient.Credential

	open    sync.Once // of what calls take
	slots   chan struct{}
	batches *dataloader.Loader[restclient.PageRequest, *Page]

	mu    sync.Mutex
	asked []asked
	calls []Call

	// room is for the one page that most operations take.
	room struct {
		asked [1]asked
		calls [1]Call
	}
}

// asked is a page that was asked for.
type asked struct {
	request restclient.PageRequest
	reason  string
	page    *Page // nil until it is loaded
	anew    bool  // whether it is to be fetched although it may be at hand
}

// NewLoader returns a loader that holds no pages yet. The credential is bound to it for good, so that no page can reach another
// caller.
func NewLoader(source Source, credential restclient.Credential) *Loader {
	l := &Loader{source: source, credential: credential}
	l.asked, l.calls = l.room.asked[:0], l.room.calls[:0]
	return l
}

// Load returns the pages in the order of the requests, fetching in parallel those that are not at hand. The error is that of
// the first request that failed, as the source returned it. Pages are shared: callers do not change them.
func (l *Loader) Load(ctx context.Context, reason string, requests []restclient.PageRequest) ([]*Page, error) {
	pages := make([]*Page, len(requests))
	if l.held(reason, requests, pages) {
		return pages, nil
	}
	l.open.Do(l.prepare)
	thunks := make([]dataloader.Thunk[*Page], len(requests))
	for i, request := range requests {
		if pages[i] == nil {
			thunks[i] = l.batches.Load(ctx, request)
		}
	}
	// Everything this call needs is queued, so the batch does not wait for the dataloader's timer.
	l.batches.Flush()

	var first error
	for i, thunk := range thunks {
		if thunk == nil {
			continue
		}
		page, err := thunk()
		if err != nil && first == nil {
			first = err
		}
		pages[i] = page
	}
	return pages, first
}

// held fills in the pages that are at hand, and says whether those are all.
func (l *Loader) held(reason string, requests []restclient.PageRequest, pages []*Page) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := true
	for i, request := range requests {
		a := l.find(request)
		if a == nil {
			l.asked = append(l.asked, asked{request: request, reason: reason})
			a = &l.asked[len(l.asked)-1]
		}
		if a.page == nil && !a.anew {
			if page, ok := l.source.Held(l.credential, request); ok {
				a.page = page
				l.calls = append(l.calls, Call{
					Request: request, Reason: a.reason, Cached: true, Status: http.StatusOK, Bytes: page.Bytes(), Items: page.Len(),
				})
			}
		}
		pages[i] = a.page
		all = all && a.page != nil
	}
	return all
}

// find returns what was asked for before, nil for a new request. The caller holds the lock.
func (l *Loader) find(request restclient.PageRequest) *asked {
	for i := range l.asked {
		if l.asked[i].request == request {
			return &l.asked[i]
		}
	}
	return nil
}

// prepare makes the dataloader, which sees to it that fields which ask for the same page at the same time share a call.
func (l *Loader) prepare() {
	l.slots = make(chan struct{}, parallelCalls)
	load := func(ctx context.Context, request restclient.PageRequest) *dataloader.Result[*Page] {
		page, err := l.fetch(ctx, request)
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
	}, dataloader.WithInputCapacity[restclient.PageRequest, *Page](parallelCalls))
}

func (l *Loader) fetch(ctx context.Context, request restclient.PageRequest) (*Page, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	begun := time.Now()
	page, err := l.source.Fetch(ctx, l.credential, request)
	call := Call{Request: request, Duration: time.Since(begun)}

	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.find(request)
	call.Reason = a.reason
	if err != nil {
		if status, ok := errors.AsType[*restclient.StatusError](err); ok {
			call.Status = status.StatusCode
		}
	} else {
		a.page = page
		call.Status, call.Bytes, call.Items = http.StatusOK, page.Bytes(), page.Len()
	}
	l.calls = append(l.calls, call)
	return page, err
}

// Forget makes the next Load of the requests fetch them anew.
func (l *Loader) Forget(ctx context.Context, requests ...restclient.PageRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, request := range requests {
		if a := l.find(request); a != nil {
			a.page, a.anew = nil, true
		}
		if l.batches != nil {
			l.batches.Clear(ctx, request)
		}
	}
}

// Whole returns the request of a loaded page that holds all of a list.
func (l *Loader) Whole(filter restclient.Filter) (restclient.PageRequest, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.asked {
		if a.page != nil && a.request.Filter == filter && a.request.Page == 1 && a.page.Len() == a.page.Total {
			return a.request, true
		}
	}
	return restclient.PageRequest{}, false
}

// Calls returns how the operation came by its pages so far, in the order in which it did.
func (l *Loader) Calls() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Call(nil), l.calls...)
}
