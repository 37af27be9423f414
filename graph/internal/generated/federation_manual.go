// Package generated is what gqlgen writes, and in this file what it calls.
package generated

import "context"

// Federation is what a [ResolverRoot] must have besides, for the fields that Apollo Federation adds to Query. gqlgen calls the methods
// below for them, and leaves it to a plugin to write these. That one takes the key of the first representation for the key of all, and
// lets one that it cannot read fail all of them.
type Federation interface {
	// Entities returns an element for each representation, nil where it has failed and said so.
	Entities(ctx context.Context, representations []any) []Entity
	// Service returns what routers read of the schema.
	Service() Service
}

func (ec *executionContext) __resolve_entities(ctx context.Context, representations []any) []Entity {
	return ec.Resolvers.(Federation).Entities(ctx, representations)
}

//nolint:unparam // gqlgen's call has room for an error
func (ec *executionContext) __resolve__service(context.Context) (Service, error) {
	return ec.Resolvers.(Federation).Service(), nil
}
