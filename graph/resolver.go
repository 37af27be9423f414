// Package graph answers GraphQL operations about CVMs from the upstream's paginated list.
package graph

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/querylimit"
	"cvmgraph/restclient"
)

// Resolver is what resolving an operation needs besides its request. All fields but DefaultCredential, Introspection,
// PersistedQueries, Projection, Repeats and TrustedDocuments are required. It is read-only once [NewHandler] has it.
type Resolver struct {
	// Pages is where pages come from.
	Pages pages.Source
	// Projection writes selected fields from the pages' bytes. Where it is false, gqlgen executes all fields.
	Projection bool
	// APIVersion is the version that Pages are of. Cursors are bound to it.
	APIVersion string
	// MaxFirst is the largest first or last, in items.
	MaxFirst int
	// MaxUpstreamCalls is how many upstream calls an operation may take, at least 1.
	MaxUpstreamCalls int
	// Limits bound a document.
	Limits querylimit.Limits
	// Introspection lets clients ask for the schema. Where it is false, errors do not suggest names either.
	Introspection bool
	// DefaultCredential stands in where a request has none. Zero: such a request is UNAUTHENTICATED.
	DefaultCredential restclient.Credential
	// Repeats are kept for requests that come again.
	Repeats Repeats
	// PersistedQueries are those that replicas share; nil: none.
	PersistedQueries SharedTexts
	// TrustedDocuments are those that clients may name, or that are answered alone.
	TrustedDocuments TrustedDocuments
	// RequestID returns the id under which the request is logged.
	RequestID func(context.Context) string
	// Tracer is told what operations do; nil: nobody is.
	Tracer *Tracer
	// Logger takes what must not be shown to clients.
	Logger *slog.Logger

	hints *hintCache
	sdl   string // for routers
}

// NewHandler returns the GraphQL endpoint: POST and GET, at any path. It is safe for concurrent use.
func NewHandler(r *Resolver) http.Handler {
	schema, sdl := newSubgraph(r)
	exec := executor.New(schema)
	r.hints, r.sdl = newHintCache(), sdl
	exec.SetErrorPresenter(r.presentError)
	exec.SetRecoverFunc(func(_ context.Context, value any) error { return panics.FromRecover(value) })
	exec.Use(newJoint(projection.NewPlanner(pages.Shape()), r.Projection, r.Tracer)) // the first, so that it gets what the others have made of a field
	exec.Use(newPersistedQueries(r.PersistedQueries, newTrusted(r.TrustedDocuments, r.Logger)))
	querylimit.Install(exec, schema.Schema(), r.Limits, r.Introspection)
	exec.Use(callBudgetCheck{r}) // after the check of conditions: it evaluates them
	if r.Introspection {
		exec.Use(extension.Introspection{})
	}
	return &transport{resolver: r, exec: exec, writer: newAnswerWriter(), repeats: newRepeats(r.Pages, r.Repeats)}
}
