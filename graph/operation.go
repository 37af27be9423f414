package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

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
	credentialErr error
	// documentID names the document, "" where it was sent or is named otherwise.
	documentID string
	// untrusted says that the document is answered though it is not trusted.
	untrusted bool
	// since is when pages may have been asked for at the earliest; zero: at any time.
	since   time.Time
	splices splices
	faults  atomic.Int64 // errors about single values so far

	begin  sync.Once
	loader *pages.Loader
	hints  *hints
	plans  []plan // by list

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
	op := &operation{resolver: r}
	op.credential, op.credentialErr = credentialOf(header)
	if op.credentialErr != nil && r.DefaultCredential != (restclient.Credential{}) && !hasCredential(header) {
		op.credential, op.credentialErr = r.DefaultCredential, nil
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
func (op *operation) start(ctx context.Context) error {
	if op.credentialErr == nil {
		op.begin.Do(func() {
			opCtx := graphql.GetOperationContext(ctx)
			alone := hasOneField(opCtx)
			op.loader = pages.NewLoader(op.resolver.Pages, op.credential, op.since, alone)
			op.hints = op.resolver.hints.of(op.credential)
			if !alone { // there is somebody to share with
				op.plans = op.resolver.plan(opCtx)
			}
		})
	}
	return op.credentialErr
}

// hasOneField says whether the operation is one field of Query, plainly written.
func hasOneField(opCtx *graphql.OperationContext) bool {
	set := opCtx.Operation.SelectionSet
	if len(set) != 1 {
		return false
	}
	_, ok := set[0].(*ast.Field)
	return ok
}

// plan is what the connections of an operation ask of one list.
type plan struct {
	filter restclient.Filter
	ranges []relay.Range
	// first are the pages that they need before any answer is there.
	first []relay.Page
	// front and back are the largest counts of the windows that begin at the list's ends.
	front, back int
}

// plan settles what the operation's connections fetch for all of them together, so that connections that overlap share pages
// whichever of them is resolved first.
func (r *Resolver) plan(opCtx *graphql.OperationContext) []plan {
	var plans []plan
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
		at := slices.IndexFunc(plans, func(p plan) bool { return p.filter == list.filter })
		if at < 0 {
			at = len(plans)
			plans = append(plans, plan{filter: list.filter})
		}
		p := &plans[at]
		p.ranges = append(p.ranges, window.First()...)
		switch {
		case !window.FromBack && window.After == nil:
			p.front = max(p.front, window.Count)
		case window.FromBack && window.Before == nil:
			p.back = max(p.back, window.Count)
		}
	}
	for i := range plans {
		plans[i].first = relay.CoverAll(plans[i].ranges)
	}
	return plans
}

// planned returns the plan of a list; it is empty where nothing is planned.
func (op *operation) planned(filter restclient.Filter) plan {
	for _, p := range op.plans {
		if p.filter == filter {
			return p
		}
	}
	return plan{}
}

// reader returns a reader of a window that shares the pages of the operation's other windows.
func (op *operation) reader(filter restclient.Filter, w relay.Window) *relay.Reader {
	reader := relay.NewReader(w)
	switch p := op.planned(filter); {
	case !w.FromBack && w.After == nil:
		reader.Share(p.front)
	case w.FromBack && w.Before == nil:
		reader.Share(p.back)
	}
	return reader
}

// pagesFor returns pages that hold the ranges: those at hand that do, else those that are planned, else the cheapest. For no ranges
// it is any page of the list: its total is on each.
func (op *operation) pagesFor(filter restclient.Filter, ranges []relay.Range, since time.Time) []relay.Page {
	var room [8]relay.Extent
	if held, ok := relay.CoverHeld(ranges, op.loader.Extents(room[:0], filter, since)); ok {
		return held
	}
	planned := op.planned(filter).first
	switch {
	case len(planned) == 0 && len(ranges) == 0:
		return []relay.Page{{Number: 1, Size: 1}}
	case len(planned) == 0:
		return relay.CoverAll(ranges)
	case len(ranges) == 0:
		return planned[:1]
	}
	return slices.DeleteFunc(slices.Clone(planned), func(p relay.Page) bool {
		return !slices.ContainsFunc(ranges, p.Range().Overlaps)
	})
}

func hasCredential(header http.Header) bool {
	return len(header.Values(headerAuthorization)) > 0 || len(header.Values(headerAPIKey)) > 0
}
