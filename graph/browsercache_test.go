package graph_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/httpserver"
	"cvmgraph/internal/pages"
)

// TestBrowserCache_vary sends a GET with many headers, one at a time. If a header changes the
// response, or the upstream calls that it is made from, Vary must name the header.
func TestBrowserCache_vary(t *testing.T) {
	t.Parallel()
	g := newCachedGateway(t, demo.New(demo.Options{}), 4<<20, pages.CacheOptions{TTL: time.Hour})
	server := httpserver.New(httpserver.Options{GraphQL: g.handler, AllowedOrigins: []string{"https://app.example.org"}})
	target := "/graphql?query=" + url.QueryEscape(`{ cvms(first: 20) { nodes { id name status } } }`)
	get := func(name, value string) (description string, header http.Header) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
		r.Header.Set("Authorization", "Bearer a")
		if name != "" {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		header = w.Header().Clone()
		shown := header.Clone()
		shown.Del("X-Request-Id") // it is different in each response
		return fmt.Sprint(w.Code, shown, w.Body, len(g.takeCalls())), header
	}
	get("", "")
	same, header := get("", "") // the page is cached
	if header.Get("Cache-Control") != "private, max-age=2" {
		t.Fatalf("got Cache-Control: %q, want private, max-age=2", header.Get("Cache-Control"))
	}
	got := make(map[string]bool)
	for name, value := range map[string]string{
		"Accept":                    "application/graphql-response+json",
		"Accept-Encoding":           "gzip",
		"Accept-Language":           "de",
		"Apollographql-Client-Name": "a",
		"Authorization":             "Bearer b",
		"Baggage":                   "a=b",
		"Cache-Control":             "no-cache",
		"Cookie":                    "a=b",
		"Origin":                    "https://app.example.org",
		"Pragma":                    "no-cache",
		"Range":                     "bytes=0-9",
		"Referer":                   "https://app.example.org/",
		"Traceparent":               "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"User-Agent":                "a",
		"X-Api-Key":                 "phak_a",
		"X-Cvmgraph-Explain":        "1",
		"X-Forwarded-For":           "192.0.2.1",
		"X-Http-Method-Override":    "POST",
		"X-Phala-Version":           "2024-01-01",
		"X-Phala-Workspace":         "w",
		"X-Request-Id":              "a",
	} {
		if description, _ := get(name, value); description != same {
			got[name] = true
		}
	}
	named := make(map[string]bool)
	for name := range strings.SplitSeq(strings.Join(header.Values("Vary"), ","), ",") {
		named[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
	}
	if !maps.Equal(got, named) {
		t.Errorf("the response depends on %q, Vary names %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(named)))
	}
}

// TestBrowserCache_stored checks which responses a browser may store.
func TestBrowserCache_stored(t *testing.T) {
	t.Parallel()
	const stored, notStored = "private, max-age=2", "no-store"
	g := cachingGateway(t, demo.New(demo.Options{}), pages.CacheOptions{TTL: time.Hour})
	server := httpserver.New(httpserver.Options{GraphQL: g.handler})
	for name, test := range map[string]struct {
		method  string // GET if empty
		query   string // a valid one if empty
		header  http.Header
		want    string
		wantTag bool
	}{
		"a query":                     {want: stored, wantTag: true},
		"a HEAD":                      {method: http.MethodHead, want: stored, wantTag: true},
		"no-cache":                    {header: http.Header{"Cache-Control": {"no-cache"}}, want: stored, wantTag: true},
		"the upstream calls":          {header: http.Header{"X-Cvmgraph-Explain": {"1"}}, want: notStored},
		"the upstream calls, by HEAD": {method: http.MethodHead, header: http.Header{"X-Cvmgraph-Explain": {"1"}}, want: notStored},
		"the upstream calls, and the tag of any response": {
			header: http.Header{"X-Cvmgraph-Explain": {"1"}, "If-None-Match": {"*"}}, want: notStored,
		},
		"another value of the header":   {header: http.Header{"X-Cvmgraph-Explain": {"0"}}, want: stored, wantTag: true},
		"the upstream calls of nothing": {query: "{ __typename }", header: http.Header{"X-Cvmgraph-Explain": {"1"}}, want: notStored},
		"an error of a field":           {query: `{ cvms(first: -1) { totalCount } }`, want: notStored},
		"an invalid document":           {query: `{ nope }`, want: notStored},
		"no credential":                 {header: http.Header{"Authorization": nil}, want: notStored},
		"an unacceptable media type":    {header: http.Header{"Accept": {"text/html"}}, want: notStored},
		"a POST":                        {method: http.MethodPost, want: notStored},
		"another method":                {method: http.MethodPut, want: notStored},
	} {
		query := test.query
		if query == "" {
			query = `{ cvms(first: 2) { nodes { id } } }`
		}
		method := test.method
		if method == "" {
			method = http.MethodGet
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/graphql?query="+url.QueryEscape(query), nil)
		r.Header.Set("Authorization", "Bearer a")
		maps.Copy(r.Header, test.header)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if got := w.Header().Get("Cache-Control"); got != test.want || (w.Header().Get("ETag") != "") != test.wantTag || w.Code == http.StatusNotModified {
			t.Errorf("%s: got status %d, Cache-Control: %q, ETag: %q, want %q and a tag: %t", name, w.Code, got, w.Header().Get("ETag"), test.want, test.wantTag)
		}
	}
}

// TestBrowserCache_maxAge checks that a browser does not reuse a response for longer than its pages
// are cached.
func TestBrowserCache_maxAge(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	failing, noStore := false, false
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if noStore {
			w.Header().Set("Cache-Control", "private, no-store")
		}
		if failing {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		list.ServeHTTP(w, r)
	})
	ago := func(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(-d) } }
	for name, test := range map[string]struct {
		cache            pages.CacheOptions
		query            string // one for two pages if empty
		noStore, failing bool   // the upstream, at the second request
		want             string
	}{
		"cached for an hour":           {cache: pages.CacheOptions{TTL: time.Hour}, want: "private, max-age=2"},
		"cached for 2 s, an hour ago":  {cache: pages.CacheOptions{TTL: 2 * time.Second, Now: ago(time.Hour)}, want: "private, max-age=0"},
		"not cached":                   {want: "private, max-age=0"},
		"stale":                        {cache: pages.CacheOptions{TTL: time.Nanosecond, StaleIfError: time.Hour}, failing: true, want: "private, max-age=0"},
		"not to be stored":             {noStore: true, want: "no-store"},
		"without a page":               {query: "{ __typename }", want: "private, max-age=2"},
		"without a page, not cached":   {query: "{ __schema { queryType { name } } }", want: "private, max-age=2"},
		"not to be stored, but cached": {cache: pages.CacheOptions{TTL: time.Hour}, noStore: true, want: "private, max-age=2"},
	} {
		failing, noStore = false, false
		g := newCachedGateway(t, upstream, 4<<20, test.cache)
		target := "/graphql?query=" + url.QueryEscape(cmp.Or(test.query, `{ cvms(first: 150) { nodes { id } } }`))
		for range 3 { // executed, executed and stored, and from the response cache
			w := g.send(t, http.MethodGet, target, "")
			if got := w.Header().Get("Cache-Control"); (failing || noStore || !test.failing && !test.noStore) && got != test.want {
				t.Errorf("%s: got Cache-Control: %q, want %q", name, got, test.want)
			}
			failing, noStore = test.failing, test.noStore
		}
	}
}
