package pages

import (
	"context"
	"time"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// Owner stands for a credential: pages are kept under it, and it does not tell what the credential is.
type CredentialKey [32]byte

// Request asks for a page on behalf of whom the credential belongs to.
type FetchRequest struct {
	restclient.PageRequest
	CredentialKey CredentialKey
	Credential    restclient.Credential
	// Since is when the page may have been asked for at the earliest, but for the page that was there just then; zero: at any time.
	Since time.Time
}

// Got is a page, and how it was come by.
type FetchResult struct {
	*Page
	// Request is which page it is: where another one at hand holds all that was asked for, that one.
	Request restclient.PageRequest
	FetchTimes
	// Age is how long ago it was asked for; 0 where that was now.
	Age time.Duration
	// Cached says that it was at hand, Coalesced that somebody else's call brought it, and Stale that it is older than it should be,
	// because the upstream failed.
	Cached, Coalesced, Stale bool
	// Attempts is how many the call took, also where it failed; 0 where none was made.
	Attempts int
}

// Times are when the upstream was asked for a page, and when it was there, rounded up to microseconds and no other page's; what it
// shows is of a moment between. Zero: nobody knows.
type FetchTimes struct{ Requested, Received time.Time }

// shows says whether the page shows the list no earlier than since: it was asked for since then, or it is the page that was there
// just then.
func (t FetchTimes) showsListAt(since time.Time) bool {
	return since.IsZero() || !t.Requested.Before(since) || t.Received.Equal(since)
}

// serves says whether the page will do for a field that wants the list no earlier than since: the operation's own calls always do,
// for they began after what the field knows of.
func (g *FetchResult) satisfies(since time.Time) bool {
	return !g.Cached && !g.Coalesced || g.showsListAt(since)
}

// Source is where the pages of one upstream come from. It is safe for concurrent use.
type Source interface {
	// Owner returns what the pages of a credential are kept under.
	CredentialKey(restclient.Credential) CredentialKey
	// Extents appends which pages of a list are at hand that were asked for since then, or were there just then; those that came last
	// first. A zero time is for all.
	CachedPages(dst []relay.CachedPage, owner CredentialKey, filter restclient.Filter, since time.Time) []relay.CachedPage
	// Held returns a page that is at hand, and false where it takes a call. It does not wait.
	Cached(CredentialKey, restclient.PageRequest) (FetchResult, bool)
	// Fetch returns a page that was asked for since then, an older one where that stands in for what the upstream did not send. Its
	// errors are those of [restclient.Client.Page].
	Fetch(context.Context, FetchRequest) (FetchResult, error)
}
