package pages

import (
	"context"
	"time"

	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// CredentialKey identifies a credential without revealing it. Pages are cached by credential key.
type CredentialKey [32]byte

// FetchRequest is a request for one page.
type FetchRequest struct {
	restclient.PageRequest
	CredentialKey CredentialKey
	Credential    restclient.Credential
	// Since is the time as of which, or later, the page must show the list: see [FetchTimes]. If
	// zero, any page is acceptable.
	Since time.Time
}

func (r *FetchRequest) list() listKey { return listKey{r.CredentialKey, r.Filter} }

// FetchResult is a page and how it was obtained.
type FetchResult struct {
	*Page
	// Request identifies Page. It differs from the request that was made if another cached page
	// contains all requested items.
	Request restclient.PageRequest
	FetchTimes
	// Expires is the end of the page's life in the cache, in the past for a stale page. It is zero
	// if the upstream forbids storing the page.
	Expires time.Time
	// Age is the time since the page was requested from the upstream. It is zero for a page that
	// this fetch requested.
	Age time.Duration
	// Cached reports that the page was in a cache, Coalesced that it came from another caller's
	// call, and Stale that it is older than the cache's TTL because the upstream failed.
	Cached, Coalesced, Stale bool
	// Attempts is the number of attempts that the upstream call took, even if it failed. It is zero
	// if there was no call.
	Attempts int
}

// EmptyPage returns a page after the end of a list, which another page of the list shows.
func EmptyPage(request restclient.PageRequest, list FetchResult) FetchResult {
	page := &Page{IndexedPage: &projection.IndexedPage{}, Total: list.Total, Announced: list.Announced, Distinct: true}
	return FetchResult{Page: page, Request: request, FetchTimes: list.FetchTimes, Expires: list.Expires}
}

// FetchTimes are the times of the upstream call for a page. The page shows the list as of a moment
// between Requested and Received. Received is rounded up to microseconds and unique among the pages
// of a cache. Both are zero if unknown.
type FetchTimes struct{ Requested, Received time.Time }

// notBefore reports whether the page shows the list as of since or later. That is the case if it
// was requested since then. It is also the case if it was received exactly then: a cursor's time is
// the receive time of the page that the cursor is from.
func (t FetchTimes) notBefore(since time.Time) bool {
	return since.IsZero() || !t.Requested.Before(since) || t.Received.Equal(since)
}

// satisfies reports whether a field that needs the list as of since or later can use the page. The
// page of the operation's own call always qualifies: the call began after the field knew since.
func (g *FetchResult) satisfies(since time.Time) bool {
	return !g.Cached && !g.Coalesced || g.notBefore(since)
}

// Source provides the pages of one upstream. It is safe for concurrent use.
type Source interface {
	// CredentialKey returns the key that identifies a credential.
	CredentialKey(restclient.Credential) CredentialKey
	// CachedPages appends the cached pages of a list that show it as of since or later, latest
	// first. If since is zero, it appends all cached pages.
	CachedPages(dst []relay.CachedPage, key CredentialKey, filter restclient.Filter, since time.Time) []relay.CachedPage
	// Cached returns a cached page. It returns false if the page is not cached. It does not block.
	Cached(CredentialKey, restclient.PageRequest) (FetchResult, bool)
	// Fetch returns a page that shows the list as of the request's Since or later, or an older one
	// if the upstream fails. It returns the errors of [restclient.Client.ListCvms].
	Fetch(context.Context, FetchRequest) (FetchResult, error)
	// Supersede is called after a response to an operation that bypasses the cache was made from
	// pages of a list, and before the caller receives it. From now on, the other methods return no
	// page of the list that was requested before the newest of these pages, except these pages
	// themselves. operation is the time of the operation.
	Supersede(ctx context.Context, key CredentialKey, filter restclient.Filter, operation time.Time, shown []FetchResult)
}
