package graph

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// operation is what the fields of one GraphQL operation share: the caller's credential, the pages that were fetched with it,
// the plan of those to fetch first, and what they found.
type operation struct {
	credentialErr error
	loader        *pages.Loader
	hints         *hints
	plan          func() map[restclient.Filter]plan
	faults        atomic.Int64 // errors about single values so far

	wanted      func() map[relay.Identity]bool
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

// startOperation makes the operation's shared state, under gqlgen's operation context.
func (r *Resolver) startOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	opCtx := graphql.GetOperationContext(ctx)
	credential, err := credentialOf(opCtx.Headers)
	if err != nil && r.DefaultCredential != (restclient.Credential{}) && !hasCredential(opCtx.Headers) {
		credential, err = r.DefaultCredential, nil
	}
	return next(context.WithValue(ctx, operationKey{}, &operation{
		credentialErr: err,
		loader:        pages.NewLoader(r.Fetch, credential),
		hints:         r.hints.of(credential),
		plan:          sync.OnceValue(func() map[restclient.Filter]plan { return r.plan(opCtx) }),
		wanted:        sync.OnceValue(func() map[relay.Identity]bool { return wanted(opCtx) }),
	}))
}

// plan is what the connections of an operation ask of one list.
type plan struct {
	// first are the pages that they need before any answer is there.
	first []relay.Page
	// front and back are the largest counts of the windows that begin at the list's ends.
	front, back int
}

// plan settles what the operation's connections fetch for all of them together, so that connections that overlap share pages
// whichever of them is resolved first.
func (r *Resolver) plan(opCtx *graphql.OperationContext) map[restclient.Filter]plan {
	plans := make(map[restclient.Filter]plan)
	ranges := make(map[restclient.Filter][]relay.Range)
	for _, field := range graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"}) {
		if field.Name != "cvms" || !selectsItems(opCtx, field) {
			continue
		}
		// What is wrong with a field's arguments is said when that field is resolved.
		args, err := connectionArgsOf(field.ArgumentMap(opCtx.Variables))
		if err != nil {
			continue
		}
		list, err := r.list(args)
		if err != nil {
			continue
		}
		window, err := args.Window(list.fingerprint, r.MaxFirst)
		if err != nil {
			continue
		}
		ranges[list.filter] = append(ranges[list.filter], window.First()...)
		p := plans[list.filter]
		switch {
		case !window.FromBack && window.After == nil:
			p.front = max(p.front, window.Count)
		case window.FromBack && window.Before == nil:
			p.back = max(p.back, window.Count)
		}
		plans[list.filter] = p
	}
	for filter, ranges := range ranges {
		p := plans[filter]
		p.first = relay.CoverAll(ranges)
		plans[filter] = p
	}
	return plans
}

// reader returns a reader of a window that shares the pages of the operation's other windows.
func (op *operation) reader(filter restclient.Filter, w relay.Window) *relay.Reader {
	reader := relay.NewReader(w)
	switch p := op.plan()[filter]; {
	case !w.FromBack && w.After == nil:
		reader.Share(p.front)
	case w.FromBack && w.Before == nil:
		reader.Share(p.back)
	}
	return reader
}

// pagesAtHand returns the planned pages that hold the ranges, or, for no ranges, any page of the list: its total is on each.
func (op *operation) pagesAtHand(filter restclient.Filter, ranges []relay.Range) []relay.Page {
	planned := op.plan()[filter].first
	if len(ranges) == 0 {
		if len(planned) > 0 {
			return planned[:1]
		}
		return []relay.Page{{Number: 1, Size: 1}}
	}
	return slices.DeleteFunc(slices.Clone(planned), func(p relay.Page) bool {
		return !slices.ContainsFunc(ranges, p.Range().Overlaps)
	})
}

func hasCredential(header http.Header) bool {
	return len(header.Values(headerAuthorization)) > 0 || len(header.Values(headerAPIKey)) > 0
}
