package graph_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/config"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/persisted"
)

// documentsOf reads a file that one of the tools wrote, with the program's reader.
func documentsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	settings, err := config.Parse([]string{"--trusted-documents=../internal/config/testdata/documents/" + file}, nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return settings.Documents
}

// trusting returns a change of a gateway that makes it trust the documents, and the counter of
// requests with untrusted documents.
func trusting(mode persisted.TrustMode, documents map[string]string) (func(*graph.Resolver), *atomic.Int64) {
	var untrusted atomic.Int64
	return func(r *graph.Resolver) {
		r.TrustedDocuments = persisted.TrustedDocuments{Mode: mode, Documents: documents, Untrusted: func() { untrusted.Add(1) }}
	}, &untrusted
}

// object returns a JSON object. The members are pairs of a name and a value.
func object(t *testing.T, members ...any) string {
	t.Helper()
	o := map[string]any{}
	for i := 0; i < len(members); i += 2 {
		o[members[i].(string)] = members[i+1]
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func persistedQuery(hash string) any {
	return vars{"persistedQuery": vars{"version": 1, "sha256Hash": hash}}
}

func TestTrustedDocuments_eachTool(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	ids, vmIDs := everyID(t, newGateway(t, upstream))
	variables := vars{"first": 2, "id": ids[0], "vmId": vmIDs[0]}
	for file, n := range map[string]int{"relay-md5.json": 2, "relay-sha256.json": 2, "codegen.json": 2, "codegen-sha1.json": 2, "genqlient.json": 2} {
		for _, mode := range []persisted.TrustMode{persisted.TrustLog, persisted.TrustEnforce} {
			t.Run(file+", "+string(mode), func(t *testing.T) {
				t.Parallel()
				documents := documentsOf(t, file)
				if len(documents) != n {
					t.Fatalf("got %d documents, want %d", len(documents), n)
				}
				change, untrusted := trusting(mode, documents)
				g := newGateway(t, upstream, change)
				send := func(method, target, body string) string {
					return string(withoutCursors(g.send(t, method, target, body).Body.Bytes()))
				}
				for id, document := range documents {
					hash := hashOf(document)
					want := send(http.MethodPost, "/graphql", object(t, "query", document, "variables", variables))
					if !strings.HasPrefix(want, `{"data":{"`) || strings.Contains(want, "null") {
						t.Errorf("%s by its document: got %s, want data", id, want)
					}
					for name, body := range map[string]string{
						"its ID":                     object(t, "documentId", id, "variables", variables),
						"its ID, and null for query": object(t, "documentId", id, "query", nil, "variables", variables),
						"its hash as ID":             object(t, "documentId", "sha256:"+hash, "variables", variables),
						"its hash":                   object(t, "extensions", persistedQuery(hash), "variables", variables),
						"its document with its hash": object(t, "query", document, "extensions", persistedQuery(hash), "variables", variables),
					} {
						if got := send(http.MethodPost, "/graphql", body); got != want {
							t.Errorf("%s by %s: got %s, want %s", id, name, got, want)
						}
					}
					values := url.Values{"documentId": {id}, "variables": {object(t, "first", 2, "id", ids[0], "vmId", vmIDs[0])}}
					if got := send(http.MethodGet, "/graphql?"+values.Encode(), ""); got != want {
						t.Errorf("%s by GET: got %s, want %s", id, got, want)
					}
				}
				if n := untrusted.Load(); n > 0 || g.log.Len() > 0 {
					t.Errorf("got %d untrusted documents and the log %s, want none", n, &g.log)
				}
			})
		}
	}
}

func TestTrustedDocuments_untrusted(t *testing.T) {
	t.Parallel()
	const trustedQuery, otherQuery = `{ cvms(first: 1) { totalCount } }`, `{ cvms(first: 1) { totalCount }  }`
	documents := map[string]string{"list": trustedQuery}
	const notFound, notTrusted = "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED"
	other := hashOf("{ other: __typename }")
	tests := map[string]struct {
		body string
		// The code of the error by mode, empty if there is data.
		off, log, enforce string
		untrusted         int // how often the document is counted as untrusted
	}{
		"a trusted document":                   {body: object(t, "query", trustedQuery)},
		"another document":                     {body: object(t, "query", otherQuery), enforce: notTrusted, untrusted: 1},
		"another document with its hash":       {body: object(t, "query", otherQuery, "extensions", persistedQuery(hashOf(otherQuery))), enforce: notTrusted, untrusted: 1},
		"another document with a trusted ID":   {body: object(t, "query", otherQuery, "documentId", "list"), enforce: notTrusted, untrusted: 1},
		"another document with a trusted hash": {body: object(t, "query", otherQuery, "extensions", persistedQuery(hashOf(trustedQuery))), off: "BAD_REQUEST", log: "BAD_REQUEST", enforce: "BAD_REQUEST"},
		"a malformed document":                 {body: object(t, "query", "{"), off: "GRAPHQL_PARSE_FAILED", log: "GRAPHQL_PARSE_FAILED", enforce: notTrusted, untrusted: 1},
		"GraphiQL's introspection":             {body: object(t, "query", "query IntrospectionQuery { __schema { queryType { name } } }"), enforce: notTrusted, untrusted: 1},
		"a router's introspection":             {body: object(t, "query", "{ _service { sdl } }"), enforce: notTrusted, untrusted: 1},
		"a trusted ID":                         {body: object(t, "documentId", "list"), off: notFound},
		"an unknown ID":                        {body: object(t, "documentId", "lisd"), off: notFound, log: notFound, enforce: notFound},
		"an unknown hash as ID":                {body: object(t, "documentId", "sha256:"+other), off: notFound, log: notFound, enforce: notFound},
		"an unknown hash":                      {body: object(t, "extensions", persistedQuery(other)), off: notFound, log: notFound, enforce: notFound},
		"an ID that is a number":               {body: object(t, "documentId", 7), off: "BAD_REQUEST", log: "BAD_REQUEST", enforce: "BAD_REQUEST"},
		"an empty ID":                          {body: object(t, "documentId", ""), off: "BAD_REQUEST", log: "BAD_REQUEST", enforce: "BAD_REQUEST"},
		"two IDs":                              {body: `{"documentId":"list","documentId":"list"}`, off: "BAD_REQUEST", log: "BAD_REQUEST", enforce: "BAD_REQUEST"},
	}
	upstream := demo.New(demo.Options{})
	for name, test := range tests {
		for mode, want := range map[persisted.TrustMode]string{persisted.TrustOff: test.off, persisted.TrustLog: test.log, persisted.TrustEnforce: test.enforce} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				t.Parallel()
				change, untrusted := trusting(mode, documents)
				g := newGateway(t, upstream, change)
				w := g.send(t, http.MethodPost, "/graphql", test.body, "Accept", mediaGraphQL)
				var a response
				if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
					t.Fatal(err)
				}
				switch {
				case want == "" && (w.Code != 200 || len(a.Errors) > 0):
					t.Errorf("got %d %s, want data", w.Code, w.Body)
				case want != "" && (w.Code != 400 || len(a.Errors) != 1 || a.Errors[0].code() != want || a.Data != nil):
					t.Errorf("got %d %s, want 400 and %s", w.Code, w.Body, want)
				}
				if calls := g.takeCalls(); want != "" && len(calls) > 0 {
					t.Errorf("got the calls %q, want none", calls)
				}
				wantCounted, wantLogged := test.untrusted, test.untrusted
				if mode == persisted.TrustOff {
					wantCounted = 0
				}
				if mode != persisted.TrustLog {
					wantLogged = 0
				}
				if n := untrusted.Load(); n != int64(wantCounted) {
					t.Errorf("got %d untrusted documents, want %d", n, wantCounted)
				}
				if got := strings.Count(g.log.String(), "\n"); got != wantLogged || strings.Contains(g.log.String(), "cvms") {
					t.Errorf("got the log %q, want %d lines without a document", &g.log, wantLogged)
				}
			})
		}
	}
}

func TestTrustedDocuments_loggedOnce(t *testing.T) {
	t.Parallel()
	change, untrusted := trusting(persisted.TrustLog, map[string]string{"a": "{ a: __typename }"})
	// Each request is counted, although the response cache is on.
	g := &gateway{timeout: upstreamTimeout, cache: pages.CacheOptions{TTL: time.Minute, MaxBytes: 1 << 20}}
	g.serveRecorded(t, demo.New(demo.Options{}), change, func(r *graph.Resolver) {
		r.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: time.Minute}
	})
	const query = `{ cvms(first: 1) { totalCount } }`
	for range 4 {
		g.post(t, query, nil, nil)
	}
	if got := g.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "sha256="+hashOf(query)) || untrusted.Load() != 4 {
		t.Errorf("got %d requests and the log %q, want 4 and one line with the document's hash", untrusted.Load(), got)
	}
	for i := range 1100 {
		g.post(t, fmt.Sprintf("{ a%d: __typename }", i), nil, nil)
	}
	lines := strings.Split(strings.TrimSpace(g.log.String()), "\n")
	if len(lines) != 1001 || !strings.Contains(lines[1000], "no more are logged") || untrusted.Load() != 1104 {
		t.Errorf("got %d requests, %d lines and the last %q, want 1104, 1001, and a last line that says so", untrusted.Load(), len(lines), lines[len(lines)-1])
	}
}

// sharedQueries are the persisted queries of other replicas.
type sharedQueries map[string]string

func (s sharedQueries) Load(_ context.Context, hash string) (string, bool) {
	query, ok := s[hash]
	return query, ok
}

func (s sharedQueries) Save(_ context.Context, hash, query string) { s[hash] = query }

func TestTrustedDocuments_sharedQuery(t *testing.T) {
	t.Parallel()
	const query = "{ __typename }"
	for mode, want := range map[persisted.TrustMode]string{
		persisted.TrustLog:     `{"data":{"__typename":"Query"}}`,
		persisted.TrustEnforce: `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`,
	} {
		shared := sharedQueries{hashOf(query): query}
		change, untrusted := trusting(mode, map[string]string{"a": "{ a: __typename }"})
		g := newGateway(t, demo.New(demo.Options{}), change, func(r *graph.Resolver) { r.PersistedQueries = shared })
		body := object(t, "extensions", persistedQuery(hashOf(query)))
		if got := g.send(t, http.MethodPost, "/graphql", body).Body.String(); got != want {
			t.Errorf("%s: got %s, want %s", mode, got, want)
		}
		if n := untrusted.Load(); (n == 1) != (mode == persisted.TrustLog) {
			t.Errorf("%s: got %d untrusted documents, want one if it is executed", mode, n)
		}
		// A rejected query is not stored for other replicas.
		const fresh = "{ fresh: __typename }"
		g.send(t, http.MethodPost, "/graphql", object(t, "query", fresh, "extensions", persistedQuery(hashOf(fresh))))
		if _, stored := shared[hashOf(fresh)]; stored != (mode == persisted.TrustLog) {
			t.Errorf("%s: stored: got %v, want it if the query is executed", mode, stored)
		}
	}
}

// hashOf returns the SHA-256 of a query, in hex.
func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

func TestPersistedQueries_register(t *testing.T) {
	t.Parallel()
	const query = "{ __typename }"
	hash := hashOf(query)
	known := fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q,"miss":true}}`, hash)
	tests := map[string]func(*testing.T, *gateway) *httptest.ResponseRecorder{
		"registered by POST": func(t *testing.T, g *gateway) *httptest.ResponseRecorder {
			t.Helper()
			return g.send(t, http.MethodPost, "/graphql", fmt.Sprintf(`{"query":%q,"extensions":%s}`, query, known))
		},
		"registered by GET": func(t *testing.T, g *gateway) *httptest.ResponseRecorder {
			t.Helper()
			return g.send(t, http.MethodGet, get(query, "extensions", known), "")
		},
	}
	for name, register := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{}))
			ask := map[string]func() *httptest.ResponseRecorder{
				"POST": func() *httptest.ResponseRecorder {
					return g.send(t, http.MethodPost, "/graphql", fmt.Sprintf(`{"extensions":%s}`, known))
				},
				"GET": func() *httptest.ResponseRecorder {
					return g.send(t, http.MethodGet, "/graphql?"+url.Values{"extensions": {known}}.Encode(), "")
				},
			}
			for method, ask := range ask {
				w := ask()
				if want := `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`; w.Body.String() != want {
					t.Errorf("%s, unknown: got %s, want %s", method, w.Body, want)
				}
			}
			if w := register(t, g); w.Body.String() != `{"data":{"__typename":"Query"}}` {
				t.Fatalf("register: got %s, want data", w.Body)
			}
			for method, ask := range ask {
				if w := ask(); w.Body.String() != `{"data":{"__typename":"Query"}}` {
					t.Errorf("%s, known: got %s, want data", method, w.Body)
				}
			}
		})
	}
	g := newGateway(t, demo.New(demo.Options{}))
	for name, body := range map[string]string{
		"another query's hash":          fmt.Sprintf(`{"query":"{ a: __typename }","extensions":%s}`, known),
		"another version":               fmt.Sprintf(`{"query":%q,"extensions":{"persistedQuery":{"version":2,"sha256Hash":%q}}}`, query, hash),
		"a malformed hash":              `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		"a string instead of an object": `{"extensions":{"persistedQuery":"x"}}`,
	} {
		if w := g.send(t, http.MethodPost, "/graphql", body); !strings.Contains(w.Body.String(), `"code":"BAD_REQUEST"`) {
			t.Errorf("%s: got %s, want BAD_REQUEST", name, w.Body)
		}
	}
}
