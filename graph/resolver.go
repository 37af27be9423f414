// Package graph resolves GraphQL operations about CVMs from the upstream's paginated list.
package graph

import (
	"context"
	"log/slog"

	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/hints"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/persisted"
	"cvmgraph/internal/querylimit"
	"cvmgraph/restclient"
)

// Resolver resolves operations. All fields but DefaultCredential, Introspection, PersistedQueries,
// Projection, ResponseCache, Tracer and TrustedDocuments are required. It must not be changed after
// it was passed to [NewHandler].
type Resolver struct {
	// Pages returns the upstream's pages.
	Pages pages.Source
	// Projection makes projections write the selected fields from the pages' bytes. If false,
	// gqlgen executes all fields.
	Projection bool
	// APIVersion is the version of the upstream's API. Cursors are bound to it.
	APIVersion string
	// MaxFirst is the maximum of the arguments first and last, in items.
	MaxFirst int
	// MaxUpstreamCalls is the maximum number of upstream calls of one operation. It must be at
	// least 1.
	MaxUpstreamCalls int
	// Limits are the limits of a document.
	Limits querylimit.Limits
	// Introspection lets clients select the schema. If false, errors do not suggest names either.
	Introspection bool
	// DefaultCredential is the credential of requests without one. If zero, such requests are
	// rejected with UNAUTHENTICATED.
	DefaultCredential restclient.Credential
	// ResponseCache configures the response cache. The zero value disables it.
	ResponseCache graphqlhttp.ResponseCacheOptions
	// PersistedQueries stores the automatic persisted queries that replicas share. If nil, each
	// replica has its own.
	PersistedQueries persisted.Store
	// TrustedDocuments are the documents that clients may name by ID.
	TrustedDocuments persisted.TrustedDocuments
	// RequestID returns the ID of the context's request in the log.
	RequestID func(context.Context) string
	// Tracer records operations. If nil, operations are not recorded.
	Tracer *Tracer
	// Logger receives the errors that clients must not see.
	Logger *slog.Logger

	hints *hints.Cache
	sdl   string // for routers
}
