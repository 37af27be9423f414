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
	// Since is when the page may have been asked for at the earliest; zero: at any time.
	Since time.Time
}

// Got is a page, and how it was come by.
type Got struct {
	*Page
	// Request is which page it is: where another one at hand holds all that was asked for, that one.
	Request restclient.PageRequest
	// Age is how long ago the upstream sent it; 0 where that was now.
	Age time.Duration
	// Cached says that it was at hand, Coalesced that somebody else's call brought it, and Stale that it is older than it should be,
	// because the upstream failed.
	Cached, Coalesced, Stale bool
}

// Source is where the pages of one upstream come from. It is safe for concurrent use.
type Source interface {
	// Owner returns what the pages of a credential are kept under.
	Owner(restclient.Credential) Owner
	// Extents appends which pages of a list are at hand, those that came last first.
	Extents(dst []relay.Extent, owner Owner, filter restclient.Filter) []relay.Extent
	// Held returns a page that is at hand, and false where it takes a call. It does not wait.
	Held(Owner, restclient.PageRequest) (Got, bool)
	// Fetch returns a page that was asked for since then. Its errors are those of [restclient.Client.Page]; a page is returned
	// beside an error where that is a stale one.
	Fetch(context.Context, Request) (Got, error)
}
