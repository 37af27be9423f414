package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
)

const (
	// persistedBytes bounds the texts of persisted queries, in bytes.
	persistedBytes = 8 << 20
	// entryBytes is what an entry takes besides.
	entryBytes = 200
)

// boundedCache is a gqlgen cache that is bounded by bytes, and keeps what is used.
type boundedCache[V any] struct{ entries *otter.Cache[string, V] }

func newBoundedCache[V any](bytes uint64, weigh func(key string, value V) uint32) boundedCache[V] {
	return boundedCache[V]{otter.Must(&otter.Options[string, V]{MaximumWeight: bytes, Weigher: weigh})}
}

// Get returns what is kept for the key.
func (c boundedCache[V]) Get(_ context.Context, key string) (V, bool) {
	return c.entries.GetIfPresent(key)
}

// Add keeps a value, for as long as there is room.
func (c boundedCache[V]) Add(_ context.Context, key string, value V) { c.entries.Set(key, value) }

// persistedQueries are queries that requests name: those that an operator trusts, by their ids, and automatic persisted queries, by
// the hash of a query that was sent before.
type persistedQueries struct {
	texts   boundedCache[string]
	shared  SharedTexts // nil: none
	trusted *trusted
}

// SharedTexts are texts that replicas share. Neither method fails or takes long; a text may be lost.
type SharedTexts interface {
	Load(ctx context.Context, key string) (text string, ok bool)
	Save(ctx context.Context, key, text string)
}

func newPersistedQueries(shared SharedTexts, trusted *trusted) *persistedQueries {
	return &persistedQueries{newBoundedCache(persistedBytes, func(hash, query string) uint32 {
		return uint32(len(hash) + len(query) + entryBytes)
	}), shared, trusted}
}

// named returns the query of a document's id, or of a hash where the id is empty.
func (p *persistedQueries) named(ctx context.Context, id, hash string) (string, bool) {
	if id != "" {
		return p.trusted.find(id)
	}
	if query, ok := p.trusted.find(hash); ok || p.trusted.only() {
		return query, ok
	}
	return p.find(ctx, hash)
}

// find returns the query of a hash that was sent before.
func (p *persistedQueries) find(ctx context.Context, hash string) (string, bool) {
	if query, ok := p.texts.Get(ctx, hash); ok || p.shared == nil {
		return query, ok
	}
	query, ok := p.shared.Load(ctx, hash)
	if !ok || hashOf(query) != hash {
		return "", false
	}
	p.texts.Add(ctx, hash, query)
	return query, true
}

// keep keeps the query of a hash.
func (p *persistedQueries) keep(ctx context.Context, hash, query string) {
	if _, ok := p.texts.Get(ctx, hash); ok {
		return
	}
	p.texts.Add(ctx, hash, query)
	if p.shared != nil {
		p.shared.Save(ctx, hash, query)
	}
}

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

// ExtensionName names the extension for gqlgen.
func (*persistedQueries) ExtensionName() string { return "PersistedQueries" }

// Validate accepts every schema.
func (*persistedQueries) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters fills in the query that a request names, or keeps the query that came with its hash. It refuses what is
// not trusted.
func (p *persistedQueries) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	op := operationFrom(ctx)
	hash, refusal := hashIn(params.Extensions)
	if refusal != nil {
		return refusal.GraphQL()
	}
	sent := params.Query != ""
	if !sent {
		var ok bool
		if params.Query, ok = p.named(ctx, op.documentID, hash); !ok {
			message := "PersistedQueryNotFound" // which clients go by
			if op.documentID != "" {
				message = "the gateway has no document of this documentId"
			}
			return (&apierror.Error{Code: apierror.CodePersistedNotFound, Message: message}).GraphQL()
		}
	} else if hash != "" && hashOf(params.Query) != hash {
		return apierror.BadRequest("extensions.persistedQuery.sha256Hash is not the hash of the query").GraphQL()
	}
	if refusal := p.trusted.check(ctx, op, params.Query); refusal != nil {
		return refusal.GraphQL()
	}
	if sent && hash != "" && !p.trusted.has(params.Query) {
		p.keep(ctx, hash, params.Query)
	}
	return nil
}

// hashIn returns the hash of an automatic persisted query, "" where the extensions have none.
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
