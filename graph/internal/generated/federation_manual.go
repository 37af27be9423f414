// Package generated has gqlgen's output. This file is written by hand: it has the methods that
// gqlgen's federation plugin would generate. See docs/adr/0009-federation.md for why the plugin is
// not used.
package generated

import "context"

// Federation resolves the fields that Apollo Federation adds to Query. The [ResolverRoot] must
// implement it.
type Federation interface {
	// Entities returns an element for each representation. An element is nil if there is no such
	// object, or if the representation is invalid and Entities has added an error.
	Entities(ctx context.Context, representations []any) []Entity
	// Service returns the description of the schema for routers.
	Service() Service
}

func (ec *executionContext) __resolve_entities(ctx context.Context, representations []any) []Entity {
	return ec.Resolvers.(Federation).Entities(ctx, representations)
}

//nolint:unparam // the generated code expects an error
func (ec *executionContext) __resolve__service(context.Context) (Service, error) {
	return ec.Resolvers.(Federation).Service(), nil
}
