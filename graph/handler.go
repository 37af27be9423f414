package graph

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/panics"
	"cvmgraph/internal/persisted"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/querylimit"
)

// NewHandler returns the GraphQL endpoint. It is safe for concurrent use.
func NewHandler(r *Resolver) http.Handler {
	schema, sdl := newSubgraph(r)
	r.hints, r.sdl = newHintCache(), sdl
	exec := executor.New(schema)
	exec.SetErrorPresenter(r.presentError)
	exec.SetRecoverFunc(func(_ context.Context, value any) error { return panics.FromRecover(value) })
	// The first extension is the outermost one: it receives what the others return for a field.
	exec.Use(newProjectionExtension(projection.NewPlanner(pages.Shape()), r.Projection, r.Tracer))
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
	return graphqlhttp.New(graphqlhttp.Options{
		Executor:      exec,
		NewOperation:  func(header http.Header) graphqlhttp.Operation { return r.newOperation(header) },
		PresentError:  r.presentError,
		Observer:      graphqlhttp.Observer{Executed: r.Tracer.executed, CacheHit: r.Tracer.cacheHit, Refused: r.Tracer.refused},
		ResponseCache: r.ResponseCache,
	})
}

// The methods of [graphqlhttp.Operation].

// CacheScope returns the key of the credential. The response cache is not used for requests without
// a valid credential, with Cache-Control: no-cache, or with the header of extensions.upstream.
func (op *operation) CacheScope() (scope [32]byte, ok bool) {
	return op.credentialKey, op.credentialErr == nil && op.since.IsZero() && !op.explain
}

// WithDocument returns the context of the operation's resolvers.
func (op *operation) WithDocument(ctx context.Context, documentID string) context.Context {
	op.documentID = documentID
	return context.WithValue(ctx, operationKey{}, op)
}

// AppendData appends gqlgen's data, with the projections in it.
func (op *operation) AppendData(dst, data []byte) ([]byte, *gqlerror.Error) {
	return op.segments.appendData(dst, data)
}

// Extensions returns the extensions of the operation's response.
func (op *operation) Extensions() map[string]any { return op.extensions() }

// Sources returns the pages of the response. It returns false if one of them is not cached, or if
// the document is not trusted, because requests with such a document are counted.
func (op *operation) Sources() (graphqlhttp.Sources, bool) {
	if op.loader == nil || op.untrusted {
		return nil, false
	}
	versions, ok := op.loader.PageVersions()
	return &pageSources{op.resolver.Pages, op.credentialKey, versions}, ok
}

// pageSources are the pages that a response was made from.
type pageSources struct {
	pages    pages.Source
	key      pages.CredentialKey
	versions []pages.PageVersion
}

// Current reports whether all pages are still cached, in the same version.
func (s *pageSources) Current() bool {
	for _, version := range s.versions {
		page, ok := s.pages.Cached(s.key, version.Request)
		if !ok || !page.Received.Equal(version.Received) {
			return false
		}
	}
	return true
}

// versionBytes is the approximate size of a page version, in bytes.
const versionBytes = 64

// MemorySize returns the approximate size of the list of pages, in bytes.
func (s *pageSources) MemorySize() int { return versionBytes * cap(s.versions) }
