package pages

import (
	"context"
	"time"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// Owner stands for a credential: pages are kept under it, and it does not tell what the credential is.
type Owner [32]byte

// Request asks for a page on behalf of whom the credential belongs to.
type Request struct {
	restclient.PageRequest
	Owner      Owner
	Credential restclient.Credential
	// Since is when the page may have been asked for at the earliest, but for the page that was there just then; zero: at any time.
	Since time.Time
}

// Got is a page, and how it was come by.
type Got struct {
	*Page
	// Request is which page it is: where another one at hand holds all that was asked for, that one.
	Request restclient.PageRequest
	Times
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
type Times struct{ Asked, Answered time.Time }

// shows says whether the page shows the list no earlier than since: it was asked for since then, or it is the page that was there
// just then.
func (t Times) shows(since time.Time) bool {
	return since.IsZero() || !t.Asked.Before(since) || t.Answered.Equal(since)
}

// serves says whether the page will do for a field that wants the list no earlier than since: the operation's own calls always do,
// for they began after what the field knows of.
func (g *Got) serves(since time.Time) bool { return !g.Cached && !g.Coalesced || g.shows(since) }

// Source is where the pages of one upstream come from. It is safe for concurrent use.
type Source interface {
	// Owner returns what the pages of a credential are kept under.
	Owner(restclient.Credential) Owner
	// Extents appends which pages of a list are at hand that were asked for since then, or were there just then; those that came last
	// first. A zero time is for all.
	Extents(dst []relay.Extent, owner Owner, filter restclient.Filter, since time.Time) []relay.Extent
	// Held returns a page that is at hand, and false where it takes a call. It does not wait.
	Held(Owner, restclient.PageRequest) (Got, bool)
	// Fetch returns a page that was asked for since then, an older one where that stands in for what the upstream did not send. Its
	// errors are those of [restclient.Client.Page].
	Fetch(context.Context, Request) (Got, error)
}
