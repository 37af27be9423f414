package graph_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/testmode"
)

// TestTraversalsOverHTTP pages through lists that change between the pages and between the calls of a page, forward and
// backward, over real connections.
func TestTraversalsOverHTTP(t *testing.T) {
	t.Parallel()
	const workers = 4
	var exact, all atomic.Int64
	for worker := range workers {
		t.Run(fmt.Sprintf("part %d", worker), func(t *testing.T) {
			t.Parallel()
			for number := range testmode.Count(10, 1000/workers) {
				all.Add(1)
				if traverseOverHTTP(t, uint64(worker), uint64(number)) {
					exact.Add(1)
				}
			}
		})
	}
	t.Cleanup(func() {
		if exact.Load()*2 < all.Load() {
			t.Errorf("got %d exact cases of %d, want half at least", exact.Load(), all.Load())
		}
	})
}

// history is what happened to a tenant's list.
type history struct {
	upstream *demo.Upstream
	random   *rand.Rand
	serial   uint64
	gone     map[string]bool
}

// change makes up to most changes to the list.
func (h *history) change(most int) {
	h.upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
		for range h.random.IntN(most + 1) {
			if h.random.IntN(2) == 0 || len(items) == 0 {
				h.serial++
				items = slices.Insert(items, h.random.IntN(len(items)+1), demo.NewItem(h.serial))
				continue
			}
			at := h.random.IntN(len(items))
			h.gone[items[at].ID] = true
			items = slices.Delete(items, at, at+1)
		}
		return items
	})
}

// uncached returns the header of a tenant who takes no page that is kept.
func uncached() http.Header {
	return http.Header{"Authorization": {"Bearer " + tenant().Bearer}, "Cache-Control": {"no-cache"}}
}

// traverseOverHTTP returns whether the worker's history of this number makes the traversal one that has to be exact. The gateways of
// every other worker keep pages: others who ask beside it leave pages of all moments.
func traverseOverHTTP(t *testing.T, worker, number uint64) (exact bool) {
	t.Helper()
	random, keep := rand.New(rand.NewPCG(worker, number)), worker%2 == 1
	upstream := demo.New(demo.Options{Items: -1})
	h := &history{upstream: upstream, random: random, gone: map[string]bool{}}
	upstream.Edit(tenant(), func([]demo.Item) []demo.Item {
		var items []demo.Item
		for range random.IntN(200) {
			h.serial++
			items = append(items, demo.NewItem(h.serial))
		}
		return items
	})
	within := random.IntN(2) == 0
	turn := make(chan struct{}, 1) // calls arrive in parallel: one changes the list at a time
	changing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn <- struct{}{}
		if within {
			h.change(1)
		}
		upstream.ServeHTTP(w, r)
		<-turn
	})
	var g *gateway
	beside := func() {}
	if keep {
		g = cachingGateway(t, changing, pages.CacheOptions{TTL: time.Hour})
		beside = func() {
			for range random.IntN(3) {
				g.post(t, fmt.Sprintf(`{ cvms(%s: %d) { nodes { id } } }`, []string{"first", "last"}[random.IntN(2)], random.IntN(120)), nil, nil)
				h.change(1)
			}
		}
	} else {
		g = newGateway(t, changing)
	}
	beside()

	n := []int{1, 3, 10, 30, 101, 150}[random.IntN(6)]
	backward := random.IntN(2) == 0
	throughout := upstream.IDs(tenant())
	var returned []string
	var cursor *string
	exact = true
	for range 1000 {
		variables := vars{"first": n, "after": cursor}
		if backward {
			variables = vars{"last": n, "before": cursor}
		}
		var header http.Header
		if cursor == nil { // what was there throughout, was there since the upstream was asked
			header = uncached()
		}
		page := g.post(t, walkQuery, variables, header).cvms(t)
		if near := returned[max(0, len(returned)-4):]; cursor != nil && !slices.ContainsFunc(near, func(id string) bool { return !h.gone[id] }) {
			exact = false
		}
		ids := make([]string, len(page.Nodes))
		for i, node := range page.Nodes {
			ids[i] = node.VMID
		}
		more := page.PageInfo.HasNextPage
		cursor = page.PageInfo.EndCursor
		if backward {
			slices.Reverse(ids)
			more, cursor = page.PageInfo.HasPreviousPage, page.PageInfo.StartCursor
		}
		returned = append(returned, ids...)
		if !more {
			break
		}
		if len(returned) < 1000 {
			h.change(4)
		}
		beside()
	}
	throughout = slices.DeleteFunc(throughout, func(id string) bool { return h.gone[id] })
	if backward {
		slices.Reverse(throughout)
	}
	kept := slices.DeleteFunc(slices.Clone(returned), func(id string) bool { return !slices.Contains(throughout, id) })
	if exact && !slices.Equal(kept, throughout) {
		t.Errorf("part %d, history %d: %d a page, backward %v, within %v: got %d CVMs of those that stayed, want %d, each once and in order", worker, number, n, backward, within, len(kept), len(throughout))
	}
	for _, id := range throughout {
		if !slices.Contains(returned, id) {
			t.Errorf("part %d, history %d: %d a page, backward %v, within %v: %s was skipped", worker, number, n, backward, within, id)
		}
	}
	return exact
}

// TestASearchTakesNewPages keeps two pages of two moments, between which the cursor's item moved from one to the other.
func TestASearchTakesNewPages(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 160})
	g := cachingGateway(t, upstream, pages.CacheOptions{TTL: time.Hour})
	whole := upstream.IDs(tenant())
	cursor := g.post(t, walkQuery, vars{"first": 50}, nil).cvms(t).PageInfo.EndCursor

	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item { return items[10:] })
	later := g.post(t, walkQuery, vars{"first": 60}, uncached()).cvms(t)
	g.post(t, walkQuery, vars{"first": 40, "after": later.Edges[50].Cursor}, nil)
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
		for serial := range 20 {
			items = slices.Insert(items, 0, demo.NewItem(uint64(serial+1)))
		}
		return items
	})
	g.post(t, walkQuery, vars{"first": 50}, uncached())

	a := g.post(t, walkQuery, vars{"first": 1, "after": cursor}, nil)
	if page := a.cvms(t); len(page.Nodes) != 1 || page.Nodes[0].VMID != whole[50] {
		t.Errorf("got %s, want %s", a.raw, whole[50])
	}
	if got := a.Extensions.Pagination; len(got) != 1 || !got[0].Exact {
		t.Errorf("got %+v, want an exact answer", got)
	}
}

func TestPaginationExtension(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	g := newGateway(t, upstream)
	page := g.post(t, walkQuery, vars{"first": 10}, nil).cvms(t)
	if a := g.post(t, walkQuery, vars{"first": 10, "after": page.PageInfo.EndCursor}, nil); len(a.Extensions.Pagination) > 0 {
		t.Errorf("a list that stands still: got %+v, want no extension", a.Extensions.Pagination)
	}
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
		items = slices.Insert(items, 0, demo.NewItem(1), demo.NewItem(2))
		return slices.Delete(items, 11, 12) // the cursor's own
	})
	a := g.post(t, `query($after: String) { list: cvms(first: 10, after: $after) { nodes { vmId } } }`, vars{"after": page.PageInfo.EndCursor}, nil)
	if len(a.Extensions.Pagination) != 1 {
		t.Fatalf("got %s, want an extension", a.raw)
	}
	got := a.Extensions.Pagination[0]
	if dotted(got.Path) != "list" || !got.Exact || got.Inserted != 2 || got.Removed != 1 || got.Reordered || got.RepeatedFrom != nil {
		t.Errorf("got %+v, want an exact answer at list with 2 inserted and 1 removed", got)
	}

	page = g.post(t, walkQuery, vars{"first": 50}, nil).cvms(t)
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item { return items[100:] })
	a = g.post(t, walkQuery, vars{"first": 10, "after": page.PageInfo.EndCursor}, nil)
	if got := a.Extensions.Pagination; len(got) != 1 || got[0].Exact || got[0].RepeatedFrom == nil || *got[0].RepeatedFrom != 0 {
		t.Errorf("nothing is left of what the cursor remembers: got %+v, want repeats from 0", got)
	}
}
