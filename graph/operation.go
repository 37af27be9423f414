package graph

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/buffers"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/hints"
	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// operation is the state that the fields of one GraphQL operation share: the caller's credential,
// the fetch plan, the loaded pages, the results of lookups, and the projections.
type operation struct {
	resolver      *Resolver
	credential    restclient.Credential
	credentialKey pages.CredentialKey
	credentialErr error
	// documentID is the ID of the request's document. It is empty if the request has none.
	documentID string
	// untrusted is true if the document is not trusted, but executed.
	untrusted bool
	// explain is true if the request has the header for extensions.upstream.
	explain bool
	// since is the time that pages must not be older than, as [pages.FetchTimes] defines it. If
	// zero, they may be of any age.
	since       time.Time
	segments    rawSegments
	fieldErrors atomic.Int64 // number of errors about single values

	startOnce sync.Once
	loader    *pages.Loader
	hints     *hints.Hints
	fetchPlan *fetchPlan // nil if the operation has only one field

	lookupOnce sync.Once
	search     *search // nil until it has ended
	lookupErr  error

	mu        sync.Mutex
	returned  int               // number of items in connections
	realigned []paginationEntry // of the connections that were realigned
}

var _ graphqlhttp.Operation = (*operation)(nil)

type operationKey struct{}

func operationFrom(ctx context.Context) *operation {
	return ctx.Value(operationKey{}).(*operation)
}

// newOperation returns the state of the operation of a request with the header.
func (r *Resolver) newOperation(header http.Header) *operation {
	op := &operation{resolver: r, explain: header.Get(headerExplain) == "1"}
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

// bypassesCache reports whether Cache-Control has the directive no-cache.
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

// start creates the page loader and finds the hints, once. The error is the one of the credential.
func (op *operation) start() error {
	if op.credentialErr == nil {
		op.startOnce.Do(func() {
			budget := pages.CallBudget{Calls: op.resolver.MaxUpstreamCalls}
			if op.fetchPlan != nil {
				budget.WindowCalls = op.fetchPlan.windowCalls
			}
			op.loader = pages.NewLoader(op.resolver.Pages, op.credential, op.credentialKey, op.since, budget, op.fetchPlan == nil)
			op.hints = op.resolver.hints.Of(op.credentialKey)
		})
	}
	return op.credentialErr
}

// CacheScope returns the key of the credential. The response cache is not used for requests without
// a valid credential, with Cache-Control: no-cache, or with the header of extensions.upstream.
func (op *operation) CacheScope() (scope [32]byte, ok bool) {
	return op.credentialKey, op.credentialErr == nil && op.since.IsZero() && !op.explain
}

// WithDocument returns the context of the operation's resolvers.
func (op *operation) WithDocument(ctx context.Context, documentID string) context.Context {
	op.documentID = documentID
	return context.WithValue(ctx, operationKey{}, op)
}

// AppendData appends gqlgen's data, with the projections in it.
func (op *operation) AppendData(buffer *buffers.Buffer, dst, data []byte) ([]byte, *gqlerror.Error) {
	return op.segments.appendData(buffer, dst, data)
}

// MaxAge returns how long a browser may reuse the response: while its pages are cached. It returns
// false if the response must not be stored. That is the case with the upstream calls of an
// operation, because they describe one execution.
func (op *operation) MaxAge() (time.Duration, bool) {
	if op.explain {
		return 0, false
	}
	expires, ok := time.Time{}, true
	if op.loader != nil {
		expires, ok = op.loader.Expires()
	}
	if expires.IsZero() { // the response does not depend on the upstream
		return graphqlhttp.MaxAge, ok
	}
	return max(time.Until(expires), 0), ok
}

// Sources returns the pages of the response. It returns false if one of them is not cached, or if
// the document is not trusted, because requests with such a document are counted.
func (op *operation) Sources() (graphqlhttp.Sources, bool) {
	if op.loader == nil || op.untrusted {
		return nil, false
	}
	versions, ok := op.loader.PageVersions()
	return &pageSources{op.resolver.Pages, op.credentialKey, versions}, ok
}
