package graph

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// connectionArgs are the arguments of Query.cvms. They are nil if absent or null.
type connectionArgs struct {
	relay.Args
	nodeID *int32
	userID *string
}

// connectionArgsOf decodes the arguments of a field before the field is resolved.
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

// list is one of the upstream's lists: its filter, and the fingerprint in its cursors.
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
			return list{}, invalidArgument("nodeId", fmt.Sprintf("must be at least 1, not %d", *args.nodeID))
		}
		filter.NodeID = *args.nodeID
	}
	if args.userID != nil {
		if !userIDPattern.MatchString(*args.userID) {
			return list{}, invalidArgument("userId", `must be "0" or begin with "usr_", and have at most 204 characters`)
		}
		filter.UserID = *args.userID
	}
	return list{filter, relay.FingerprintOf(r.APIVersion, strconv.Itoa(int(filter.NodeID)), filter.UserID)}, nil
}

// connectionWindow is the window of a list that a connection selects.
type connectionWindow struct {
	list   list
	window relay.Window
}

// windowOf returns the window that the arguments select. The error is a *relay.ArgumentError.
func (r *Resolver) windowOf(args connectionArgs) (c connectionWindow, err error) {
	if c.list, err = r.list(args); err != nil {
		return c, err
	}
	c.window, err = args.Window(c.list.fingerprint, r.MaxFirst)
	return c, err
}

// countArgument returns the argument that sets how many items to load. It is empty if neither is
// set.
func (a connectionArgs) countArgument() string {
	switch {
	case a.First != nil:
		return "first"
	case a.Last != nil:
		return "last"
	}
	return ""
}

// selectsItems reports whether a connection's selection needs more than the total.
func selectsItems(opCtx *graphql.OperationContext, connection graphql.CollectedField) bool {
	if field, ok := connection.Selections[0].(*ast.Field); ok && len(field.Directives) == 0 && isItems(field.Name) {
		return true // the common case, without the cost of CollectFields
	}
	return slices.ContainsFunc(
		graphql.CollectFields(opCtx, connection.Selections, []string{"CvmConnection"}),
		func(f graphql.CollectedField) bool { return isItems(f.Name) },
	)
}

func isItems(field string) bool { return field == "edges" || field == "nodes" || field == "pageInfo" }

// connection resolves Query.cvms: its arguments select a window, the window is assembled from
// pages, and the pages have the items.
func (r *Resolver) connection(ctx context.Context, args connectionArgs) (*model.CvmConnection, error) {
	op := operationFrom(ctx)
	if err := op.start(); err != nil {
		return nil, err
	}
	c, err := r.windowOf(args)
	if err != nil {
		return nil, err
	}
	fetch := listFetch{op: op, filter: c.list.filter, since: c.window.Since(time.Now())}
	if !selectsItems(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field) {
		c.window.TotalOnly = true
	}
	result, err := fetch.run(ctx, c.window, op.fetchPlan.list(c.list.filter))
	if err != nil {
		return nil, err
	}
	if result == nil {
		return nil, unavailable("the list changes faster than it can be read: try again")
	}
	fetch.shown(ctx, result)
	op.report(ctx, result)
	items := &connectionItems{loaded: fetch.loaded, front: fetch.front, result: result, list: c.list.fingerprint}
	reportConnection(ctx, items, result)
	return &model.CvmConnection{Window: projection.Window{
		List: items, Len: result.Len(), Total: result.Total, HasNext: result.HasNext, HasPrevious: result.HasPrevious,
	}}, nil
}
