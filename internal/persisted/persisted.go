// Package persisted resolves documents that requests name instead of sending: trusted documents, by
// their IDs, and automatic persisted queries, by the SHA-256 of a query that was sent before.
package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
)

const (
	// cacheBytes limits the memory of automatic persisted queries, in bytes.
	cacheBytes = 8 << 20
	// entryBytes is the approximate size of an entry of the cache, without its content.
	entryBytes = 200
)

// Store holds automatic persisted queries that replicas share. Its methods do not fail and return
// soon; a query may be lost.
type Store interface {
	Load(ctx context.Context, hash string) (query string, ok bool)
	Save(ctx context.Context, hash, query string)
}

// Options configure [New].
type Options struct {
	// Store holds the automatic persisted queries of all replicas. If nil, each replica has its
	// own.
	Store Store
	// Trusted are the documents that clients may name by ID.
	Trusted TrustedDocuments
	// DocumentID returns the document ID of the context's request, or an empty string if it has
	// none.
	DocumentID func(context.Context) string
	// MarkUntrusted is called if the context's request has an untrusted document that is executed.
	MarkUntrusted func(context.Context)
	// Logger receives the hashes of untrusted documents.
	Logger *slog.Logger
}

// Queries is a gqlgen extension that fills in the documents that requests name, and rejects
// untrusted documents. It is safe for concurrent use.
type Queries struct {
	options Options
	queries *otter.Cache[string, string] // by SHA-256 in hex
	trusted *trusted
}

// New returns the extension.
func New(options Options) *Queries {
	return &Queries{
		options: options,
		queries: otter.Must(&otter.Options[string, string]{
			MaximumWeight: cacheBytes,
			Weigher:       func(hash, query string) uint32 { return uint32(len(hash) + len(query) + entryBytes) },
		}),
		trusted: newTrusted(options.Trusted, options.Logger),
	}
}

// ExtensionName names the extension for gqlgen.
func (*Queries) ExtensionName() string { return "PersistedQueries" }

// Validate accepts every schema.
func (*Queries) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters sets the query that a request names, or stores the query that it sends
// with its hash. It returns an error if the document is not trusted.
func (q *Queries) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	hash, err := hashIn(params.Extensions)
	if err != nil {
		return err.GraphQL()
	}
	sent := params.Query != ""
	if sent {
		err = checkHash(hash, params.Query)
	} else {
		params.Query, err = q.named(ctx, q.options.DocumentID(ctx), hash)
	}
	if err != nil {
		return err.GraphQL()
	}
	if !q.trusted.isTrusted(params.Query) {
		if err := q.trusted.reject(ctx, params.Query); err != nil {
			return err.GraphQL()
		}
		if q.trusted != nil {
			q.options.MarkUntrusted(ctx)
		}
		if sent && hash != "" {
			q.store(ctx, hash, params.Query)
		}
	}
	return nil
}

// named returns the query of a document ID. If the ID is empty, it returns the query of a hash.
func (q *Queries) named(ctx context.Context, id, hash string) (string, *apierror.Error) {
	if id != "" {
		if query, ok := q.trusted.find(id); ok {
			return query, nil
		}
		return "", notFound("the gateway has no document of this documentId")
	}
	query, ok := q.trusted.find(hash)
	if !ok && !q.trusted.isEnforced() {
		query, ok = q.load(ctx, hash)
	}
	if !ok {
		return "", notFound("PersistedQueryNotFound") // clients compare this message
	}
	return query, nil
}

func notFound(message string) *apierror.Error {
	return apierror.New(apierror.CodePersistedNotFound, message)
}

// load returns the query with a hash that was sent before.
func (q *Queries) load(ctx context.Context, hash string) (string, bool) {
	if query, ok := q.queries.GetIfPresent(hash); ok || q.options.Store == nil {
		return query, ok
	}
	query, ok := q.options.Store.Load(ctx, hash)
	if !ok || hashOf(query) != hash {
		return "", false
	}
	q.queries.Set(hash, query)
	return query, true
}

// store stores the query with a hash.
func (q *Queries) store(ctx context.Context, hash, query string) {
	if _, ok := q.queries.GetIfPresent(hash); ok {
		return
	}
	q.queries.Set(hash, query)
	if q.options.Store != nil {
		q.options.Store.Save(ctx, hash, query)
	}
}

// hashOf returns the SHA-256 of a query, in hex.
func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

// checkHash returns an error if the hash of a request is not that of its query. An empty hash is
// valid.
func checkHash(hash, query string) *apierror.Error {
	if hash != "" && hashOf(query) != hash {
		return apierror.BadRequest("extensions.persistedQuery.sha256Hash is not the hash of the query")
	}
	return nil
}

// hashIn returns the hash of an automatic persisted query, or an empty string if the extensions of
// the request do not have one.
func hashIn(extensions map[string]any) (string, *apierror.Error) {
	given, ok := extensions["persistedQuery"]
	if !ok || given == nil {
		return "", nil
	}
	persisted, _ := given.(map[string]any)
	hash, _ := persisted["sha256Hash"].(string)
	if persisted["version"] != json.Number("1") || len(hash) != hex.EncodedLen(sha256.Size) {
		return "", apierror.BadRequest("extensions.persistedQuery is not {version: 1, sha256Hash: <64 hex digits>}")
	}
	return hash, nil
}
