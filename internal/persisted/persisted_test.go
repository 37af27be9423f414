package persisted_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/internal/persisted"
)

const (
	trustedQuery = "{ trusted }"
	otherQuery   = "{ other }"
)

// hash returns the SHA-256 of a query, in hex.
func hash(query string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(query))) }

// withHash returns the extensions of an automatic persisted query.
func withHash(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": json.Number("1"), "sha256Hash": hash}}
}

// store is a Store in memory.
type store map[string]string

func (s store) Load(_ context.Context, hash string) (string, bool) {
	query, ok := s[hash]
	return query, ok
}

func (s store) Save(_ context.Context, hash, query string) { s[hash] = query }

// fixture is the extension under test, its input, and the events that it has reported.
type fixture struct {
	queries    *persisted.Queries
	documentID string // of the next request
	marked     int
	untrusted  int
	log        bytes.Buffer
}

func newFixture(mode persisted.TrustMode, shared persisted.Store) *fixture {
	f := &fixture{}
	f.queries = persisted.New(persisted.Options{
		Store: shared,
		Trusted: persisted.TrustedDocuments{
			Mode: mode, Documents: map[string]string{"list": trustedQuery}, Untrusted: func() { f.untrusted++ },
		},
		DocumentID:    func(context.Context) string { return f.documentID },
		MarkUntrusted: func(context.Context) { f.marked++ },
		Logger:        slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	return f
}

// send returns the query that is executed, or the message of the error.
func (f *fixture) send(t *testing.T, query, documentID string, extensions map[string]any) (executed, message string) {
	t.Helper()
	f.documentID = documentID
	params := &graphql.RawParams{Query: query, Extensions: extensions}
	if err := f.queries.MutateOperationParameters(t.Context(), params); err != nil {
		return "", err.Message
	}
	return params.Query, ""
}

func TestQueries_registered(t *testing.T) {
	t.Parallel()
	f := newFixture(persisted.TrustOff, nil)
	if _, got := f.send(t, "", "", withHash(hash(otherQuery))); got != "PersistedQueryNotFound" {
		t.Errorf("before: got the message %q, want PersistedQueryNotFound", got)
	}
	if got, message := f.send(t, otherQuery, "", withHash(hash(otherQuery))); got != otherQuery {
		t.Errorf("with its hash: got %q and the message %q, want %s", got, message, otherQuery)
	}
	if got, message := f.send(t, "", "", withHash(hash(otherQuery))); got != otherQuery {
		t.Errorf("after: got %q and the message %q, want %s", got, message, otherQuery)
	}
	if _, got := f.send(t, otherQuery, "", withHash(hash(trustedQuery))); !strings.Contains(got, "is not the hash") {
		t.Errorf("another hash: got the message %q", got)
	}
	if f.marked > 0 || f.untrusted > 0 || f.log.Len() > 0 {
		t.Errorf("got %d untrusted documents and the log %s, want none", f.untrusted, &f.log)
	}
}

func TestQueries_sharedStore(t *testing.T) {
	t.Parallel()
	shared := store{hash(otherQuery): otherQuery, hash("{ forged }"): otherQuery}
	f := newFixture(persisted.TrustOff, shared)
	if got, message := f.send(t, "", "", withHash(hash(otherQuery))); got != otherQuery {
		t.Errorf("got %q and the message %q, want %s", got, message, otherQuery)
	}
	if got, _ := f.send(t, "", "", withHash(hash("{ forged }"))); got != "" {
		t.Errorf("a query with another hash: got %q, want an error", got)
	}
	f.send(t, "{ fresh }", "", withHash(hash("{ fresh }")))
	if shared[hash("{ fresh }")] != "{ fresh }" {
		t.Error("the store does not have the fresh query")
	}
}

func TestQueries_trustModes(t *testing.T) {
	t.Parallel()
	for mode, test := range map[persisted.TrustMode]struct {
		byID, other       string // the executed query, or empty
		untrusted, marked int
	}{
		persisted.TrustOff:     {other: otherQuery},
		persisted.TrustLog:     {byID: trustedQuery, other: otherQuery, untrusted: 2, marked: 2},
		persisted.TrustEnforce: {byID: trustedQuery, untrusted: 2},
	} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFixture(mode, store{})
			for _, id := range []string{"list", hash(trustedQuery), "sha256:" + hash(trustedQuery)} {
				if got, message := f.send(t, "", id, nil); got != test.byID {
					t.Errorf("the ID %s: got %q and the message %q, want %q", id, got, message, test.byID)
				}
			}
			for range 2 {
				if got, message := f.send(t, otherQuery, "", nil); got != test.other {
					t.Errorf("got %q and the message %q, want %q", got, message, test.other)
				}
			}
			if f.untrusted != test.untrusted || f.marked != test.marked {
				t.Errorf("got %d untrusted documents, %d executed, want %d and %d", f.untrusted, f.marked, test.untrusted, test.marked)
			}
			if got, want := strings.Count(f.log.String(), "\n"), min(test.marked, 1); got != want {
				t.Errorf("got the log %q, want %d lines", f.log.String(), want)
			}
		})
	}
}
