package graph

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/relay"
)

var _ generated.Federation = (*Resolver)(nil)

// subgraph is an executable schema that clients see less of than it executes: what routers use is not for them.
type subgraph struct {
	graphql.ExecutableSchema
	whole *ast.Schema
}

// newSubgraph returns the schema that is executed, and its text for routers.
func newSubgraph(r *Resolver) (schema *subgraph, sdl string) {
	whole := generated.NewExecutableSchema(generated.Config{Resolvers: r}).Schema()
	public := without(whole)
	public.SchemaDirectives = nil
	return &subgraph{generated.NewExecutableSchema(generated.Config{Resolvers: r, Schema: public}), whole}, sdlOf(whole)
}

// Schema returns what operations are validated against. Introspection shows the schema of the embedded one.
func (s *subgraph) Schema() *ast.Schema { return s.whole }

// sdlOf returns the schema as a router composes it with others. Which subgraph an id is of is not known to the router, so that it could
// not tell whose node or nodes to ask: they are left to a subgraph that knows all of them.
func sdlOf(whole *ast.Schema) string {
	var sdl strings.Builder
	formatter.NewFormatter(&sdl, formatter.WithIndent("  ")).FormatSchema(without(whole, "node", "nodes"))
	return sdl.String()
}

// without returns the schema without what Federation needs to ask, and without some fields of Query.
func without(whole *ast.Schema, fields ...string) *ast.Schema {
	ours := func(name string) bool { return strings.HasPrefix(name, "__") || !strings.HasPrefix(name, "_") }
	s := *whole
	s.Types = maps.Clone(whole.Types)
	maps.DeleteFunc(s.Types, func(name string, _ *ast.Definition) bool { return !ours(name) })
	s.Directives = maps.Clone(whole.Directives)
	maps.DeleteFunc(s.Directives, func(_ string, d *ast.DirectiveDefinition) bool { return !d.Position.Src.BuiltIn })
	query := *whole.Query
	query.Fields = slices.DeleteFunc(slices.Clone(query.Fields), func(f *ast.FieldDefinition) bool {
		return !ours(f.Name) || slices.Contains(fields, f.Name)
	})
	s.Query, s.Types[query.Name] = &query, &query
	return &s
}

// Service returns what routers read of the schema.
func (r *Resolver) Service() generated.Service { return generated.Service{Sdl: r.sdl} }

// Entities resolves representations to CVMs, in their order. It returns nil where it adds an error that is about all of them.
func (r *Resolver) Entities(ctx context.Context, representations []any) []generated.Entity {
	if len(representations) > r.MaxFirst {
		graphql.AddError(ctx, &relay.ArgumentError{
			Argument: "representations", Reason: fmt.Sprintf("must be at most %d, not %d", r.MaxFirst, len(representations)),
		})
		return nil
	}
	cvms, err := operationFrom(ctx).lookup(ctx)
	if err != nil {
		graphql.AddError(ctx, err)
		return nil
	}
	field := graphql.GetFieldContext(ctx)
	entities := make([]generated.Entity, len(representations))
	for i, representation := range representations {
		path := appendPath(field.Path(), ast.PathIndex(i))
		identity, err := identityOf(representation)
		if err != nil {
			graphql.AddError(ctx, &gqlerror.Error{Err: err, Message: err.Error(), Path: path})
			continue
		}
		if item, ok := cvms[identity]; ok {
			reportItem(ctx, field.Field, path, 0, invalidFields(item))
			entities[i] = &model.Cvm{Indexed: item}
		}
	}
	return entities
}

// identityOf returns what a representation names: by its id, where it has one, else by its vmId. The error is a *relay.ArgumentError.
func identityOf(representation any) (relay.Identity, error) {
	wrong := func(reason string) (relay.Identity, error) {
		return relay.Identity{}, &relay.ArgumentError{Argument: "representations", Reason: reason}
	}
	keys, ok := representation.(map[string]any)
	if !ok || keys["__typename"] != "Cvm" {
		return wrong("has one that is not of the __typename Cvm")
	}
	parse, key := relay.ParseNodeID, keys["id"]
	if key == nil {
		parse, key = vmIdentity, keys["vmId"]
	}
	if key == nil {
		return wrong("has one with neither id nor vmId")
	}
	id, err := graphql.UnmarshalID(key)
	if err != nil {
		return wrong("has one whose key is not a text")
	}
	identity, err := parse(id)
	if err != nil {
		return wrong("has one whose key is not of this gateway: take it from an object, unchanged")
	}
	return identity, nil
}
