package graph_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// recorder records the events of a Tracer in their order.
type recorder struct {
	mu     sync.Mutex
	events []string
}

type fieldKey struct{}

func (r *recorder) record(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return strings.Join(events, "; ")
}

func (r *recorder) tracer() *graph.Tracer {
	return &graph.Tracer{
		Operation: func(_ context.Context, kind, name string, hit bool, codes []string, failed bool) {
			r.record("operation %q %q hit=%t %s failed=%t", kind, name, hit, codes, failed)
		},
		Field: func(ctx context.Context, name string) (context.Context, func(code string, failed bool)) {
			return context.WithValue(ctx, fieldKey{}, name), func(code string, failed bool) { r.record("field %s %q failed=%t", name, code, failed) }
		},
		Page: func(ctx context.Context, got pages.FetchResult, reason relay.Reason) {
			r.record("page of %v: %d/%d %s %d items cached=%t", ctx.Value(fieldKey{}), got.Request.Page, got.Request.PageSize, reason, got.Len(), got.Cached)
		},
	}
}

// failingAs returns an upstream that responds with the status that the token names, or as the demo.
func failingAs() http.Handler {
	list := demo.New(demo.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer status-%d", &status); err == nil {
			w.WriteHeader(status)
			return
		}
		list.ServeHTTP(w, r)
	})
}

// tracedOperation is an operation that is sent several times.
type tracedOperation struct {
	query string
	token string   // tester if empty
	want  []string // the events of each request
}

func tracedOperations() map[string]tracedOperation {
	return map[string]tracedOperation{
		"a connection": {
			query: `query Fleet { cvms(first: 3) { nodes { id } } }`,
			want:  []string{`page of cvms: 1/3 window 3 items cached=false; field cvms "" failed=false; operation "query" "Fleet" hit=false [] failed=false`},
		},
		"the same connection several times": {
			query: `query Fleet { cvms(first: 3) { nodes { id } } }`,
			want: []string{
				`page of cvms: 1/3 window 3 items cached=false; field cvms "" failed=false; operation "query" "Fleet" hit=false [] failed=false`,
				`page of cvms: 1/3 window 3 items cached=true; field cvms "" failed=false; operation "query" "Fleet" hit=false [] failed=false`,
				`page of cvms: 1/3 window 3 items cached=true; field cvms "" failed=false; operation "query" "Fleet" hit=false [] failed=false`,
				`operation "query" "Fleet" hit=true [] failed=false`,
			},
		},
		"an alias, which is not recorded": {
			query: `{ secret: cvms(first: 1) { totalCount } }`,
			want:  []string{`page of cvms: 1/1 total 1 items cached=false; field cvms "" failed=false; operation "query" "" hit=false [] failed=false`},
		},
		"no field with a resolver": {
			query: `{ __typename }`, want: []string{`operation "query" "" hit=false [] failed=false`},
		},
		"a bad argument": {
			query: `{ cvms(first: -1) { totalCount } }`,
			want:  []string{`field cvms "BAD_USER_INPUT" failed=false; operation "query" "" hit=false [BAD_USER_INPUT] failed=false`},
		},
		"an ID of another kind": {
			query: `{ _entities(representations: [{ __typename: "Cvm", id: "x" }]) { __typename } }`, token: "status-500",
			want: []string{`field _entities "BAD_USER_INPUT" failed=false; operation "query" "" hit=false [BAD_USER_INPUT] failed=false`},
		},
		"an entity, and a failing upstream": {
			query: `{ _entities(representations: [{ __typename: "Cvm", vmId: "1a09d706-2686-4e0a-8b1d-323ff0e3504b" }]) { __typename } }`, token: "status-501",
			want: []string{`field _entities "UPSTREAM_ERROR" failed=true; operation "query" "" hit=false [UPSTREAM_ERROR] failed=true`},
		},
		"a credential that the upstream rejects": {
			query: `{ cvm(vmId: "1a09d706-2686-4e0a-8b1d-323ff0e3504b") { id } }`, token: "status-401",
			want: []string{`field cvm "UNAUTHENTICATED" failed=false; operation "query" "" hit=false [UNAUTHENTICATED] failed=false`},
		},
		"a failing upstream": {
			query: `{ cvms(first: 1) { totalCount } }`, token: "status-501",
			want: []string{`field cvms "UPSTREAM_ERROR" failed=true; operation "query" "" hit=false [UPSTREAM_ERROR] failed=true`},
		},
		"a mistake and a failure, which comes first": {
			query: `{ a: node(id: "x") { id } b: cvms(first: 1) { totalCount } }`, token: "status-501",
		},
		"a malformed document": {
			query: `{ cvms( }`, want: []string{`operation "" "" hit=false [GRAPHQL_PARSE_FAILED] failed=false`},
		},
		"an unknown field": {
			query: `query Odd { nonsense }`, want: []string{`operation "" "" hit=false [GRAPHQL_VALIDATION_FAILED] failed=false`},
		},
	}
}

func TestTracer_operations(t *testing.T) {
	t.Parallel()
	for name, test := range tracedOperations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := &recorder{}
			g := &gateway{timeout: upstreamTimeout, cache: pages.CacheOptions{TTL: time.Hour, MaxBytes: 1 << 20}}
			g.serveRecorded(t, failingAs(), func(r *graph.Resolver) {
				r.Tracer = events.tracer()
				r.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: time.Hour}
			})
			if test.want == nil {
				g.post(t, test.query, nil, http.Header{"Authorization": {"Bearer " + cmp.Or(test.token, "tester")}})
				got := events.take()
				if want := `operation "query" "" hit=false [UPSTREAM_ERROR BAD_USER_INPUT] failed=true`; !strings.HasSuffix(got, want) {
					t.Errorf("got %s, want it to end with %s", got, want)
				}
			}
			for i, want := range test.want {
				g.post(t, test.query, nil, http.Header{"Authorization": {"Bearer " + cmp.Or(test.token, "tester")}})
				if got := events.take(); got != want {
					t.Errorf("request %d: got %s, want %s", i+1, got, want)
				}
			}
		})
	}
}

func TestTracer_rejectedRequests(t *testing.T) {
	t.Parallel()
	events := &recorder{}
	g := newGateway(t, failingAs(), func(r *graph.Resolver) { r.Tracer = events.tracer() })
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"an unsupported media type": {func(r *http.Request) { r.Header.Set("Accept", "text/html") }, "BAD_REQUEST"},
		"a body that is not JSON":   {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "BAD_REQUEST"},
		"an unsupported method":     {func(r *http.Request) { r.Method = http.MethodPut }, "BAD_REQUEST"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ __typename }"}`))
		request.Header.Set("Content-Type", "application/json")
		test.change(request)
		g.handler.ServeHTTP(httptest.NewRecorder(), request)
		want := fmt.Sprintf(`operation "" "" hit=false [%s] failed=false`, test.want)
		if got := events.take(); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// withoutPages is a source that panics when it is asked for a page.
type withoutPages struct{ pages.Source }

func (withoutPages) CredentialKey(restclient.Credential) pages.CredentialKey {
	return pages.CredentialKey{}
}

func TestTracer_panic(t *testing.T) {
	t.Parallel()
	events := &recorder{}
	g := newGateway(t, failingAs(), func(r *graph.Resolver) { r.Tracer, r.Pages = events.tracer(), withoutPages{} })
	g.post(t, `{ cvms(first: 1) { totalCount } }`, nil, nil)
	want := []string{`field cvms "INTERNAL_SERVER_ERROR" failed=true`, `operation "query" "" hit=false [INTERNAL_SERVER_ERROR] failed=true`}
	if got := strings.Split(events.take(), "; "); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTracer_keepsNoDocument checks that a recorded name is not a part of a document, which would
// stay in memory as a whole.
func TestTracer_keepsNoDocument(t *testing.T) { //nolint:paralleltest // what others allocate would count
	var names []string
	g := newGateway(t, failingAs(), func(r *graph.Resolver) {
		r.Tracer = (&recorder{}).tracer()
		r.Tracer.Field = func(ctx context.Context, name string) (context.Context, func(string, bool)) {
			names = append(names, name)
			return ctx, func(string, bool) {}
		}
	})
	g.documents(t, 40, "cvms(first: 1) { totalCount }") // fills the caches of documents
	before := heap()
	g.documents(t, 200, "cvms(first: 1) { totalCount }")
	if got := heap() - before; got > 8<<20 {
		t.Errorf("got %d MiB more, want at most 8", got>>20)
	}
	if len(names) != 720 || names[719] != "cvms" {
		t.Errorf("got %d names, want 720 of cvms", len(names))
	}
}

func TestTracer_clientGone(t *testing.T) {
	t.Parallel()
	events := &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	g := newGateway(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }), func(r *graph.Resolver) {
		r.Tracer = events.tracer()
	})
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ cvms(first: 1) { totalCount } }"}`))
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer tester"}}
	g.handler.ServeHTTP(httptest.NewRecorder(), request)
	want := `field cvms "UPSTREAM_TIMEOUT" failed=false; operation "query" "" hit=false [UPSTREAM_TIMEOUT] failed=false`
	if got := events.take(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
