package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
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

// flatGateway returns a gateway with the newest API version, whose pages have the flat shape, and a
// function that returns the queries of the upstream calls since its last call.
func flatGateway(t *testing.T, upstream http.Handler) (*gateway, func() []string) {
	t.Helper()
	var recorder gateway
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder.mu.Lock()
		recorder.calls = append(recorder.calls, r.URL.RawQuery)
		recorder.mu.Unlock()
		upstream.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	versions := restclient.KnownVersions()
	newest := versions[len(versions)-1]
	client, err := restclient.New(restclient.Options{BaseURL: server.URL + demo.BasePath, APIVersion: newest, Timeout: upstreamTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) {
		r.APIVersion, r.Pages = newest, pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{})
	}), recorder.takeCalls
}

// TestConnection_flatFilter has an upstream whose flat shape ignores filters, and one whose flat
// shape does not.
func TestConnection_flatFilter(t *testing.T) {
	t.Parallel()
	hosted := newGateway(t, demo.New(demo.Options{}))
	ignoring, calls := flatGateway(t, demo.New(demo.Options{FlatIgnoresFilters: true}))
	filtering, _ := flatGateway(t, demo.New(demo.Options{}))
	first := firstNode(t, filtering)
	filters := maps.Clone(ignoredFilters)
	filters["the first CVM's node"] = struct{ arguments, says string }{arguments: fmt.Sprintf("nodeId: %d", first), says: "probably ignores nodeId"}
	for name, test := range filters {
		for _, selection := range []string{
			"(first: 20, %) { nodes { vmId } }", "(last: 5, %) { totalCount nodes { vmId } }", "(%) { totalCount }", "(first: 0, %) { totalCount }",
		} {
			query := "{ cvms" + strings.Replace(selection, "%", test.arguments, 1) + " }"
			a := ignoring.post(t, query, nil, nil)
			if e := a.onlyError(t); e.code() != "UPSTREAM_INVALID_RESPONSE" || !strings.Contains(e.Message, test.says) || string(a.Data["cvms"]) != "null" {
				t.Errorf("%s: %s: got %s, want null, and UPSTREAM_INVALID_RESPONSE with %q", name, query, a.raw, test.says)
			}
			if got := calls(); len(got) != 1 && !strings.HasPrefix(selection, "(last") { // which may need the total first
				t.Errorf("%s: %s: got the calls %q, want one", name, query, got)
			}
			got, want := filtering.post(t, query, nil, nil), hosted.post(t, query, nil, nil)
			if string(got.Data["cvms"]) != string(want.Data["cvms"]) || len(got.Errors) > 0 {
				t.Errorf("%s: %s: got %s, want %s", name, query, got.raw, want.raw)
			}
		}
	}
}

// TestConnection_flatFilterSmallWindow has windows of a few CVMs in a list that the upstream does
// not filter.
func TestConnection_flatFilterSmallWindow(t *testing.T) {
	t.Parallel()
	items := make([]string, 151)
	for i := range items {
		items[i] = fmt.Sprintf(`{"vm_uuid":"v%d","node_info":{"id":%d},"creator":{"id":"usr_%d"}}`, i, 18+i/140, i/140)
	}
	s := newFakeSourceOf(restclient.ShapeFlat)
	s.putItems("Bearer tester", false, items...)
	g := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) {
		r.Pages, r.APIVersion = s, versionOf(restclient.ShapeFlat)
	})
	for filter, ignored := range map[string]bool{`nodeId: 19`: true, `userId: "usr_1"`: true, `nodeId: 18`: false, `userId: "usr_0"`: false} {
		for window, atEnd := range map[string]bool{
			`{ cvms(%) { totalCount } }`:                                                  false,
			`{ cvms(%, first: 0) { pageInfo { hasNextPage } } }`:                          false,
			`{ cvms(%, first: 1) { totalCount nodes { vmId } } }`:                         false,
			`{ cvms(%, first: 1) { pageInfo { hasNextPage } } }`:                          false,
			`{ cvms(%, last: 1) { totalCount nodes { vmId } } }`:                          true,
			`{ a: cvms(%) { totalCount } cvms(%, last: 1) { pageInfo { hasNextPage } } }`: true,
		} {
			s.fetched.Store(0)
			a := g.post(t, strings.ReplaceAll(window, "%", filter), nil, nil)
			if wrong := string(a.Data["cvms"]) == "null"; wrong != (ignored || atEnd) || wrong != strings.Contains(a.raw, "probably ignores") {
				t.Errorf("%s: %s: got %s, want an error: %t", filter, window, a.raw, ignored || atEnd)
			}
			if calls := s.fetched.Load(); calls > 2 || calls > 1 && (ignored || !atEnd) {
				t.Errorf("%s: %s: got %d calls", filter, window, calls)
			}
		}
	}
}

// firstNode returns the number of the node of the list's first CVM that has one.
func firstNode(t *testing.T, g *gateway) int {
	t.Helper()
	var list struct {
		Nodes []struct{ Node *struct{ NodeID int } }
	}
	if err := json.Unmarshal(g.post(t, `{ cvms(first: 30) { nodes { node { nodeId } } } }`, nil, nil).Data["cvms"], &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Nodes {
		if c.Node != nil {
			return c.Node.NodeID
		}
	}
	t.Fatal("got no CVM with a node, want one")
	return 0
}
