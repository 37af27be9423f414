package graph

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/relay"
)

var _ generated.Federation = (*Resolver)(nil)

// subgraph is an executable schema. Clients do not see the parts of it that only Federation routers
// use.
type subgraph struct {
	graphql.ExecutableSchema
	whole *ast.Schema
}

// newSubgraph returns the executable schema, and its SDL for routers.
func newSubgraph(r *Resolver) (schema *subgraph, sdl string) {
	whole := generated.NewExecutableSchema(generated.Config{Resolvers: r}).Schema()
	public := without(whole)
	public.SchemaDirectives = nil
	return &subgraph{generated.NewExecutableSchema(generated.Config{Resolvers: r, Schema: public}), whole}, sdlOf(whole)
}

// Schema returns the schema for the validation of operations. Introspection shows the embedded
// schema.
func (s *subgraph) Schema() *ast.Schema { return s.whole }

// sdlOf returns the SDL that a router composes with that of other subgraphs. It has no fields node
// and nodes: a router does not know which subgraph an id belongs to, so that it could not choose
// one for these fields.
func sdlOf(whole *ast.Schema) string {
	var sdl strings.Builder
	formatter.NewFormatter(&sdl, formatter.WithIndent("  ")).FormatSchema(without(whole, "node", "nodes"))
	return sdl.String()
}

// without returns the schema without the types and fields of Federation, and without the given
// fields of Query.
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

// Service returns the SDL for routers.
func (r *Resolver) Service() generated.Service { return generated.Service{Sdl: r.sdl} }

// Entities resolves representations to CVMs, in their order. It returns nil if it adds an error
// about all of them.
func (r *Resolver) Entities(ctx context.Context, representations []any) []generated.Entity {
	toEntity := func(cvm *model.Cvm) generated.Entity { return cvm }
	entities, err := lookupAll(ctx, r, "representations", representations, identityOf, toEntity)
	if err != nil {
		graphql.AddError(ctx, err)
	}
	return entities
}

// identityOf returns the identity in a representation: its id if it has one, else its vmId. The
// error is a *relay.ArgumentError.
func identityOf(representation any) (relay.Identity, error) {
	wrong := func(reason string) (relay.Identity, error) {
		return relay.Identity{}, invalidArgument("representations", reason)
	}
	keys, ok := representation.(map[string]any)
	if !ok || keys["__typename"] != "Cvm" {
		return wrong("has an element whose __typename is not Cvm")
	}
	parse, key := relay.ParseNodeID, keys["id"]
	if key == nil {
		parse, key = vmIdentity, keys["vmId"]
	}
	if key == nil {
		return wrong("has an element with neither id nor vmId")
	}
	id, ok := idString(key)
	if !ok {
		return wrong("has an element whose key is not a string")
	}
	identity, err := parse(id)
	if err != nil {
		return wrong("has an element whose key is not of this gateway: use the key of an object, unchanged")
	}
	return identity, nil
}
