// Package pages loads pages of the upstream's list, each at most once per operation, and caches
// them for each credential.
package pages

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/graph-gophers/dataloader/v7"

	"cvmgraph/internal/panics"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// parallelCalls is the maximum number of concurrent upstream calls of one operation.
const parallelCalls = 16

// PageLoad records how an operation obtained, or failed to obtain, a page.
type PageLoad struct {
	Request restclient.PageRequest
	// Reason is the reason for the first request of the page.
	Reason relay.Reason
	// Cached, Coalesced and Stale are the same as in [FetchResult].
	Cached, Coalesced, Stale bool
	// Attempts is the number of attempts of the upstream call; zero if there was no call.
	Attempts uint8
	// Age is the time since the page was requested from the upstream.
	Age time.Duration
	// Status is the HTTP status; zero if there was no response.
	Status int
	// Started is the start of the call in nanoseconds since 1970; zero if there was no call.
	// Duration is the duration of the call, including all attempts.
	Started  int64
	Duration time.Duration
	// Bytes and Items are the size of the page; zero if the call failed.
	Bytes, Items int
}

// Loader loads pages for one operation with one credential. It requests a page once, however many
// fields of the operation need it. A page that failed to load can be requested again. A Loader is
// safe for concurrent use, unless it is sequential.
type Loader struct {
	source     Source
	credential restclient.Credential
	key        CredentialKey
	since      time.Time
	budget     CallBudget
	sequential bool

	mu     sync.Mutex
	states []pageState
	loads  []PageLoad
	used   callCount // calls made so far
	// slots and batches are for concurrent calls; nil until they are needed.
	slots   chan struct{}
	batches *dataloader.Loader[restclient.PageRequest, FetchResult]

	// buf is the initial storage of states and loads: most operations need one page.
	buf struct {
		states [1]pageState
		loads  [1]PageLoad
	}
}

// pageState is the state of a requested page.
type pageState struct {
	request restclient.PageRequest
	reason  relay.Reason
	result  FetchResult // has no page until it is loaded
	since   time.Time   // the latest since of all requests for the page
}

// NewLoader returns a loader without pages. It serves only one credential, which key identifies, so
// pages cannot reach another caller. All pages show the list as of since or later; if since is
// zero, any page is acceptable. A sequential loader must not be used concurrently: it serves one
// field, which calls Load repeatedly.
func NewLoader(source Source, credential restclient.Credential, key CredentialKey, since time.Time, budget CallBudget, sequential bool) *Loader {
	l := &Loader{source: source, credential: credential, key: key, since: since, budget: budget, sequential: sequential}
	l.states, l.loads = l.buf.states[:0], l.buf.loads[:0]
	return l
}

// CachedPages appends the cached pages of a list that show it as of since or later, latest first.
func (l *Loader) CachedPages(dst []relay.CachedPage, filter restclient.Filter, since time.Time) []relay.CachedPage {
	return l.source.CachedPages(dst, l.key, filter, latest(l.since, since))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Load returns the pages in the order of the requests. It fetches pages that are not cached in
// parallel. All pages show the list as of since or later; if since is zero, any page is acceptable.
// Pages are shared, so callers must not modify them. Load returns the error of the first failed
// request, which is the source's error or a *[CallBudgetError].
func (l *Loader) Load(ctx context.Context, reason relay.Reason, requests []restclient.PageRequest, since time.Time) ([]FetchResult, error) {
	since = latest(l.since, since)
	pages := make([]FetchResult, len(requests))
	if l.loadCached(ctx, reason, requests, since, pages) {
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
	// All requests of this call are queued, so the batch need not wait for the dataloader's timer.
	batches.Flush()

	var first error
	for i, thunk := range thunks {
		if thunk == nil {
			continue
		}
		got, err := thunk()
		if err == nil && !got.satisfies(since) { // another field accepted an older page
			got, err = l.fetchLimited(ctx, requests[i])
		}
		if err != nil && first == nil {
			first = err
		}
		pages[i] = got
	}
	return pages, first
}

// loadCached sets the pages that are loaded or cached, and reports whether these are all.
func (l *Loader) loadCached(ctx context.Context, reason relay.Reason, requests []restclient.PageRequest, since time.Time, pages []FetchResult) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := true
	for i, request := range requests {
		state := l.find(request)
		if state == nil {
			l.states = append(l.states, pageState{request: request, reason: reason})
			state = &l.states[len(l.states)-1]
		}
		if state.since = latest(state.since, since); state.result.Page != nil && !state.result.satisfies(state.since) {
			l.drop(ctx, state)
		}
		if state.result.Page == nil {
			if got, ok := l.source.Cached(l.key, request); ok && got.notBefore(state.since) {
				state.result = got
				l.loads = append(l.loads, PageLoad{
					Request: request, Reason: state.reason, Cached: true, Age: got.Age, Status: http.StatusOK,
					Bytes: got.BodySize(), Items: got.Len(),
				})
			}
		}
		pages[i] = state.result
		all = all && state.result.Page != nil
	}
	return all
}

// find returns the state of a page, or nil if it was not requested yet. The caller holds the lock.
func (l *Loader) find(request restclient.PageRequest) *pageState {
	for i := range l.states {
		if l.states[i].request == request {
			return &l.states[i]
		}
	}
	return nil
}

// dataloader returns the dataloader, which coalesces the calls of fields that request the same
// page.
func (l *Loader) dataloader() *dataloader.Loader[restclient.PageRequest, FetchResult] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batches != nil {
		return l.batches
	}
	l.slots = make(chan struct{}, parallelCalls)
	load := func(ctx context.Context, request restclient.PageRequest) (result *dataloader.Result[FetchResult]) {
		// The dataloader would log the value of a panic, and a panic in the group would end the
		// program.
		defer func() {
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

// fetchLimited waits until fewer than parallelCalls calls are in flight, then fetches a page.
func (l *Loader) fetchLimited(ctx context.Context, request restclient.PageRequest) (FetchResult, error) {
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return FetchResult{}, context.Cause(ctx)
	}
	return l.fetch(ctx, request)
}

// fetch fetches a page from the source and records the load.
func (l *Loader) fetch(ctx context.Context, request restclient.PageRequest) (FetchResult, error) {
	l.mu.Lock()
	state := l.find(request)
	reason, since := state.reason, state.since
	reserved, err := l.spend(reason)
	l.mu.Unlock()
	if err != nil {
		return FetchResult{}, err
	}
	started := time.Now()
	got, err := l.source.Fetch(ctx, FetchRequest{PageRequest: request, CredentialKey: l.key, Credential: l.credential, Since: since})
	load := PageLoad{
		Request: request, Reason: reason, Started: started.UnixNano(), Duration: time.Since(started),
		Coalesced: got.Coalesced, Cached: got.Cached, Stale: got.Stale, Age: got.Age, Attempts: uint8(got.Attempts),
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if got.Coalesced || got.Cached && !got.Stale {
		l.refund(reserved)
	}
	if err != nil {
		if status, ok := errors.AsType[*restclient.StatusError](err); ok {
			load.Status = status.StatusCode
		}
	} else {
		l.find(request).result = got
		load.Status, load.Bytes, load.Items = http.StatusOK, got.BodySize(), got.Len()
	}
	l.loads = append(l.loads, load)
	return got, err
}

// Shown records that the operation's response shows pages of a list. If the operation bypasses the
// cache, the list of later responses is not older than these pages.
func (l *Loader) Shown(ctx context.Context, filter restclient.Filter, pages []FetchResult) {
	if !l.since.IsZero() && len(pages) > 0 {
		l.source.Supersede(ctx, l.key, filter, l.since, pages)
	}
}

// Invalidate makes the next Load of the requests fetch their pages again.
func (l *Loader) Invalidate(ctx context.Context, requests ...restclient.PageRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, request := range requests {
		if state := l.find(request); state != nil {
			state.since = time.Now()
			l.drop(ctx, state)
		}
	}
}

// drop discards a loaded page. The caller holds the lock.
func (l *Loader) drop(ctx context.Context, state *pageState) {
	state.result = FetchResult{}
	if l.batches != nil {
		l.batches.Clear(ctx, state.request)
	}
}

// CompletePage returns the request of a loaded page that contains the whole list as of since or
// later. It returns false if there is none.
func (l *Loader) CompletePage(filter restclient.Filter, since time.Time) (restclient.PageRequest, bool) {
	since = latest(l.since, since)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, state := range l.states {
		if got := state.result; got.Page != nil && state.request.Filter == filter && got.Request.Page == 1 && got.Len() == got.Total && !got.Irregular && got.satisfies(since) {
			return state.request, true
		}
	}
	return restclient.PageRequest{}, false
}

// PageVersion identifies one version of a page: its contents at the time of one upstream call.
type PageVersion struct {
	Request  restclient.PageRequest
	Received time.Time // unique among the pages of a cache
	Expires  time.Time // the end of the page's life in the cache
}

// PageVersions returns the versions of all loaded pages. It returns false if there are none, or if
// one of them was not cached when the operation requested it.
func (l *Loader) PageVersions() ([]PageVersion, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	versions := make([]PageVersion, 0, len(l.states))
	for _, state := range l.states {
		got := &state.result
		if got.Page == nil || !got.Cached || got.Stale || got.Received.IsZero() {
			return nil, false
		}
		versions = append(versions, PageVersion{got.Request, got.Received, got.Expires})
	}
	return versions, len(versions) > 0
}

// Expires returns when the first of the loaded pages expires, or the zero time if there are none.
// It returns false if the upstream forbids storing one of them.
func (l *Loader) Expires() (first time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, state := range l.states {
		switch expires := state.result.Expires; {
		case state.result.Page == nil:
		case expires.IsZero():
			return time.Time{}, false
		case first.IsZero() || expires.Before(first):
			first = expires
		}
	}
	return first, true
}

// Stale reports whether a loaded page is stale, and returns the age of the oldest stale page.
func (l *Loader) Stale() (age time.Duration, stale bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, state := range l.states {
		if state.result.Stale {
			age, stale = max(age, state.result.Age), true
		}
	}
	return age, stale
}

// PageLoads returns the page loads of the operation so far, in their order.
func (l *Loader) PageLoads() []PageLoad {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]PageLoad(nil), l.loads...)
}
