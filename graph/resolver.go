// Package graph answers GraphQL operations about CVMs from the upstream's paginated list.
package graph

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

// Resolver is what resolving an operation needs besides its request. All fields but DefaultCredential, Introspection
// and Projection are required. It is read-only once [NewHandler] has it.
type Resolver struct {
	// Fetch fetches pages.
	Fetch pages.Fetch
	// Projection writes selected fields from the pages' bytes. Where it is false, gqlgen executes all fields.
	Projection bool
	// APIVersion is the version that Fetch asks for. Cursors are bound to it.
	APIVersion string
	// MaxFirst is the largest first or last, in items.
	MaxFirst int
	// Limits bound a document.
	Limits Limits
	// Introspection lets clients ask for the schema. Where it is false, errors do not suggest names either.
	Introspection bool
	// DefaultCredential stands in where a request has none. Zero: such a request is UNAUTHENTICATED.
	DefaultCredential restclient.Credential
	// RequestID returns the id under which the request is logged.
	RequestID func(context.Context) string
	// Logger takes what must not be shown to clients.
	Logger *slog.Logger

	hints *hintCache
}

// NewHandler returns the GraphQL endpoint: POST and GET, at any path. It is safe for concurrent use.
func NewHandler(r *Resolver) http.Handler {
	server := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r}))
	r.hints = newHintCache()
	parsed := newParsedQueries()
	var planner *projection.Planner
	if r.Projection {
		planner = projection.NewPlanner(pages.Shape())
	}
	server.Use(newJoint(planner)) // the first, so that it gets what the others have made of a field
	server.AddTransport(&transport{present: r.presentError})
	server.SetQueryCache(parsed)
	server.SetErrorPresenter(r.presentError)
	server.SetRecoverFunc(recoverPanic)
	server.Use(newPersistedQueries())
	server.Use(&limiter{r.Limits, parsed})
	server.Use(conditions{})
	if r.Introspection {
		server.Use(extension.Introspection{})
	} else {
		server.SetValidationRulesFn(withoutIntrospection)
		server.SetDisableSuggestion(true)
	}
	server.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return r.startOperation(ctx, next)
	})
	server.AroundResponses(extend)
	return server
}
