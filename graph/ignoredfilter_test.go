package graph_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
)

// filterIgnorer is an upstream that ignores its filters while ignoring is set.
type filterIgnorer struct {
	http.Handler
	ignoring atomic.Bool
}

func (u *filterIgnorer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u.ignoring.Load() {
		query := r.URL.Query()
		query.Del("teepod_id")
		query.Del("user_id")
		r.URL.RawQuery = query.Encode()
	}
	u.Handler.ServeHTTP(w, r)
}

// ignoredFilters are lists of the demo, and what the error says if the upstream ignores the filter.
var ignoredFilters = map[string]struct{ arguments, says string }{
	"nodeId":            {arguments: `nodeId: 18`, says: "probably ignores nodeId"},
	"userId":            {arguments: `userId: "usr_alice"`, says: "probably ignores userId"},
	"no owner":          {arguments: `userId: "0"`, says: "probably ignores userId"},
	"nodeId and userId": {arguments: `nodeId: 18, userId: "usr_alice"`, says: "probably ignores nodeId"},
}

func TestConnection_filterIgnored(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for name, test := range ignoredFilters {
				for _, selection := range []string{
					"(first: 20, %) { nodes { name } }", "(last: 5, %) { edges { node { name } } }", "(first: 150, %) { totalCount nodes { name } }",
				} {
					t.Run(name+selection, func(t *testing.T) {
						t.Parallel()
						checkFilterIgnored(t, version, "{ cvms"+strings.Replace(selection, "%", test.arguments, 1)+" }", test.says)
					})
				}
			}
		})
	}
}

// checkFilterIgnored sends a query to an upstream that ignores the filter, and then to one that
// does not.
func checkFilterIgnored(t *testing.T, version, query, says string) {
	t.Helper()
	upstream := &filterIgnorer{Handler: demo.New(demo.Options{})}
	upstream.ignoring.Store(true)
	g := cachingGatewayOf(t, version, upstream, pages.CacheOptions{TTL: time.Hour, StaleIfError: time.Hour})
	for range 2 { // the page is not cached
		a := g.post(t, query, nil, nil)
		got := a.onlyError(t)
		if got.code() != "UPSTREAM_INVALID_RESPONSE" || !strings.Contains(got.Message, says) || string(a.Data["cvms"]) != "null" {
			t.Errorf("got %s, want null, and UPSTREAM_INVALID_RESPONSE with %q", a.raw, says)
		}
		if calls := g.takeCalls(); len(calls) != 1 {
			t.Errorf("got the calls %q, want one", calls)
		}
	}
	upstream.ignoring.Store(false)
	if a := g.post(t, query, nil, nil); len(a.Errors) > 0 || string(a.Data["cvms"]) == "null" {
		t.Errorf("got %s, want the filtered list after the upstream was repaired", a.raw)
	}
}

// TestConnection_filterIgnoredLater serves an earlier page, which is of the filtered list.
func TestConnection_filterIgnoredLater(t *testing.T) {
	t.Parallel()
	upstream := &filterIgnorer{Handler: demo.New(demo.Options{})}
	g := cachingGateway(t, upstream, pages.CacheOptions{TTL: time.Nanosecond, StaleIfError: time.Hour})
	const query = `{ cvms(first: 20, nodeId: 18) { totalCount nodes { name node { nodeId } } } }`
	before := string(g.post(t, query, nil, nil).Data["cvms"])
	upstream.ignoring.Store(true)
	a := g.post(t, query, nil, nil)
	if got := string(a.Data["cvms"]); got != before || len(a.Errors) > 0 || !strings.Contains(a.raw, `"stale"`) {
		t.Errorf("got %s, want %s as stale", a.raw, before)
	}
}
