package graph_test

import (
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
	"cvmgraph/restclient"
)

// traced notes what a Tracer is told, in its order.
type traced struct {
	mu    sync.Mutex
	notes []string
}

type fieldKey struct{}

func (n *traced) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notes = append(n.notes, fmt.Sprintf(format, args...))
}

func (n *traced) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	notes := n.notes
	n.notes = nil
	return strings.Join(notes, "; ")
}

func (n *traced) tracer() *graph.Tracer {
	return &graph.Tracer{
		Operation: func(_ context.Context, kind, name string, kept bool, problems []string, failed bool) {
			n.note("operation %q %q kept=%t %s failed=%t", kind, name, kept, problems, failed)
		},
		Field: func(ctx context.Context, name string) (context.Context, func(code string, failed bool)) {
			return context.WithValue(ctx, fieldKey{}, name), func(code string, failed bool) { n.note("field %s %q failed=%t", name, code, failed) }
		},
		Page: func(ctx context.Context, got pages.FetchResult, reason string) {
			n.note("page of %v: %d/%d %s %d items cached=%t", ctx.Value(fieldKey{}), got.Request.Page, got.Request.PageSize, reason, got.Len(), got.Cached)
		},
	}
}

// failingAs answers calls whose token is a status with that status, and others as the demo does.
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

func TestTracer_operations(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		query, token string
		want         []string // of the requests one after another
	}{
		"a connection": {
			`query Fleet { cvms(first: 3) { nodes { id } } }`, "tester",
			[]string{`page of cvms: 1/3 window 3 items cached=false; field cvms "" failed=false; operation "query" "Fleet" kept=false [] failed=false`},
		},
		"the same again, and again": {
			`query Fleet { cvms(first: 3) { nodes { id } } }`, "tester",
			[]string{
				`page of cvms: 1/3 window 3 items cached=false; field cvms "" failed=false; operation "query" "Fleet" kept=false [] failed=false`,
				`page of cvms: 1/3 window 3 items cached=true; field cvms "" failed=false; operation "query" "Fleet" kept=false [] failed=false`,
				`page of cvms: 1/3 window 3 items cached=true; field cvms "" failed=false; operation "query" "Fleet" kept=false [] failed=false`,
				`operation "query" "Fleet" kept=true [] failed=false`,
			},
		},
		"an alias, which is the caller's text": {
			`{ secret: cvms(first: 1) { totalCount } }`, "tester",
			[]string{`page of cvms: 1/1 total 1 items cached=false; field cvms "" failed=false; operation "query" "" kept=false [] failed=false`},
		},
		"no field that calls the upstream": {
			`{ __typename }`, "tester", []string{`operation "query" "" kept=false [] failed=false`},
		},
		"a bad argument": {
			`{ cvms(first: -1) { totalCount } }`, "tester",
			[]string{`field cvms "BAD_USER_INPUT" failed=false; operation "query" "" kept=false [BAD_USER_INPUT] failed=false`},
		},
		"what is no id of ours": {
			`{ _entities(representations: [{ __typename: "Cvm", id: "x" }]) { __typename } }`, "status-500",
			[]string{`field _entities "BAD_USER_INPUT" failed=false; operation "query" "" kept=false [BAD_USER_INPUT] failed=false`},
		},
		"a service's lookup that fails": {
			`{ _entities(representations: [{ __typename: "Cvm", vmId: "1a09d706-2686-4e0a-8b1d-323ff0e3504b" }]) { __typename } }`, "status-501",
			[]string{`field _entities "UPSTREAM_ERROR" failed=true; operation "query" "" kept=false [UPSTREAM_ERROR] failed=true`},
		},
		"a refused credential": {
			`{ cvm(vmId: "1a09d706-2686-4e0a-8b1d-323ff0e3504b") { id } }`, "status-401",
			[]string{`field cvm "UNAUTHENTICATED" failed=false; operation "query" "" kept=false [UNAUTHENTICATED] failed=false`},
		},
		"an upstream that fails": {
			`{ cvms(first: 1) { totalCount } }`, "status-501",
			[]string{`field cvms "UPSTREAM_ERROR" failed=true; operation "query" "" kept=false [UPSTREAM_ERROR] failed=true`},
		},
		"two errors, the failure first": {
			`{ a: node(id: "x") { id } b: cvms(first: 1) { totalCount } }`, "status-501", nil,
		},
		"a document that is none": {
			`{ cvms( }`, "tester", []string{`operation "" "" kept=false [GRAPHQL_PARSE_FAILED] failed=false`},
		},
		"a field that is none": {
			`query Odd { nonsense }`, "tester", []string{`operation "" "" kept=false [GRAPHQL_VALIDATION_FAILED] failed=false`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			notes := &traced{}
			g := &gateway{timeout: patience, cache: pages.CacheOptions{TTL: time.Hour, MaxBytes: 1 << 20}}
			g.over(t, failingAs(), func(r *graph.Resolver) {
				r.Tracer = notes.tracer()
				r.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: time.Hour}
			})
			if test.want == nil {
				g.post(t, test.query, nil, http.Header{"Authorization": {"Bearer " + test.token}})
				got := notes.take()
				if want := `operation "query" "" kept=false [UPSTREAM_ERROR BAD_USER_INPUT] failed=true`; !strings.HasSuffix(got, want) {
					t.Errorf("got %s, want it to end with %s", got, want)
				}
			}
			for i, want := range test.want {
				g.post(t, test.query, nil, http.Header{"Authorization": {"Bearer " + test.token}})
				if got := notes.take(); got != want {
					t.Errorf("request %d: got %s, want %s", i+1, got, want)
				}
			}
		})
	}
}

func TestTracer_refusedRequests(t *testing.T) {
	t.Parallel()
	notes := &traced{}
	g := newGateway(t, failingAs(), func(r *graph.Resolver) { r.Tracer = notes.tracer() })
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"a media type that is not made": {func(r *http.Request) { r.Header.Set("Accept", "text/html") }, "BAD_REQUEST"},
		"a body that is not JSON":       {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "BAD_REQUEST"},
		"a method that is not taken":    {func(r *http.Request) { r.Method = http.MethodPut }, "BAD_REQUEST"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ __typename }"}`))
		request.Header.Set("Content-Type", "application/json")
		test.change(request)
		g.handler.ServeHTTP(httptest.NewRecorder(), request)
		want := fmt.Sprintf(`operation "" "" kept=false [%s] failed=false`, test.want)
		if got := notes.take(); got != want {
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
	notes := &traced{}
	g := newGateway(t, failingAs(), func(r *graph.Resolver) { r.Tracer, r.Pages = notes.tracer(), withoutPages{} })
	g.post(t, `{ cvms(first: 1) { totalCount } }`, nil, nil)
	want := []string{`field cvms "INTERNAL_SERVER_ERROR" failed=true`, `operation "query" "" kept=false [INTERNAL_SERVER_ERROR] failed=true`}
	if got := strings.Split(notes.take(), "; "); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTracer_keepsNoDocument holds that who keeps a field's name does not keep the document that it stands in.
func TestTracer_keepsNoDocument(t *testing.T) { //nolint:paralleltest // what others allocate would count
	var names []string
	g := newGateway(t, failingAs(), func(r *graph.Resolver) {
		r.Tracer = (&traced{}).tracer()
		r.Tracer.Field = func(ctx context.Context, name string) (context.Context, func(string, bool)) {
			names = append(names, name)
			return ctx, func(string, bool) {}
		}
	})
	g.documents(t, 40, "cvms(first: 1) { totalCount }") // the caches of parsed documents have their fill
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
	notes := &traced{}
	ctx, leave := context.WithCancel(t.Context())
	g := newGateway(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leave(); <-r.Context().Done() }), func(r *graph.Resolver) {
		r.Tracer = notes.tracer()
	})
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ cvms(first: 1) { totalCount } }"}`))
	request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer tester"}}
	g.handler.ServeHTTP(httptest.NewRecorder(), request)
	want := `field cvms "UPSTREAM_TIMEOUT" failed=false; operation "query" "" kept=false [UPSTREAM_TIMEOUT] failed=false`
	if got := notes.take(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
