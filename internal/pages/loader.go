// Package pages loads pages of the upstream's list, each at most once an operation.
package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"cvmgraph/internal/panics"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// parallelCalls bounds how many upstream calls one operation has in flight.
const parallelCalls = 16

// Call is how an operation came by a page.
type PageLoad struct {
	Request restclient.PageRequest
	// Reason is what the page was first asked for.
	Reason string
	// Cached says that the page was at hand and no call was made, Coalesced that somebody else's call brought it, and Stale that it is
	// older than it should be.
	Cached, Coalesced, Stale bool
	// Attempts is how many the call took, 0 where none was made.
	Attempts uint8
	// Age is how long ago the upstream sent the page.
	Age time.Duration
	// Status is the HTTP status, 0 where there was none.
	Status int
	// Begun is when the call began, in nanoseconds since 1970, 0 where none was made; Duration is how long it took, with all of its
	// attempts.
	Started  int64
	Duration time.Duration
	// Bytes and Items are the size of the page, 0 where the call failed.
	Bytes, Items int
}

// Allowance is how many upstream calls an operation may make. Pages that are at hand, and calls of somebody else, are free.
type CallBudget struct {
	// Calls is how many in all.
	Calls int
	// Windows is how many of them are kept for the pages of windows and for totals: at most Calls. Where more are needed, because the
	// list moves, they are taken from the others.
	WindowCalls int
}

// CallsError says that an operation would take more upstream calls than it may.
type CallBudgetError struct {
	// Limit is how many it may take, and Actual how many it would take, or more.
	Limit, Actual int
}

func (e *CallBudgetError) Error() string {
	return fmt.Sprintf("this takes %d upstream calls or more: at most %d are allowed for one operation", e.Actual, e.Limit)
}

// Loader loads pages for one operation with one credential. A page is asked for once, however many fields of the
// operation need it; a page that failed may be asked for again. It is safe for concurrent use.
type Loader struct {
	source     Source
	credential restclient.Credential
	key        CredentialKey
	since      time.Time // pages that were asked for earlier are not good enough; zero: all are
	budget     CallBudget
	sequential bool // one load follows another

	mu     sync.Mutex
	states []pageState
	loads  []PageLoad
	used   CallBudget // calls, of which the latter were kept for windows
	// What calls of several fields take, nil until there are any.
	slots   chan struct{}
	batches *dataloader.Loader[restclient.PageRequest, FetchResult]

	// room is for the one page that most operations take.
	room struct {
		asked [1]pageState
		calls [1]PageLoad
	}
}

// asked is a page that was asked for.
type pageState struct {
	request restclient.PageRequest
	reason  string
	result  FetchResult // without a page until it is loaded
	since   time.Time   // when the page may have been asked for at the earliest, zero where that does not matter
}

// NewLoader returns a loader that holds no pages yet. The credential is bound to it for good, so that no page can reach another
// caller. Pages that were asked for before since are not good enough; zero: all are. Alone says that one field loads all pages, one
// Load after another, so that there is nobody to share them with: then it must not be used concurrently.
func NewLoader(source Source, credential restclient.Credential, key CredentialKey, since time.Time, allowed CallBudget, alone bool) *Loader {
	l := &Loader{source: source, credential: credential, key: key, since: since, budget: allowed, sequential: alone}
	l.states, l.loads = l.room.asked[:0], l.room.calls[:0]
	return l
}

// Extents appends which pages of a list are at hand that show it since then, those that came last first.
func (l *Loader) CachedPages(dst []relay.CachedPage, filter restclient.Filter, since time.Time) []relay.CachedPage {
	return l.source.CachedPages(dst, l.key, filter, latest(l.since, since))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Load returns the pages in the order of the requests, fetching in parallel those that are not at hand. The error is that of
// the first request that failed, as the source returned it, or a *[CallsError]. Pages are shared: callers do not change them. All of them show the list
// since then; zero: at any time.
func (l *Loader) Load(ctx context.Context, reason string, requests []restclient.PageRequest, since time.Time) ([]FetchResult, error) {
	pages := make([]FetchResult, len(requests))
	if l.loadCached(ctx, reason, requests, latest(l.since, since), pages) {
		return pages, nil
	}
	if l.sequential && len(requests) == 1 {
		var err error
		pages[0], err = l.fetch(ctx, requests[0])
		return pages, err
	}
	batches := l.dataloader()
	thunks := make([]dataloader.Thunk[FetchResult], len(requests))
	for i, request := range requests {
		if pages[i].Page == nil {
			thunks[i] = batches.Load(ctx, request)
		}
	}
	// Everything this call needs is queued, so the batch does not wait for the dataloader's timer.
	batches.Flush()

	var first error
	for i, thunk := range thunks {
		if thunk == nil {
			continue
		}
		got, err := thunk()
		if err == nil && !got.satisfies(latest(l.since, since)) { // another field did not mind
			got, err = l.fetchLimited(ctx, requests[i])
		}
		if err != nil && first == nil {
			first = err
		}
		pages[i] = got
	}
	return pages, first
}

// held fills in the pages that are at hand, and says whether those are all.
func (l *Loader) loadCached(ctx context.Context, reason string, requests []restclient.PageRequest, since time.Time, pages []FetchResult) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := true
	for i, request := range requests {
		a := l.find(request)
		if a == nil {
			l.states = append(l.states, pageState{request: request, reason: reason, since: since})
			a = &l.states[len(l.states)-1]
		}
		if a.since = latest(a.since, since); a.result.Page != nil && !a.result.satisfies(a.since) {
			l.invalidate(ctx, a)
		}
		if a.result.Page == nil {
			if got, ok := l.source.Cached(l.key, request); ok && got.showsListAt(a.since) {
				a.result = got
				l.loads = append(l.loads, PageLoad{
					Request: request, Reason: a.reason, Cached: true, Age: got.Age, Status: http.StatusOK, Bytes: got.BodySize(), Items: got.Len(),
				})
			}
		}
		pages[i] = a.result
		all = all && a.result.Page != nil
	}
	return all
}

// find returns what was asked for before, nil for a new request. The caller holds the lock.
func (l *Loader) find(request restclient.PageRequest) *pageState {
	for i := range l.states {
		if l.states[i].request == request {
			return &l.states[i]
		}
	}
	return nil
}

// open returns the dataloader, which sees to it that fields which ask for the same page at the same time share a call.
func (l *Loader) dataloader() *dataloader.Loader[restclient.PageRequest, FetchResult] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batches != nil {
		return l.batches
	}
	l.slots = make(chan struct{}, parallelCalls)
	load := func(ctx context.Context, request restclient.PageRequest) (result *dataloader.Result[FetchResult]) {
		defer func() { // the dataloader would write the value to the log, and a goroutine of the group end the program
			if value := recover(); value != nil {
				result = &dataloader.Result[FetchResult]{Error: dataloader.NewSkipCacheError(panics.FromRecover(value))}
			}
		}()
		got, err := l.fetchLimited(ctx, request)
		if err != nil {
			return &dataloader.Result[FetchResult]{Error: dataloader.NewSkipCacheError(err)}
		}
		return &dataloader.Result[FetchResult]{Data: got}
	}
	l.batches = dataloader.NewBatchedLoader(func(ctx context.Context, requests []restclient.PageRequest) []*dataloader.Result[FetchResult] {
		results := make([]*dataloader.Result[FetchResult], len(requests))
		var group sync.WaitGroup
		for i, request := range requests[1:] {
			group.Go(func() { results[i+1] = load(ctx, request) })
		}
		results[0] = load(ctx, requests[0])
		group.Wait()
		return results
	}, dataloader.WithInputCapacity[restclient.PageRequest, FetchResult](parallelCalls))
	return l.batches
}

// fetch waits until there are few enough calls in flight, and calls.
func (l *Loader) fetchLimited(ctx context.Context, request restclient.PageRequest) (FetchResult, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return FetchResult{}, context.Cause(ctx)
	}
	return l.fetch(ctx, request)
}

// call gets a page from the source, and notes how.
func (l *Loader) fetch(ctx context.Context, request restclient.PageRequest) (FetchResult, error) {
	l.mu.Lock()
	a := l.find(request)
	reason, since := a.reason, a.since
	kept, err := l.reserveCall(relay.Reason(reason))
	l.mu.Unlock()
	if err != nil {
		return FetchResult{}, err
	}
	begun := time.Now()
	got, err := l.source.Fetch(ctx, FetchRequest{PageRequest: request, CredentialKey: l.key, Credential: l.credential, Since: since})
	call := PageLoad{
		Request: request, Reason: reason, Started: begun.UnixNano(), Duration: time.Since(begun), Coalesced: got.Coalesced, Cached: got.Cached, Stale: got.Stale, Age: got.Age,
		Attempts: uint8(got.Attempts),
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if got.Coalesced || got.Cached && !got.Stale {
		l.releaseCall(kept)
	}
	if err != nil {
		if status, ok := errors.AsType[*restclient.StatusError](err); ok {
			call.Status = status.StatusCode
		}
	} else {
		l.find(request).result = got
		call.Status, call.Bytes, call.Items = http.StatusOK, got.BodySize(), got.Len()
	}
	l.loads = append(l.loads, call)
	return got, err
}

// take takes a call from what is allowed, and says whether it was one that is kept for windows. The caller holds the lock.
func (l *Loader) reserveCall(reason relay.Reason) (kept bool, err error) {
	window := reason == relay.ReasonWindow || reason == relay.ReasonTotal
	switch {
	case window && l.used.WindowCalls < l.budget.WindowCalls:
		l.used.WindowCalls++
		l.used.Calls++
		return true, nil
	case l.remaining() == 0:
		return false, &CallBudgetError{Limit: l.budget.Calls, Actual: l.budget.Calls + 1}
	}
	l.used.Calls++
	return false, nil
}

// giveBack undoes take. The caller holds the lock.
func (l *Loader) releaseCall(kept bool) {
	l.used.Calls--
	if kept {
		l.used.WindowCalls--
	}
}

// left returns how many calls may be made yet, without those that are kept for windows.
func (l *Loader) remaining() int {
	return l.budget.Calls - l.budget.WindowCalls - (l.used.Calls - l.used.WindowCalls)
}

// Spare says whether so many more calls may be made that no window is for. The error is a *[CallsError].
func (l *Loader) CheckBudget(calls int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lacking := calls - l.remaining(); lacking > 0 {
		return &CallBudgetError{Limit: l.budget.Calls, Actual: l.budget.Calls + lacking}
	}
	return nil
}

// Forget makes the next Load of the requests fetch them anew.
func (l *Loader) Invalidate(ctx context.Context, requests ...restclient.PageRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, request := range requests {
		if a := l.find(request); a != nil {
			a.since = time.Now()
			l.invalidate(ctx, a)
		}
	}
}

// drop forgets a page. The caller holds the lock.
func (l *Loader) invalidate(ctx context.Context, a *pageState) {
	a.result = FetchResult{}
	if l.batches != nil {
		l.batches.Clear(ctx, a.request)
	}
}

// Whole returns the request of a loaded page that holds all of a list, and shows it since then.
func (l *Loader) CompletePage(filter restclient.Filter, since time.Time) (restclient.PageRequest, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.states {
		if p := a.result.Page; p != nil && a.request.Filter == filter && a.result.Request.Page == 1 && p.Len() == p.Total && a.result.satisfies(latest(l.since, since)) {
			return a.request, true
		}
	}
	return restclient.PageRequest{}, false
}

// Used is a page that an operation was made of.
type PageVersion struct {
	Request  restclient.PageRequest
	Received time.Time // which no other page has
}

// Used returns the pages that the operation was made of. It returns false where there are none, and where one of them was not at hand
// from the beginning.
func (l *Loader) PageVersions() ([]PageVersion, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	used := make([]PageVersion, 0, len(l.states))
	for _, a := range l.states {
		if a.result.Page == nil || !a.result.Cached || a.result.Stale || a.result.Received.IsZero() {
			return nil, false
		}
		used = append(used, PageVersion{a.result.Request, a.result.Received})
	}
	return used, len(used) > 0
}

// Stale says whether a page is older than it should be, because the upstream failed, and how old the oldest is.
func (l *Loader) Stale() (age time.Duration, stale bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.states {
		if a.result.Stale {
			age, stale = max(age, a.result.Age), true
		}
	}
	return age, stale
}

// Calls returns how the operation came by its pages so far, in the order in which it did.
func (l *Loader) PageLoads() []PageLoad {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]PageLoad(nil), l.loads...)
}
