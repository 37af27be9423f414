package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

const (
	// lookupWave is how many pages are fetched before it is looked whether more are needed.
	lookupWave = 8
	// hintSlack is how far around its last place a CVM is looked for, in positions.
	hintSlack = 12
)

var errLookupUnfinished = errors.New("the lookup did not end")

// wanted returns what all the lookups of the operation ask for. Ids that are none are left out: their fields say so.
func lookupKeys(opCtx *graphql.OperationContext) map[relay.Identity]bool {
	all := make(map[relay.Identity]bool)
	add := func(identity relay.Identity, err error) {
		if err == nil {
			all[identity] = true
		}
	}
	for _, field := range graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"}) {
		args := field.ArgumentMap(opCtx.Variables)
		switch field.Name {
		case "node":
			if id, err := graphql.UnmarshalID(args["id"]); err == nil {
				add(relay.ParseNodeID(id))
			}
		case "nodes":
			for _, id := range graphql.CoerceList(args["ids"]) {
				if id, err := graphql.UnmarshalID(id); err == nil {
					add(relay.ParseNodeID(id))
				}
			}
		case "_entities":
			for _, representation := range graphql.CoerceList(args["representations"]) {
				add(identityOf(representation))
			}
		case "cvm":
			if id, err := graphql.UnmarshalID(args["vmId"]); err == nil {
				add(vmIdentity(id))
			}
		}
	}
	return all
}

func vmIdentity(vmID string) (relay.Identity, error) {
	if vmID == "" {
		return relay.Identity{}, relay.ErrNotNodeID
	}
	return relay.ParseNodeID(relay.Identity{VMID: vmID}.NodeID())
}

// lookup finds all that the operation's lookups ask for, once.
func (op *operation) lookup(ctx context.Context) (map[relay.Identity]projection.Item, error) {
	if err := op.start(); err != nil {
		return nil, err
	}
	op.lookupOnce.Do(func() {
		s := search{listFetch: newListFetch(op, restclient.Filter{}), keys: lookupKeys(graphql.GetOperationContext(ctx)), found: make(map[relay.Identity]projection.Item)}
		op.lookupErr = errLookupUnfinished // should run panic: the other fields do not take that for an answer
		op.lookupErr = s.run(ctx)
		op.lookupFound = s.found
	})
	return op.lookupFound, op.lookupErr
}

// search looks for CVMs in the list of a credential.
type search struct {
	*listFetch
	keys  map[relay.Identity]bool
	found map[relay.Identity]projection.Item
}

func (s *search) done() bool { return len(s.found) == len(s.keys) }

// run looks where the operation reads anyway, then where the CVMs were seen last, then everywhere.
func (s *search) run(ctx context.Context) error {
	if len(s.keys) == 0 {
		return nil
	}
	if p := s.op.plan.find(s.filter); p != nil {
		if err := s.fetch(ctx, relay.ReasonWindow, p.first); err != nil || s.done() {
			return err
		}
	}
	if pages := s.hinted(); len(pages) > 0 {
		if err := s.fetch(ctx, relay.ReasonLookup, pages); err != nil || s.done() {
			return err
		}
	}
	// That a CVM is not there is known only once the whole list was seen without a gap.
	for range 2 {
		whole, err := s.scan(ctx)
		if err != nil || whole || s.done() {
			return err
		}
		// What did not fit together is fetched anew, since it was asked for before.
		s.snapshots, s.loaded = nil, nil
	}
	return unavailable("the list changes faster than it can be searched: try again")
}

// hinted returns the pages around the places where the CVMs were seen last, as long as a search of the whole list keeps within
// its bound of calls if they are not there.
func (s *search) hinted() []relay.PageRef {
	items := make([]relay.Fingerprint, 0, len(s.keys))
	for w := range s.keys {
		if _, ok := s.found[w]; !ok {
			items = append(items, w.Fingerprint())
		}
	}
	places, total, ok := s.op.hints.find(items)
	if !ok {
		return nil
	}
	if held, ok := relay.CoverCached(places, s.op.loader.CachedPages(nil, s.filter, time.Time{})); ok {
		return held
	}
	for i := range places {
		places[i] = relay.Range{Lo: max(places[i].Lo-hintSlack, 0), Hi: min(places[i].Hi+hintSlack, total)}
	}
	pages := relay.CoverAll(places)
	if len(pages) > (total+89)/90+1-len(relay.Cover(relay.Range{Lo: 0, Hi: min(total, s.op.resolver.MaxUpstreamCalls*relay.MaxPageSize)})) {
		return nil
	}
	return pages
}

// fetch loads pages, a wave at a time, until everything is found.
func (s *search) fetch(ctx context.Context, reason relay.Reason, pages []relay.PageRef) error {
	for wave := range slices.Chunk(pages, lookupWave) {
		if _, err := s.load(ctx, reason, wave); err != nil {
			return err
		}
		if s.matchLoaded(); s.done() {
			return nil
		}
	}
	return nil
}

// look looks through what is loaded.
func (s *search) matchLoaded() {
	for _, page := range s.loaded {
		for i, identity := range page.Identities {
			if _, ok := s.found[identity]; !ok && s.keys[identity] {
				s.found[identity] = page.Item(i)
			}
		}
	}
}

// scan reads the list from its front, as long as something is not found. It says whether it saw all of it without a gap.
func (s *search) scan(ctx context.Context) (whole bool, err error) {
	if len(s.snapshots) == 0 {
		if err := s.fetch(ctx, relay.ReasonLookup, []relay.PageRef{{Number: 1, Size: relay.MaxPageSize}}); err != nil || s.done() {
			return false, err
		}
	}
	// Before the pages are settled, which takes long in a list that is far too long.
	total := s.snapshots[len(s.snapshots)-1].Total
	if err := s.op.loader.CheckBudget(total/relay.MaxPageSize - len(s.snapshots)); err != nil {
		return false, err
	}
	reader := relay.NewListAssembler(total)
	reader.Add(s.snapshots...)
	for {
		pages, reason := reader.Next()
		if len(pages) == 0 {
			break
		}
		if reason == relay.ReasonWindow {
			reason = relay.ReasonLookup
		}
		if err := s.op.loader.CheckBudget(len(pages)); err != nil {
			return false, err
		}
		before := len(s.snapshots)
		if err := s.fetch(ctx, reason, pages); err != nil || s.done() {
			return false, err
		}
		reader.Add(s.snapshots[before:]...)
	}
	answer := reader.Result()
	return answer != nil && !answer.HasNext, nil
}

// node resolves one id to a CVM, nil where there is none.
func (r *Resolver) node(ctx context.Context, argument string, identity relay.Identity, err error) (*model.Cvm, error) {
	if err != nil {
		return nil, &relay.ArgumentError{Argument: argument, Reason: "is not an id of this gateway: take it from an object, unchanged"}
	}
	cvms, err := operationFrom(ctx).lookup(ctx)
	if err != nil {
		return nil, err
	}
	item, ok := cvms[identity]
	if !ok {
		return nil, nil
	}
	field := graphql.GetFieldContext(ctx)
	reportItem(ctx, field.Field, field.Path(), 0, invalidFields(item))
	return &model.Cvm{Indexed: item}, nil
}

// nodes resolves ids to CVMs, in their order.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]generated.Node, error) {
	if len(ids) > r.MaxFirst {
		return nil, &relay.ArgumentError{Argument: "ids", Reason: fmt.Sprintf("must be at most %d, not %d", r.MaxFirst, len(ids))}
	}
	cvms, err := operationFrom(ctx).lookup(ctx)
	if err != nil {
		return nil, err
	}
	field := graphql.GetFieldContext(ctx)
	nodes := make([]generated.Node, len(ids))
	for i, id := range ids {
		path := appendPath(field.Path(), ast.PathIndex(i))
		identity, err := relay.ParseNodeID(id)
		if err != nil {
			err := &relay.ArgumentError{Argument: "ids", Reason: "has a text that is not an id of this gateway"}
			graphql.AddError(ctx, &gqlerror.Error{Err: err, Message: err.Error(), Path: path})
			continue
		}
		if item, ok := cvms[identity]; ok {
			reportItem(ctx, field.Field, path, 0, invalidFields(item))
			nodes[i] = &model.Cvm{Indexed: item}
		}
	}
	return nodes, nil
}
