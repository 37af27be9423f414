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

// documentsOf reads a file that one of the tools wrote, as the program does.
func documentsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	settings, err := config.Parse([]string{"--trusted-documents=../internal/config/testdata/documents/" + file}, nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return settings.Documents
}

// trusting returns a change of a gateway that makes it trust the documents, and the number of requests for others.
func trusting(mode persisted.TrustMode, documents map[string]string) (func(*graph.Resolver), *atomic.Int64) {
	var untrusted atomic.Int64
	return func(r *graph.Resolver) {
		r.TrustedDocuments = persisted.TrustedDocuments{Mode: mode, Documents: documents, Untrusted: func() { untrusted.Add(1) }}
	}, &untrusted
}

// object returns the JSON of members, which are pairs of a name and a value.
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
					return string(withoutMemory(g.send(t, method, target, body).Body.Bytes()))
				}
				for id, text := range documents {
					hash := hashOf(text)
					want := send(http.MethodPost, "/graphql", object(t, "query", text, "variables", variables))
					if !strings.HasPrefix(want, `{"data":{"`) || strings.Contains(want, "null") {
						t.Errorf("%s by its text: got %s, want data", id, want)
					}
					for name, body := range map[string]string{
						"its id":                     object(t, "documentId", id, "variables", variables),
						"its id, and null for query": object(t, "documentId", id, "query", nil, "variables", variables),
						"its hash as an id":          object(t, "documentId", "sha256:"+hash, "variables", variables),
						"its hash":                   object(t, "extensions", persistedQuery(hash), "variables", variables),
						"its text with its hash":     object(t, "query", text, "extensions", persistedQuery(hash), "variables", variables),
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
	const trustedText, text = `{ cvms(first: 1) { totalCount } }`, `{ cvms(first: 1) { totalCount }  }`
	documents := map[string]string{"list": trustedText}
	const notFound, notTrusted = "PERSISTED_QUERY_NOT_FOUND", "DOCUMENT_NOT_TRUSTED"
	other := hashOf("{ other: __typename }")
	tests := map[string]struct {
		body string
		// The codes by mode, "" for data.
		off, log, enforce string
		noted             int // when it is answered or refused for not being trusted
	}{
		"a trusted text":                 {object(t, "query", trustedText), "", "", "", 0},
		"another":                        {object(t, "query", text), "", "", notTrusted, 1},
		"another with its hash":          {object(t, "query", text, "extensions", persistedQuery(hashOf(text))), "", "", notTrusted, 1},
		"another with a trusted id":      {object(t, "query", text, "documentId", "list"), "", "", notTrusted, 1},
		"another with a trusted hash":    {object(t, "query", text, "extensions", persistedQuery(hashOf(trustedText))), "BAD_REQUEST", "BAD_REQUEST", "BAD_REQUEST", 0},
		"what is no document":            {object(t, "query", "{"), "GRAPHQL_PARSE_FAILED", "GRAPHQL_PARSE_FAILED", notTrusted, 1},
		"GraphiQL's question":            {object(t, "query", "query IntrospectionQuery { __schema { queryType { name } } }"), "", "", notTrusted, 1},
		"a router's question":            {object(t, "query", "{ _service { sdl } }"), "", "", notTrusted, 1},
		"an id":                          {object(t, "documentId", "list"), notFound, "", "", 0},
		"an id that is none":             {object(t, "documentId", "lisd"), notFound, notFound, notFound, 0},
		"an unknown hash as an id":       {object(t, "documentId", "sha256:"+other), notFound, notFound, notFound, 0},
		"a hash that nobody sent before": {object(t, "extensions", persistedQuery(other)), notFound, notFound, notFound, 0},
		"an id that is no text":          {object(t, "documentId", 7), "BAD_REQUEST", "BAD_REQUEST", "BAD_REQUEST", 0},
		"an empty id":                    {object(t, "documentId", ""), "BAD_REQUEST", "BAD_REQUEST", "BAD_REQUEST", 0},
		"two ids":                        {`{"documentId":"list","documentId":"list"}`, "BAD_REQUEST", "BAD_REQUEST", "BAD_REQUEST", 0},
	}
	upstream := demo.New(demo.Options{})
	for name, test := range tests {
		for mode, want := range map[persisted.TrustMode]string{persisted.TrustOff: test.off, persisted.TrustLog: test.log, persisted.TrustEnforce: test.enforce} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				t.Parallel()
				change, untrusted := trusting(mode, documents)
				g := newGateway(t, upstream, change)
				w := g.send(t, http.MethodPost, "/graphql", test.body, "Accept", mediaGraphQL)
				var a answer
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
				wantNoted, wantLogged := test.noted, test.noted
				if mode == persisted.TrustOff {
					wantNoted = 0
				}
				if mode != persisted.TrustLog {
					wantLogged = 0
				}
				if n := untrusted.Load(); n != int64(wantNoted) {
					t.Errorf("got %d untrusted documents, want %d", n, wantNoted)
				}
				if got := strings.Count(g.log.String(), "\n"); got != wantLogged || strings.Contains(g.log.String(), "cvms") {
					t.Errorf("got the log %q, want %d lines without a document's text", &g.log, wantLogged)
				}
			})
		}
	}
}

func TestTrustedDocuments_loggedOnce(t *testing.T) {
	t.Parallel()
	change, untrusted := trusting(persisted.TrustLog, map[string]string{"a": "{ a: __typename }"})
	// Answers are kept, but each request is to be counted.
	g := &gateway{timeout: patience, cache: pages.CacheOptions{TTL: time.Minute, MaxBytes: 1 << 20}}
	g.over(t, demo.New(demo.Options{}), change, func(r *graph.Resolver) {
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
		t.Errorf("got %d requests, %d lines and the last %q, want 1104, 1001, and that it is the last", untrusted.Load(), len(lines), lines[len(lines)-1])
	}
}

// sharedTexts are persisted queries of other replicas.
type sharedTexts map[string]string

func (s sharedTexts) Load(_ context.Context, key string) (string, bool) {
	text, ok := s[key]
	return text, ok
}

func (s sharedTexts) Save(_ context.Context, key, text string) { s[key] = text }

func TestTrustedDocuments_sharedQuery(t *testing.T) {
	t.Parallel()
	const query = "{ __typename }"
	for mode, want := range map[persisted.TrustMode]string{
		persisted.TrustLog:     `{"data":{"__typename":"Query"}}`,
		persisted.TrustEnforce: `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`,
	} {
		shared := sharedTexts{hashOf(query): query}
		change, untrusted := trusting(mode, map[string]string{"a": "{ a: __typename }"})
		g := newGateway(t, demo.New(demo.Options{}), change, func(r *graph.Resolver) { r.PersistedQueries = shared })
		body := object(t, "extensions", persistedQuery(hashOf(query)))
		if got := g.send(t, http.MethodPost, "/graphql", body).Body.String(); got != want {
			t.Errorf("%s: got %s, want %s", mode, got, want)
		}
		if n := untrusted.Load(); (n == 1) != (mode == persisted.TrustLog) {
			t.Errorf("%s: got %d untrusted documents, want those that are answered", mode, n)
		}
		// One that is refused is not persisted for others either.
		const fresh = "{ fresh: __typename }"
		g.send(t, http.MethodPost, "/graphql", object(t, "query", fresh, "extensions", persistedQuery(hashOf(fresh))))
		if _, kept := shared[hashOf(fresh)]; kept != (mode == persisted.TrustLog) {
			t.Errorf("%s: got it persisted: %v, want it where it is answered", mode, kept)
		}
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
func TestPersistedQueries_register(t *testing.T) {
	t.Parallel()
	const query = "{ __typename }"
	sum := sha256.Sum256([]byte(query))
	hash := hex.EncodeToString(sum[:])
	known := fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q,"miss":true}}`, hash)
	tests := map[string]struct {
		register func(*testing.T, *gateway) *httptest.ResponseRecorder
	}{
		"registered by POST": {func(t *testing.T, g *gateway) *httptest.ResponseRecorder {
			t.Helper()
			return g.send(t, http.MethodPost, "/graphql", fmt.Sprintf(`{"query":%q,"extensions":%s}`, query, known))
		}},
		"registered by GET": {func(t *testing.T, g *gateway) *httptest.ResponseRecorder {
			t.Helper()
			return g.send(t, http.MethodGet, get(query, "extensions", known), "")
		}},
	}
	for name, test := range tests {
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
			if w := test.register(t, g); w.Body.String() != `{"data":{"__typename":"Query"}}` {
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
		"another query's hash": fmt.Sprintf(`{"query":"{ a: __typename }","extensions":%s}`, known),
		"another version":      fmt.Sprintf(`{"query":%q,"extensions":{"persistedQuery":{"version":2,"sha256Hash":%q}}}`, query, hash),
		"a hash that is none":  `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		"no object":            `{"extensions":{"persistedQuery":"x"}}`,
	} {
		if w := g.send(t, http.MethodPost, "/graphql", body); !strings.Contains(w.Body.String(), `"code":"BAD_REQUEST"`) {
			t.Errorf("%s: got %s, want BAD_REQUEST", name, w.Body)
		}
	}
}
