package graph_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// keyCounter is a source that counts how often a credential is hashed.
type keyCounter struct {
	pages.Source
	hashed atomic.Int32
}

func (c *keyCounter) CredentialKey(credential restclient.Credential) pages.CredentialKey {
	c.hashed.Add(1)
	return c.Source.CredentialKey(credential)
}

func TestCredential_hashedOncePerOperation(t *testing.T) {
	t.Parallel()
	var counter *keyCounter
	g := &gateway{timeout: upstreamTimeout, cache: pages.CacheOptions{TTL: time.Hour, MaxBytes: 16 << 20}}
	g.serveRecorded(t, demo.New(demo.Options{}), func(r *graph.Resolver) {
		r.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: time.Hour}
		counter = &keyCounter{Source: r.Pages}
		r.Pages = counter
	})
	for _, query := range []string{
		`{ cvms(first: 150) { totalCount nodes { id } } }`,
		`{ a: cvms(first: 3) { nodes { id } } b: cvms(last: 3) { nodes { id } } cvm(vmId: "x") { id } }`,
	} {
		for range 3 { // executed twice, then returned from the response cache
			counter.hashed.Store(0)
			if a := g.post(t, query, nil, nil); len(a.Errors) > 0 {
				t.Fatalf("got errors %+v", a.Errors)
			}
			if got := counter.hashed.Load(); got != 1 {
				t.Errorf("%s: got the credential hashed %d times, want once", query, got)
			}
		}
	}
}

func TestCredential_headers(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	bearer := func(values ...string) http.Header { return http.Header{"Authorization": values} }
	tests := map[string]struct {
		header   http.Header
		wantCode any // nil: data
	}{
		"none":                             {http.Header{}, "UNAUTHENTICATED"},
		"an empty one":                     {bearer(""), "UNAUTHENTICATED"},
		"a scheme without token":           {bearer("Bearer"), "UNAUTHENTICATED"},
		"a scheme and a space":             {bearer("Bearer  "), "UNAUTHENTICATED"},
		"another scheme":                   {bearer("Basic YTpi"), "UNAUTHENTICATED"},
		"a token alone":                    {bearer("phak_x"), "UNAUTHENTICATED"},
		"two tokens":                       {bearer("Bearer a", "Bearer b"), "UNAUTHENTICATED"},
		"a token with a line break":        {bearer("Bearer a\r\nX-Evil: 1"), "UNAUTHENTICATED"},
		"a token with a control character": {bearer("Bearer a\x01"), "UNAUTHENTICATED"},
		"a token beyond ASCII":             {bearer("Bearer ä"), "UNAUTHENTICATED"},
		"a token over 8 KiB":               {bearer("Bearer " + strings.Repeat("a", 8<<10)), "UNAUTHENTICATED"},
		"two keys":                         {http.Header{"X-Api-Key": {"a", "b"}}, "UNAUTHENTICATED"},
		"a workspace alone":                {http.Header{"X-Phala-Workspace": {"team"}}, "UNAUTHENTICATED"},
		"one that the upstream rejects":    {bearer("Bearer invalid"), "UNAUTHENTICATED"},
		"a token":                          {bearer("Bearer a"), nil},
		"a token of almost 8 KiB":          {bearer("Bearer " + strings.Repeat("a", 8<<10-7)), nil},
		"the scheme in another case":       {bearer("bearer a"), nil},
		"a key":                            {http.Header{"X-Api-Key": {"phak_a"}}, nil},
		"a key and a workspace":            {http.Header{"X-Api-Key": {"phak_a"}, "X-Phala-Workspace": {"team"}}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, upstream)
			a := g.post(t, `{ __typename cvms(first: 1) { totalCount } }`, nil, test.header)
			if string(a.Data["__typename"]) != `"Query"` {
				t.Errorf("__typename: got %s, want it in any case", a.Data["__typename"])
			}
			if test.wantCode == nil {
				a.cvms(t)
				return
			}
			got := a.onlyError(t)
			if got.code() != test.wantCode || !strings.Contains(got.Message, "X-API-Key") || !strings.Contains(got.Message, "Authorization") {
				t.Errorf("got %+v, want %v with the names of both headers", got, test.wantCode)
			}
			wantCalls := 0
			if strings.HasPrefix(test.header.Get("Authorization"), "Bearer invalid") {
				wantCalls = 1
			}
			if calls := g.takeCalls(); len(calls) != wantCalls {
				t.Errorf("got the upstream calls %q, want %d", calls, wantCalls)
			}
		})
	}
}

func TestCredential_forwardedUnchanged(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			switch name {
			case "Accept", "Accept-Encoding", "Authorization", "User-Agent", "X-Api-Key", "X-Phala-Version", "X-Phala-Workspace":
			default:
				t.Errorf("upstream: got the header %s, want none but the forwarded ones", name)
			}
		}
		for name, want := range map[string]string{"Authorization": "bEaReR  a.b-c", "X-API-Key": "phak_1", "X-Phala-Workspace": "team"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("upstream: got %s %q, want %q", name, got, want)
			}
		}
		upstream.ServeHTTP(w, r)
	}))
	g.post(t, `{ cvms { totalCount } }`, nil, http.Header{
		"Authorization": {"bEaReR  a.b-c"}, "X-Api-Key": {"phak_1"}, "X-Phala-Workspace": {"team"},
		"Cookie": {"session=1"}, "X-Forwarded-For": {"192.0.2.1"}, "Origin": {"https://example.org"}, "Accept-Language": {"en"},
	})
	if calls := g.takeCalls(); len(calls) != 1 {
		t.Errorf("got %d upstream calls, want one", len(calls))
	}
}
