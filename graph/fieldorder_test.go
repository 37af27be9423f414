package graph_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// fieldOrder is a gqlgen extension that resolves the fields of Query one after another, in an order
// that the request's context determines. gqlgen resolves them concurrently, so the order in which
// they load their pages, and with it the response, could vary.
type fieldOrder struct{}

func (fieldOrder) ExtensionName() string { return "FieldOrder" }

func (fieldOrder) Validate(graphql.ExecutableSchema) error { return nil }

type (
	orderKey struct{} // of the seed of an order
	turnsKey struct{} // of the turns of an operation
)

// withOrder returns a context whose operation resolves its fields in the order of a seed.
func withOrder(ctx context.Context, seed uint64) context.Context {
	return context.WithValue(ctx, orderKey{}, seed)
}

// turn is when one field may be resolved: from the end of the field before it.
type turn struct{ begin, end chan struct{} }

// InterceptOperation assigns a turn to each field of Query.
func (fieldOrder) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	seed, ok := ctx.Value(orderKey{}).(uint64)
	if !ok {
		return next(ctx)
	}
	opCtx := graphql.GetOperationContext(ctx)
	fields := slices.Clone(graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"}))
	fields = slices.DeleteFunc(fields, isIntrospection)
	turns := make(map[string]turn)
	begin := make(chan struct{})
	close(begin)
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(fields)) {
		end := make(chan struct{})
		turns[fields[i].Alias] = turn{begin, end}
		begin = end
	}
	return next(context.WithValue(ctx, turnsKey{}, turns))
}

// InterceptRootField resolves a field in its turn.
func (fieldOrder) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	field := graphql.GetRootFieldContext(ctx).Field
	turns, ok := ctx.Value(turnsKey{}).(map[string]turn)
	if !ok || isIntrospection(field) {
		return next(ctx)
	}
	turn := turns[field.Alias]
	<-turn.begin
	defer close(turn.end)
	return next(ctx)
}

// isIntrospection reports whether gqlgen resolves a field before all others.
func isIntrospection(field graphql.CollectedField) bool { return strings.HasPrefix(field.Name, "__") }
