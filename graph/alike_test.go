package graph_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/testing/testmode"
)

// alike is an item without a VM that is like all others of its name, apart from its status.
func alike(name string, serial int) string {
	return fmt.Sprintf(`{"name":%q,"project_id":"p","status":"%d"}`, name, serial)
}

func TestAlike_walksAndLookups(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	lists := map[string][]string{"8 in a row": numbered(20), "scattered": numbered(40), "two kinds": numbered(30)}
	for i := range 8 {
		lists["8 in a row"][6+i] = alike("a", i)
		lists["scattered"][5*i] = alike("a", i)
		lists["two kinds"][2*i+3], lists["two kinds"][2*i+4] = alike("a", i), alike("b", i)
	}
	for n := range testmode.Count(4, 40) {
		list := numbered(1 + random.IntN(100))
		for i := range list {
			if random.IntN(4) == 0 {
				list[i] = alike([]string{"a", "b"}[random.IntN(2)], i)
			}
		}
		lists[fmt.Sprintf("random %d", n)] = list
	}
	for name, items := range lists {
		for _, ttl := range []time.Duration{0, 2 * time.Second} {
			t.Run(fmt.Sprintf("%s, TTL %v", name, ttl), func(t *testing.T) {
				t.Parallel()
				list := &oddList{items: items}
				want := walk(t, oddGateway(t, list, ttl), 1000, false)
				if ids := slices.Sorted(slices.Values(want.ids)); len(slices.Compact(ids)) != len(items) {
					t.Fatalf("the whole list: got %d different ids, want %d", len(slices.Compact(ids)), len(items))
				}
				for _, n := range []int{1, 2, 3, 7, 30} {
					for _, backward := range []bool{false, true} {
						got := walk(t, oddGateway(t, list, ttl), n, backward)
						if !slices.Equal(got.ids, want.ids) || !slices.Equal(got.statuses, want.statuses) || got.inexact {
							t.Errorf("by %d, backward %t: got %d CVMs, inexact %t, want the same %d", n, backward, len(got.ids), got.inexact, len(want.ids))
						}
					}
				}
				checkLookups(t, oddGateway(t, list, ttl), want)
			})
		}
	}
}

// checkLookups looks all CVMs up by their ids, all at once and one by one.
func checkLookups(t *testing.T, g *gateway, want walked) {
	t.Helper()
	type node struct{ ID, Status string }
	var nodes []node
	if err := json.Unmarshal(g.post(t, `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Cvm { status } } }`, vars{"ids": want.ids}, nil).Data["nodes"], &nodes); err != nil {
		t.Fatal(err)
	}
	for i, id := range want.ids {
		if nodes[i] != (node{id, want.statuses[i]}) {
			t.Errorf("nodes: got %v, want %s, %s", nodes[i], id, want.statuses[i])
		}
		if i%3 > 0 {
			continue
		}
		var got node
		if err := json.Unmarshal(g.post(t, `query($id: ID!) { node(id: $id) { id ... on Cvm { status } } }`, vars{"id": id}, nil).Data["node"], &got); err != nil || got != nodes[i] {
			t.Errorf("node: got %v, %v, want %v", got, err, nodes[i])
		}
	}
}

// TestAlike_listChanges inserts CVMs at the front between the pages of a walk.
func TestAlike_listChanges(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{0, 2 * time.Second} {
		for _, n := range []int{2, 3, 10} {
			for _, backward := range []bool{false, true} {
				list := &oddList{items: numbered(60)}
				for i := range 8 {
					list.items[4*i+10] = alike("a", i)
				}
				list.before = func(call int) {
					if call%5 == 0 {
						list.items = slices.Insert(slices.Clone(list.items), 0, fmt.Sprintf(`{"hosted":{"id":"new-%d"},"name":"new"}`, call))
					}
				}
				got := walk(t, oddGateway(t, list, ttl), n, backward)
				var serials []string
				for i, name := range got.names {
					if name == "a" {
						serials = append(serials, got.statuses[i])
					}
				}
				if want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}; !slices.Equal(serials, want) {
					t.Errorf("TTL %v, by %d, backward %t: got the CVMs %v, want %v", ttl, n, backward, serials, want)
				}
			}
		}
	}
}

// TestAlike_callsOnlyIfSeveral counts the calls for a window deep in a list.
func TestAlike_callsOnlyIfSeveral(t *testing.T) {
	t.Parallel()
	one, two := numbered(500), numbered(500)
	one[410], two[410], two[411] = alike("a", 0), alike("a", 0), alike("a", 1)
	for name, tt := range map[string]struct {
		items []string
		calls int
	}{"no equal item": {one, 1}, "an equal item": {two, 6}} {
		g := newGateway(t, &oddList{items: tt.items})
		page := g.post(t, cvmsQuery, vars{"first": 405}, nil).cvms(t)
		g.takeCalls()
		g.post(t, cvmsQuery, vars{"first": 10, "after": page.PageInfo.EndCursor}, nil)
		if calls := g.takeCalls(); len(calls) > tt.calls {
			t.Errorf("%s: got the calls %q, want at most %d", name, calls, tt.calls)
		}
	}
}

// TestAlike_callBudget has too few calls to number equal items. The window is returned, and does
// not claim to be exact.
func TestAlike_callBudget(t *testing.T) {
	t.Parallel()
	items := numbered(900)
	items[801], items[802] = alike("a", 0), alike("a", 1)
	whole := newGateway(t, &oddList{items: items})
	after := whole.post(t, cvmsQuery, vars{"first": 800}, nil).cvms(t).PageInfo.EndCursor
	g := newGateway(t, &oddList{items: items}, func(r *graph.Resolver) { r.MaxUpstreamCalls, r.MaxFirst = 4, 100 })
	a := g.post(t, cvmsQuery, vars{"first": 10, "after": after}, nil)
	if page := a.cvms(t); len(page.Nodes) != 10 {
		t.Errorf("got %d CVMs, want 10", len(page.Nodes))
	}
	if got := a.Extensions.Pagination; len(got) != 1 || got[0].Exact {
		t.Errorf("got %+v, want a result that is not exact", got)
	}
}

// TestAlike_longList has equal CVMs without a VM that are far from each other, in a list that takes
// several calls. A walk returns each, and if it cannot know the numbers from the beginning, it does
// not claim to be exact.
func TestAlike_longList(t *testing.T) {
	t.Parallel()
	items := numbered(260)
	for i := range 8 {
		items[30*i+25] = alike("a", i)
	}
	whole := walk(t, newGateway(t, &oddList{items: items}), 1000, false)
	for _, ttl := range []time.Duration{0, 2 * time.Second} {
		for _, n := range []int{1, 2, 7, 30, 100} {
			for _, backward := range []bool{false, true} {
				got := walk(t, oddGateway(t, &oddList{items: items}, ttl), n, backward)
				if !slices.Equal(got.names, whole.names) || !slices.Equal(got.statuses, whole.statuses) {
					t.Errorf("TTL %v, by %d, backward %t: got %d CVMs, want each of %d once", ttl, n, backward, len(got.names), len(items))
				}
				if !slices.Equal(got.ids, whole.ids) && !got.inexact {
					t.Errorf("TTL %v, by %d, backward %t: got other ids, and an exact result", ttl, n, backward)
				}
			}
		}
		checkLookups(t, oddGateway(t, &oddList{items: items}, ttl), whole)
	}
}
