package graph_test

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestNotFound_listShrank walks along a list that shrinks. A status 404 after its last item means
// the same as an empty page.
func TestNotFound_listShrank(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, 2 * time.Second} {
		for _, left := range []int{0, 5, 45, 91, 130} {
			for name, arguments := range map[string]func(cursor *string) vars{
				"forward":            func(cursor *string) vars { return vars{"first": 30, "after": cursor} },
				"a long window":      func(cursor *string) vars { return vars{"first": 150, "after": cursor} },
				"backward":           func(cursor *string) vars { return vars{"last": 30, "before": cursor} },
				"the last ones":      func(*string) vars { return vars{"last": 30} },
				"the last ones of 2": func(cursor *string) vars { return vars{"last": 30, "after": cursor} },
			} {
				var got [2]walked
				for i, notFound := range []bool{false, true} {
					list := &oddList{items: numbered(300), notFound: notFound}
					g := oddGateway(t, list, ttl)
					cursor := g.post(t, cvmsQuery, vars{"first": 200}, nil).cvms(t).PageInfo.EndCursor
					list.items = list.items[:left]
					a := g.post(t, `query($first: Int, $after: String, $last: Int, $before: String) {
						cvms(first: $first, after: $after, last: $last, before: $before) {
							totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage } } }`, arguments(cursor), nil)
					a.cvms(t)
					got[i].names = []string{string(a.Data["cvms"])}
				}
				if !slices.Equal(got[0].names, got[1].names) {
					t.Errorf("TTL %v, %d left, %s: got %s, want %s", ttl, left, name, got[1].names, got[0].names)
				}
			}
		}
	}
}

// TestNotFound_duringWindow shrinks the list between the calls of a window and of a lookup.
func TestNotFound_duringWindow(t *testing.T) {
	t.Parallel()
	for call := 2; call < 5; call++ {
		for name, query := range map[string]string{
			"a window":          `{ cvms(first: 350) { nodes { name } pageInfo { hasNextPage } } }`,
			"the last ones":     `{ cvms(last: 5) { nodes { name } pageInfo { hasNextPage } } }`,
			"a lookup":          `{ cvm(vmId: "vm-1000") { name } }`,
			"the total":         `{ cvms(last: 5) { totalCount } }`,
			"the end of a list": `{ cvms(last: 350) { nodes { name } pageInfo { hasNextPage } } }`,
		} {
			list := &oddList{items: numbered(350), notFound: true}
			list.before = func(n int) {
				if n == call {
					list.items = list.items[:150]
				}
			}
			if a := newGateway(t, list).post(t, query, nil, nil); len(a.Errors) > 0 {
				t.Errorf("%s, call %d: got %+v, want no error", name, call, a.Errors)
			}
		}
	}
}

func TestNotFound_wholeList(t *testing.T) {
	t.Parallel()
	g := newGateway(t, http.NotFoundHandler())
	for _, query := range []string{`{ cvms(first: 250) { nodes { name } } }`, `{ cvm(vmId: "a") { name } }`} {
		if a := g.post(t, query, nil, nil); a.onlyError(t).code() != "NOT_FOUND" {
			t.Errorf("%s: got %s, want NOT_FOUND", query, a.raw)
		}
	}
}

// TestNotFound_listGrowsAndShrinks has a list that is longer for the moment in which its total is
// asked for.
func TestNotFound_listGrowsAndShrinks(t *testing.T) {
	t.Parallel()
	list := &oddList{items: numbered(13), notFound: true}
	all := list.items
	totals := 0
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if totals < 2 && r.URL.Query().Get("page_size") == "1" {
			totals++
			list.items = all
		}
		list.ServeHTTP(w, r)
		list.items = all[:12]
	}))
	cursor := g.post(t, cvmsQuery, vars{"last": 1}, nil).cvms(t).PageInfo.EndCursor
	totals = 0
	a := g.post(t, `query($after: String) { cvms(first: 1, after: $after) { nodes { name } } }`, vars{"after": cursor}, nil)
	// The cursor remembers no item that is left, so that the traversal begins again and says so.
	if got, want := string(a.Data["cvms"]), `{"nodes":[{"name":"0"}]}`; got != want || len(a.Errors) > 0 {
		t.Errorf("got %s and %+v, want %s", got, a.Errors, want)
	}
	if p := a.Extensions.Pagination; len(p) != 1 || p[0].Exact {
		t.Errorf("got %+v, want a report that is not exact", p)
	}
}
