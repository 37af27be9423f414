package graph

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// maxRounds bounds how often one connection goes back to a list that grows while it is read.
const maxRounds = 4

// connectionArgs are the arguments of Query.cvms, nil where they are absent or null.
type connectionArgs struct {
	relay.Args
	nodeID *int32
	userID *string
}

// connectionArgsOf reads the arguments from a field that is not being resolved yet.
func connectionArgsOf(raw map[string]any) (connectionArgs, error) {
	var args connectionArgs
	return args, errors.Join(
		setArg(&args.First, raw["first"], graphql.UnmarshalInt32),
		setArg(&args.After, raw["after"], graphql.UnmarshalString),
		setArg(&args.Last, raw["last"], graphql.UnmarshalInt32),
		setArg(&args.Before, raw["before"], graphql.UnmarshalString),
		setArg(&args.nodeID, raw["nodeId"], graphql.UnmarshalInt32),
		setArg(&args.userID, raw["userId"], graphql.UnmarshalString),
	)
}

func setArg[T any](target **T, raw any, unmarshal func(any) (T, error)) error {
	if raw == nil {
		return nil
	}
	value, err := unmarshal(raw)
	*target = &value
	return err
}

// list is one of the upstream's lists: what filters it, and the fingerprint that its cursors carry.
type list struct {
	filter      restclient.Filter
	fingerprint relay.Fingerprint
}

var userIDPattern = regexp.MustCompile(`^(0|usr_[\x21-\x7e]{1,200})$`)

// list returns the list that the arguments select. The error is a *relay.ArgumentError.
func (r *Resolver) list(args connectionArgs) (list, error) {
	var filter restclient.Filter
	if args.nodeID != nil {
		if *args.nodeID < 1 {
			return list{}, &relay.ArgumentError{Argument: "nodeId", Reason: fmt.Sprintf("must be at least 1, not %d", *args.nodeID)}
		}
		filter.NodeID = *args.nodeID
	}
	if args.userID != nil {
		if !userIDPattern.MatchString(*args.userID) {
			return list{}, &relay.ArgumentError{Argument: "userId", Reason: `must be "0" or begin with "usr_", and have at most 204 characters`}
		}
		filter.UserID = *args.userID
	}
	return list{filter, relay.FingerprintOf(r.APIVersion, strconv.Itoa(int(filter.NodeID)), filter.UserID)}, nil
}

// selectsItems says whether a connection's selection needs more than the total.
func selectsItems(opCtx *graphql.OperationContext, connection graphql.CollectedField) bool {
	return slices.ContainsFunc(
		graphql.CollectFields(opCtx, connection.Selections, []string{"CvmConnection"}),
		func(f graphql.CollectedField) bool {
			return f.Name == "edges" || f.Name == "nodes" || f.Name == "pageInfo"
		},
	)
}

// connection resolves Query.cvms: arguments to a window, the window to pages, the pages to items.
func (r *Resolver) connection(ctx context.Context, args connectionArgs) (*generated.CvmConnection, error) {
	op := operationFrom(ctx)
	if op.credentialErr != nil {
		return nil, op.credentialErr
	}
	list, err := r.list(args)
	if err != nil {
		return nil, err
	}
	window, err := args.Window(list.fingerprint, r.MaxFirst)
	if err != nil {
		return nil, err
	}
	read := reading{op: op, filter: list.filter}
	if !selectsItems(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field) {
		if err := read.load(ctx, op.pagesAtHand(list.filter, nil)); err != nil {
			return nil, err
		}
		return &generated.CvmConnection{TotalCount: int32(read.total)}, nil
	}
	if err := read.load(ctx, op.pagesAtHand(list.filter, window.First())); err != nil {
		return nil, err
	}
	for range maxRounds {
		missing := window.Next(read.pages, read.total)
		if len(missing) == 0 {
			break
		}
		if err := read.load(ctx, missing); err != nil {
			return nil, err
		}
	}
	bounds := window.Complete(read.pages, read.total)
	slots := relay.Assemble(read.identities(), bounds)
	reportFaults(ctx, read.loaded, slots)
	return read.answer(list, bounds, slots), nil
}

// reading is what one connection has read of its list so far.
type reading struct {
	op     *operation
	filter restclient.Filter
	pages  []relay.Page
	loaded []*restclient.Page // by the index of pages
	total  int                // as the page read last says
}

func (r *reading) load(ctx context.Context, pages []relay.Page) error {
	requests := make([]restclient.PageRequest, len(pages))
	for i, p := range pages {
		requests[i] = restclient.PageRequest{Filter: r.filter, Page: p.Number, PageSize: p.Size}
	}
	loaded, err := r.op.loader.Load(ctx, requests)
	if err != nil {
		return err
	}
	r.pages = append(r.pages, pages...)
	r.loaded = append(r.loaded, loaded...)
	r.total = loaded[len(loaded)-1].Total
	return nil
}

func (r *reading) identities() []relay.Loaded {
	pages := make([]relay.Loaded, len(r.pages))
	for i, page := range r.loaded {
		items := make([]relay.Identity, len(page.Items))
		for j := range page.Items {
			items[j] = identity(&page.Items[j].Cvm)
		}
		pages[i] = relay.Loaded{Page: r.pages[i], Items: items}
	}
	return pages
}

// identity returns what tells a CVM apart from the others of its list.
func identity(c *restclient.Cvm) relay.Identity {
	if id := c.VMID(); id != nil {
		return relay.Identity{VMID: *id}
	}
	var node, user string
	if c.Node != nil && c.Node.NodeID != nil {
		node = strconv.Itoa(int(*c.Node.NodeID))
	}
	if c.ManagedUser != nil {
		user = textOf(c.ManagedUser.UserID)
	}
	return relay.Identity{Traits: relay.FingerprintOf(textOf(c.ProjectID), textOf(c.Name), node, user, textOf(c.ContractAddress))}
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (r *reading) answer(list list, bounds relay.Range, slots []relay.Slot) *generated.CvmConnection {
	answer := &generated.CvmConnection{
		Edges: make([]generated.CvmEdge, len(slots)),
		Nodes: make([]model.Cvm, len(slots)),
		PageInfo: &generated.PageInfo{
			HasPreviousPage: bounds.Lo > 0,
			HasNextPage:     bounds.Hi < r.total,
		},
		TotalCount: int32(r.total),
	}
	for i, s := range slots {
		cvm := model.Cvm{ID: s.ID, Cvm: &r.loaded[s.Page].Items[s.Item].Cvm}
		cursor := relay.Cursor{
			Position: s.Position,
			Total:    max(r.total, s.Position+1),
			Item:     relay.FingerprintOf(s.ID),
			List:     list.fingerprint,
		}
		answer.Nodes[i] = cvm
		answer.Edges[i] = generated.CvmEdge{Cursor: cursor.Encode(), Node: &answer.Nodes[i]}
	}
	if len(slots) > 0 {
		answer.PageInfo.StartCursor = &answer.Edges[0].Cursor
		answer.PageInfo.EndCursor = &answer.Edges[len(slots)-1].Cursor
	}
	return answer
}
