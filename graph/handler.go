package graph

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/hints"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/persisted"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/querylimit"
	"cvmgraph/restclient"
)

// NewHandler returns the GraphQL endpoint. It is safe for concurrent use.
func NewHandler(r *Resolver) http.Handler { return newHandler(r) }

// newHandler returns the GraphQL endpoint with more extensions, which are the innermost ones.
func newHandler(r *Resolver, more ...graphql.HandlerExtension) http.Handler {
	schema, sdl := newSubgraph(r)
	r.hints, r.sdl = hints.NewCache(), sdl
	exec := executor.New(schema)
	exec.SetErrorPresenter(r.presentError)
	exec.SetRecoverFunc(func(_ context.Context, value any) error { return panics.FromRecover(value) })
	// The first extension is the outermost one: it receives what the others return for a field.
	exec.Use(newProjectionExtension(projection.NewCompiler(pages.Layout(restclient.ShapeOf(r.APIVersion))), r.Projection, r.Tracer))
	exec.Use(persisted.New(persisted.Options{
		Store:         r.PersistedQueries,
		Trusted:       r.TrustedDocuments,
		DocumentID:    func(ctx context.Context) string { return operationFrom(ctx).documentID },
		MarkUntrusted: func(ctx context.Context) { operationFrom(ctx).untrusted = true },
		Logger:        r.Logger,
	}))
	querylimit.Install(exec, schema.Schema(), r.Limits, r.Introspection)
	exec.Use(callBudgetCheck{r}) // after querylimit's check of conditions: it evaluates them
	if r.Introspection {
		exec.Use(extension.Introspection{})
	}
	for _, e := range more {
		exec.Use(e)
	}
	return graphqlhttp.New(graphqlhttp.Options{
		Executor:      exec,
		NewOperation:  func(header http.Header) graphqlhttp.Operation { return r.newOperation(header) },
		PresentError:  r.presentError,
		Observer:      graphqlhttp.Observer{Executed: r.Tracer.executed, CacheHit: r.Tracer.cacheHit, Rejected: r.Tracer.rejected},
		ResponseCache: r.ResponseCache,
	})
}
