package graph_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/querylimit"
	"cvmgraph/restclient"
)

// tenant returns the tenant of the tests' requests, unless they have another credential.
func tenant() demo.Tenant { return demo.Tenant{Bearer: "tester"} }

// apiVersions returns an API version of each shape.
func apiVersions() []string {
	return []string{versionOf(restclient.ShapeHosted), versionOf(restclient.ShapeFlat)}
}

// gateway is the GraphQL endpoint over the test's own upstream. It records the upstream calls.
type gateway struct {
	handler http.Handler
	version string        // the API version; empty for the default
	timeout time.Duration // of an attempt of an upstream call
	within  time.Duration // the timeout of an operation; 0 for none
	log     bytes.Buffer
	// extensions are more extensions of gqlgen.
	extensions []graphql.HandlerExtension

	mu    sync.Mutex
	calls []string // the upstream calls' queries
	cache pages.CacheOptions
}

func newGateway(tb testing.TB, upstream http.Handler, change ...func(*graph.Resolver)) *gateway {
	tb.Helper()
	return newGatewayOf(tb, "", upstream, change...)
}

// newGatewayOf returns a gateway that requests an API version.
func newGatewayOf(tb testing.TB, version string, upstream http.Handler, change ...func(*graph.Resolver)) *gateway {
	tb.Helper()
	g := &gateway{version: version, timeout: upstreamTimeout}
	g.serveRecorded(tb, upstream, change...)
	return g
}

// upstreamTimeout is how long the tests' gateways wait for the upstream. It is long enough for a
// busy machine.
const upstreamTimeout = 20 * time.Second

// serveRecorded creates the gateway's handler over an upstream, and records its calls.
func (g *gateway) serveRecorded(tb testing.TB, upstream http.Handler, change ...func(*graph.Resolver)) {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls = append(g.calls, r.URL.RawQuery)
		g.mu.Unlock()
		upstream.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	g.serve(tb, server.URL+"/api/v1", change...)
}

// newGatewayAt returns a gateway over the upstream at a URL. It does not record the calls.
func newGatewayAt(tb testing.TB, baseURL string) *gateway {
	tb.Helper()
	g := &gateway{timeout: upstreamTimeout}
	g.serve(tb, baseURL)
	return g
}

func (g *gateway) serve(tb testing.TB, baseURL string, change ...func(*graph.Resolver)) {
	tb.Helper()
	version := cmp.Or(g.version, restclient.DefaultAPIVersion)
	client, err := restclient.New(restclient.Options{BaseURL: baseURL, APIVersion: version, Timeout: g.timeout})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	resolver := &graph.Resolver{
		Pages:            pages.NewCache(pages.NewUpstream(client), g.cache),
		Projection:       os.Getenv("CVMGRAPH_PROJECTION") != "false",
		APIVersion:       version,
		MaxFirst:         1000,
		MaxUpstreamCalls: 100,
		Limits:           querylimit.Limits{Tokens: 2000, Depth: 15, Aliases: 30},
		Introspection:    true,
		RequestID:        func(context.Context) string { return "the-request-id" },
		Logger:           slog.New(slog.NewTextHandler(&g.log, nil)),
	}
	for _, c := range change {
		c(resolver)
	}
	g.handler = graph.NewHandlerWith(resolver, g.extensions...)
}

// takeCalls returns the queries of the upstream calls since the last call of takeCalls.
func (g *gateway) takeCalls() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	calls := g.calls
	g.calls = nil
	return calls
}

// response is a GraphQL response.
type response struct {
	Data   map[string]json.RawMessage
	Errors []responseError

	Extensions struct {
		Pagination []struct {
			Path              []any
			Exact, Reordered  bool
			Inserted, Removed int
			RepeatedFrom      *int
		}
	}
	raw string
}

type responseError struct {
	Message    string
	Path       []any
	Extensions map[string]any
	Locations  []struct{ Line, Column int }
}

func (e responseError) code() any { return e.Extensions["code"] }

type vars = map[string]any

// post sends an operation. If header is nil, it has the credential of tenant.
func (g *gateway) post(tb testing.TB, query string, variables any, header http.Header) response {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		tb.Fatal(err)
	}
	ctx := tb.Context()
	if g.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.within)
		defer cancel()
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	if header == nil {
		header = http.Header{"Authorization": {"Bearer " + tenant().Bearer}}
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	g.handler.ServeHTTP(recorder, request)
	a := response{raw: recorder.Body.String()}
	if err := json.Unmarshal(recorder.Body.Bytes(), &a); err != nil {
		tb.Fatalf("the response is not JSON: %v: %.200s", err, a.raw)
	}
	return a
}

// connection is the selection of a connection in the tests.
type connection struct {
	Edges []struct {
		Cursor string
		Node   struct{ ID, VMID string }
	}
	Nodes    []struct{ ID, VMID string }
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
	TotalCount int
}

// cvms returns the connection cvms. It fails the test if the response has errors.
func (a response) cvms(t *testing.T) connection {
	t.Helper()
	if len(a.Errors) > 0 {
		t.Fatalf("errors: got %+v, want none", a.Errors)
	}
	var c connection
	if err := json.Unmarshal(a.Data["cvms"], &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// onlyError returns the error of the response. It fails the test unless there is exactly one.
func (a response) onlyError(t *testing.T) responseError {
	t.Helper()
	if len(a.Errors) != 1 {
		t.Fatalf("errors: got %d, want one: %.500s", len(a.Errors), a.raw)
	}
	return a.Errors[0]
}
