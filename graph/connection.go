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
		setArg(&args.First, raw["first"], model.UnmarshalInt),
		setArg(&args.After, raw["after"], graphql.UnmarshalString),
		setArg(&args.Last, raw["last"], model.UnmarshalInt),
		setArg(&args.Before, raw["before"], graphql.UnmarshalString),
		setArg(&args.nodeID, raw["nodeId"], model.UnmarshalInt),
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
	if field, ok := connection.Selections[0].(*ast.Field); ok && len(field.Directives) == 0 && isItems(field.Name) {
		return true // as it mostly is
	}
	return slices.ContainsFunc(
		graphql.CollectFields(opCtx, connection.Selections, []string{"CvmConnection"}),
		func(f graphql.CollectedField) bool {
			return isItems(f.Name)
		},
	)
}

func isItems(field string) bool { return field == "edges" || field == "nodes" || field == "pageInfo" }

// connection resolves Query.cvms: arguments to a window, the window to pages, the pages to items.
func (r *Resolver) connection(ctx context.Context, args connectionArgs) (*model.CvmConnection, error) {
	op := operationFrom(ctx)
	if err := op.start(); err != nil {
		return nil, err
	}
	list, err := r.list(args)
	if err != nil {
		return nil, err
	}
	window, err := args.Window(list.fingerprint, r.MaxFirst)
	if err != nil {
		return nil, err
	}
	read := newListFetch(op, list.filter)
	read.since = window.Since(time.Now())
	if !selectsItems(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field) {
		views, err := read.load(ctx, relay.ReasonTotal, op.pagesFor(list.filter, nil, time.Time{}))
		if err != nil {
			return nil, err
		}
		return &model.CvmConnection{Window: projection.Window{Total: views[0].Total}}, nil
	}
	reader, first := op.plan.reader(list.filter, window)
	answer, err := read.read(ctx, reader, first)
	if err != nil {
		return nil, err
	}
	if answer == nil {
		return nil, unavailable("the list changes faster than it can be read: try again")
	}
	op.report(ctx, answer)
	read.result, read.fingerprint = answer, list.fingerprint
	reportConnection(ctx, read, answer)
	return &model.CvmConnection{Window: projection.Window{
		List: read, Len: answer.Len(), Total: answer.Total, HasNext: answer.HasNext, HasPrevious: answer.HasPrevious,
	}}, nil
}
