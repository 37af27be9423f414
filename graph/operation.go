package graph

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// operation is what the fields of one GraphQL operation share: the caller's credential, the pages that were fetched with it,
// the plan of those to fetch first, what they found, and what is written in their places.
type operation struct {
	resolver      *Resolver
	credential    restclient.Credential
	credentialKey pages.CredentialKey
	credentialErr error
	// documentID is the ID of the request's document. It is empty if the request has none.
	documentID string
	// untrusted is true if the document is not trusted, but executed.
	untrusted bool
	// wantsUpstream is true if the request has the header for extensions.upstream.
	wantsUpstream bool
	// since is when pages may have been asked for at the earliest; zero: at any time.
	since       time.Time
	segments    rawSegments
	fieldErrors atomic.Int64 // errors about single values so far

	begin  sync.Once
	loader *pages.Loader
	hints  *hints
	plan   *fetchPlan // nil where a field is alone

	lookupOnce  sync.Once
	lookupFound map[relay.Identity]projection.Item
	lookupErr   error

	mu       sync.Mutex
	returned int               // items shown
	moved    []paginationEntry // of the answers that were re-aligned
}

type operationKey struct{}

func operationFrom(ctx context.Context) *operation {
	return ctx.Value(operationKey{}).(*operation)
}

// newOperation returns the shared state of the operation that comes with the header.
func (r *Resolver) newOperation(header http.Header) *operation {
	op := &operation{resolver: r, wantsUpstream: explains(header)}
	op.credential, op.credentialErr = credentialOf(header)
	if op.credentialErr != nil && !r.DefaultCredential.IsZero() && !hasCredential(header) {
		op.credential, op.credentialErr = r.DefaultCredential, nil
	}
	if op.credentialErr == nil {
		op.credentialKey = r.Pages.CredentialKey(op.credential)
	}
	if bypassesCache(header) {
		op.since = time.Now()
	}
	return op
}

// bypassesCache says whether Cache-Control has the directive no-cache.
func bypassesCache(header http.Header) bool {
	for _, value := range header["Cache-Control"] {
		for directive := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-cache") {
				return true
			}
		}
	}
	return false
}

// start makes ready what fields need that call the upstream. It returns the credential's fault.
func (op *operation) start() error {
	if op.credentialErr == nil {
		op.begin.Do(func() {
			allowed := pages.CallBudget{Calls: op.resolver.MaxUpstreamCalls}
			if op.plan != nil {
				allowed.WindowCalls = op.plan.windowCalls
			}
			op.loader = pages.NewLoader(op.resolver.Pages, op.credential, op.credentialKey, op.since, allowed, op.plan == nil)
			op.hints = op.resolver.hints.of(op.credentialKey)
		})
	}
	return op.credentialErr
}

func hasCredential(header http.Header) bool {
	return len(header.Values(headerAuthorization)) > 0 || len(header.Values(headerAPIKey)) > 0
}
