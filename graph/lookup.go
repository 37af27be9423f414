package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
)

const (
	// lookupWave is the number of pages that a lookup loads before it checks whether it needs more.
	lookupWave = 8
	// hintSlack is how far around its last known position a CVM is searched, in positions.
	hintSlack = 12
)

var errLookupUnfinished = errors.New("the lookup was not completed")

// lookupKeys returns the identities that the lookups of the operation need. It leaves out invalid
// ids, whose errors are reported when their fields are resolved.
func lookupKeys(opCtx *graphql.OperationContext) map[relay.Identity]bool {
	keys := make(map[relay.Identity]bool)
	add := func(parse func(any) (relay.Identity, error), values ...any) {
		for _, value := range values {
			if identity, err := parse(value); err == nil {
				keys[identity] = true
			}
		}
	}
	for _, field := range graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"}) {
		args := field.ArgumentMap(opCtx.Variables)
		switch field.Name {
		case "node":
			add(parseNodeID, args["id"])
		case "nodes":
			add(parseNodeID, graphql.CoerceList(args["ids"])...)
		case "_entities":
			add(identityOf, graphql.CoerceList(args["representations"])...)
		case "cvm":
			add(parseVMID, args["vmId"])
		}
	}
	return keys
}

// parseNodeID returns the identity in the value of an argument of the type ID.
func parseNodeID(value any) (relay.Identity, error) {
	id, ok := idString(value)
	if !ok {
		return relay.Identity{}, relay.ErrNotNodeID
	}
	return relay.ParseNodeID(id)
}

// parseVMID returns the identity of the VM whose uuid is the value of an argument.
func parseVMID(value any) (relay.Identity, error) {
	id, ok := idString(value)
	if !ok {
		return relay.Identity{}, relay.ErrNotNodeID
	}
	return vmIdentity(id)
}

// idString returns a value of the type ID, a string or an integer, as a string. It returns false
// for any other value.
func idString(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case json.Number:
		return string(v), !strings.ContainsAny(string(v), ".eE")
	}
	return "", false
}

// vmIdentity returns the identity of the VM with a uuid, in any of its spellings. The error is
// [relay.ErrNotNodeID].
func vmIdentity(vmID string) (relay.Identity, error) {
	if vmID == "" {
		return relay.Identity{}, relay.ErrNotNodeID
	}
	// The round trip rejects UUIDs that no id can hold, because they are too long.
	return relay.ParseNodeID(relay.VMIdentity(vmID).NodeID())
}

// lookup returns the search of all lookups of the operation. It searches once.
func (op *operation) lookup(ctx context.Context) (*search, error) {
	if err := op.start(); err != nil {
		return nil, err
	}
	op.lookupOnce.Do(func() {
		s := search{
			fetch: listFetch{op: op},
			keys:  lookupKeys(graphql.GetOperationContext(ctx)),
			found: make(map[relay.Identity]projection.Item),
		}
		op.lookupErr = errLookupUnfinished // for the other fields, if run panics
		op.lookupErr = s.run(ctx)
		op.loader.Shown(ctx, s.fetch.filter, s.fetch.loaded)
		op.search = &s
	})
	return op.search, op.lookupErr
}

// search finds CVMs in the unfiltered list of a credential.
type search struct {
	fetch listFetch
	keys  map[relay.Identity]bool
	found map[relay.Identity]projection.Item
	// uncertain reports that CVMs that were not found may be in the list.
	uncertain bool
}

// item returns the CVM with an identity. It returns false if the list does not have it.
func (s *search) item(identity relay.Identity) (item projection.Item, ok bool, err error) {
	if item, ok = s.found[identity]; !ok && s.uncertain {
		err = unavailable("the list changes faster than it can be searched: try again")
	}
	return item, ok, err
}

func (s *search) done() bool { return len(s.found) == len(s.keys) }

// run searches the pages that the operation's windows load anyway, then the pages on which the CVMs
// were last seen, then the whole list.
func (s *search) run(ctx context.Context) error {
	if len(s.keys) == 0 {
		return nil
	}
	planned := s.fetch.op.fetchPlan.list(s.fetch.filter).Pages()
	if err := s.load(ctx, relay.ReasonWindow, planned); err != nil || s.done() {
		return err
	}
	if err := s.load(ctx, relay.ReasonLookup, s.hinted()); err != nil || s.done() {
		return err
	}
	return s.scan(ctx)
}

// hinted returns the pages around the last known positions of the CVMs. It returns none if these
// pages, followed by a search of the whole list, could exceed the call budget of the search alone.
func (s *search) hinted() []relay.PageRef {
	items := make([]relay.Fingerprint, 0, len(s.keys))
	for key := range s.keys {
		if _, ok := s.found[key]; !ok {
			items = append(items, key.Fingerprint())
		}
	}
	positions, total, ok := s.fetch.op.hints.Find(items)
	if !ok {
		return nil
	}
	if cached, ok := relay.CoverCached(positions, s.fetch.op.loader.CachedPages(nil, s.fetch.filter, s.fetch.since)); ok {
		return cached
	}
	for i, p := range positions {
		positions[i] = relay.Range{Lo: max(p.Lo-hintSlack, 0), Hi: min(p.Hi+hintSlack, total)}
	}
	refs := relay.CoverAll(positions)
	searched := relay.Range{Lo: 0, Hi: min(total, s.fetch.op.resolver.MaxUpstreamCalls*relay.MaxPageSize)}
	if len(refs) > (total+89)/90+1-len(relay.Cover(searched)) {
		return nil
	}
	return refs
}

// load loads pages, a wave at a time, until everything is found.
func (s *search) load(ctx context.Context, reason relay.Reason, refs []relay.PageRef) error {
	for wave := range slices.Chunk(refs, lookupWave) {
		loaded, err := s.fetch.load(ctx, reason, wave)
		if err != nil {
			return err
		}
		if s.match(loaded); s.done() {
			return nil
		}
	}
	return nil
}

// match adds to found what the pages have of keys.
func (s *search) match(loaded []pages.FetchResult) {
	for p := range loaded {
		page := &loaded[p]
		for i, identity := range page.Identities {
			if _, ok := s.found[identity]; !ok && s.keys[identity] && s.identifies(page, identity) {
				s.found[identity] = page.Item(i)
			}
		}
	}
}

// identifies reports whether a page shows the number of an item in the list.
func (s *search) identifies(page *pages.FetchResult, identity relay.Identity) bool {
	if identity.VMID != "" || page.Request.Page == 1 {
		return true
	}
	sighting := s.fetch.op.hints.Sighting(s.fetch.filter, identity.Traits)
	return sighting.Known && !sighting.Several
}

// scan reads the list from its front, until everything is found or the whole list was seen. A CVM
// that moves during the search can be on none of the pages. So if the list changes, the search
// begins again.
func (s *search) scan(ctx context.Context) error {
	front, err := s.fetch.readFront(ctx, frontRequest{
		reason: relay.ReasonLookup, count: wholeList,
		loaded: func(loaded []pages.FetchResult) bool {
			s.match(loaded)
			return s.done()
		},
	})
	if err != nil || s.done() {
		return err
	}
	if front.changed {
		s.uncertain = true
		return nil
	}
	for i, identity := range front.identities {
		if s.keys[identity] {
			s.found[identity] = front.item(i)
		}
	}
	return nil
}

// node resolves one id to a CVM, nil if the list does not have it.
func (r *Resolver) node(ctx context.Context, argument string, identity relay.Identity, err error) (*model.Cvm, error) {
	if err != nil {
		return nil, invalidArgument(argument, "is not an id of this gateway: use an id of an object, unchanged")
	}
	found, err := operationFrom(ctx).lookup(ctx)
	if err != nil {
		return nil, err
	}
	item, ok, err := found.item(identity)
	if !ok {
		return nil, err
	}
	field := graphql.GetFieldContext(ctx)
	reportItem(ctx, field.Field, field.Path(), 0, invalidFields(item))
	return &model.Cvm{Indexed: item}, nil
}

// nodes resolves ids to CVMs, in their order.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]generated.Node, error) {
	parse := func(id string) (relay.Identity, error) {
		identity, err := relay.ParseNodeID(id)
		if err != nil {
			err = invalidArgument("ids", "has an element that is not an id of this gateway")
		}
		return identity, err
	}
	return lookupAll(ctx, r, "ids", ids, parse, func(cvm *model.Cvm) generated.Node { return cvm })
}

// lookupAll resolves the keys in an argument to CVMs, in their order. If parse returns an error for
// a key, lookupAll adds the error at the key's element, which is nil.
func lookupAll[K, T any](
	ctx context.Context, r *Resolver, argument string, keys []K,
	parse func(K) (relay.Identity, error), element func(*model.Cvm) T,
) ([]T, error) {
	if len(keys) > r.MaxFirst {
		return nil, invalidArgument(argument, fmt.Sprintf("can have at most %d elements, not %d", r.MaxFirst, len(keys)))
	}
	found, err := operationFrom(ctx).lookup(ctx)
	if err != nil {
		return nil, err
	}
	field := graphql.GetFieldContext(ctx)
	list := make([]T, len(keys))
	for i, key := range keys {
		path := appendPath(field.Path(), ast.PathIndex(i))
		identity, err := parse(key)
		var item projection.Item
		var ok bool
		if err == nil {
			item, ok, err = found.item(identity)
		}
		if err != nil {
			graphql.AddError(ctx, &gqlerror.Error{Err: err, Message: err.Error(), Path: path})
			continue
		}
		if ok {
			reportItem(ctx, field.Field, path, 0, invalidFields(item))
			list[i] = element(&model.Cvm{Indexed: item})
		}
	}
	return list, nil
}
