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
	"cvmgraph/internal/testing/changinglist"
	"cvmgraph/internal/testing/testmode"
)

// TestConnection_traversalOfChangingList pages through lists that change between the pages and
// between the calls of a page, forward and backward, over TCP. The API version alternates.
func TestConnection_traversalOfChangingList(t *testing.T) {
	t.Parallel()
	const workers = 4
	var exact, all atomic.Int64
	for worker := range workers {
		t.Run(fmt.Sprintf("part %d", worker), func(t *testing.T) {
			t.Parallel()
			for number := range testmode.Count(10, 1000/workers) {
				all.Add(1)
				// A test of its own closes the gateway before the next one starts.
				t.Run(fmt.Sprintf("history %d", number), func(t *testing.T) {
					if traverseOverHTTP(t, uint64(worker), uint64(number)) {
						exact.Add(1)
					}
				})
			}
		})
	}
	t.Cleanup(func() {
		if exact.Load()*2 < all.Load() {
			t.Errorf("got %d exact cases of %d, want half at least", exact.Load(), all.Load())
		}
	})
}

// tenantList is a tenant's list at the demo upstream, whose items follow a changinglist.List.
type tenantList struct {
	*changinglist.List
	upstream *demo.Upstream
	random   *rand.Rand
	items    map[int]demo.Item
	numbers  map[string]int // items of the list by the uuids of their VMs
}

func newTenantList(random *rand.Rand) *tenantList {
	l := &tenantList{
		List:     changinglist.New(random.IntN(200)),
		upstream: demo.New(demo.Options{Items: -1}),
		random:   random,
		items:    make(map[int]demo.Item),
		numbers:  make(map[string]int),
	}
	l.publish()
	return l
}

// publish makes the upstream serve the current items.
func (l *tenantList) publish() {
	l.upstream.Edit(tenant(), func([]demo.Item) []demo.Item {
		items := make([]demo.Item, len(l.Items))
		for i, number := range l.Items {
			item, ok := l.items[number]
			if !ok {
				item = demo.NewItem(uint64(number + 1))
				l.items[number], l.numbers[item.ID] = item, number
			}
			items[i] = item
		}
		return items
	})
}

// change makes up to most changes to the list.
func (l *tenantList) change(most int) {
	l.Change(l.random, most)
	l.publish()
}

// uncached returns the header of a tenant's request that uses no cached pages.
func uncached() http.Header {
	return http.Header{"Authorization": {"Bearer " + tenant().Bearer}, "Cache-Control": {"no-cache"}}
}

// traverseOverHTTP checks a traversal of the worker's history with this number, and returns whether
// it had to be exact. The gateways of every other worker cache pages. Other requests between those
// of the traversal leave pages of all moments in the cache.
func traverseOverHTTP(t *testing.T, worker, number uint64) (exact bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(worker, number))
	l := newTenantList(random)
	within := random.IntN(2) == 0
	lock := make(chan struct{}, 1) // calls arrive in parallel: one changes the list at a time
	changing := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock <- struct{}{}
		if within {
			l.change(1)
		}
		l.upstream.ServeHTTP(w, r)
		<-lock
	})
	version := apiVersions()[number%2]
	g := newGatewayOf(t, version, changing)
	otherRequests := func() {}
	if worker%2 == 1 {
		g = cachingGatewayOf(t, version, changing, pages.CacheOptions{TTL: time.Hour})
		otherRequests = func() {
			for range random.IntN(3) {
				end := []string{"first", "last"}[random.IntN(2)]
				g.post(t, fmt.Sprintf(`{ cvms(%s: %d) { nodes { id } } }`, end, random.IntN(120)), nil, nil)
				l.change(1)
			}
		}
	}
	otherRequests()

	n := []int{1, 3, 10, 30, 101, 150}[random.IntN(6)]
	backward := random.IntN(2) == 0
	traversal, err := l.Traverse(backward, func(cursor *string) (changinglist.Page, error) {
		return l.page(t, g, n, backward, cursor), nil
	}, func(returned []int) {
		if len(returned) < 1000 {
			l.change(4)
		}
		otherRequests()
	})
	history := fmt.Sprintf("version %s, part %d, history %d: %d a page, backward %t, within %t", version, worker, number, n, backward, within)
	if err != nil {
		t.Fatalf("%s: %v", history, err)
	}
	if traversal.Exact && !traversal.OnceAndInOrder() {
		t.Errorf("%s: got %d CVMs of those that stayed, want %d, each once and in order",
			history, len(traversal.Kept()), len(traversal.Stayed))
	}
	if skipped := traversal.Skipped(); len(skipped) > 0 {
		t.Errorf("%s: %v were skipped", history, skipped)
	}
	return traversal.Exact
}

// page returns the page of n CVMs after a cursor, or before it if the traversal is backward.
func (l *tenantList) page(t *testing.T, g *gateway, n int, backward bool, cursor *string) changinglist.Page {
	t.Helper()
	variables := vars{"first": n, "after": cursor}
	if backward {
		variables = vars{"last": n, "before": cursor}
	}
	var header http.Header
	if cursor == nil { // the first page shows the list as it is when the traversal begins
		header = uncached()
	}
	connection := g.post(t, cvmsQuery, variables, header).cvms(t)
	page := changinglist.Page{More: connection.PageInfo.HasNextPage, Cursor: connection.PageInfo.EndCursor}
	for _, node := range connection.Nodes {
		number, ok := l.numbers[node.VMID]
		if !ok {
			t.Fatalf("got the CVM %s, which was never listed", node.VMID)
		}
		page.Items = append(page.Items, number)
	}
	if backward {
		slices.Reverse(page.Items)
		page.More, page.Cursor = connection.PageInfo.HasPreviousPage, connection.PageInfo.StartCursor
	}
	return page
}

// TestConnection_searchUsesNewPages caches two pages of two moments, between which the cursor's
// item moved from one page to the other.
func TestConnection_searchUsesNewPages(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{Items: 160})
	g := cachingGateway(t, upstream, pages.CacheOptions{TTL: time.Hour})
	whole := upstream.IDs(tenant())
	cursor := g.post(t, cvmsQuery, vars{"first": 50}, nil).cvms(t).PageInfo.EndCursor

	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item { return items[10:] })
	later := g.post(t, cvmsQuery, vars{"first": 60}, uncached()).cvms(t)
	g.post(t, cvmsQuery, vars{"first": 40, "after": later.Edges[50].Cursor}, nil)
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
		for serial := range 20 {
			items = slices.Insert(items, 0, demo.NewItem(uint64(serial+1)))
		}
		return items
	})
	g.post(t, cvmsQuery, vars{"first": 50}, uncached())

	a := g.post(t, cvmsQuery, vars{"first": 1, "after": cursor}, nil)
	if page := a.cvms(t); len(page.Nodes) != 1 || page.Nodes[0].VMID != whole[50] {
		t.Errorf("got %s, want %s", a.raw, whole[50])
	}
	if got := a.Extensions.Pagination; len(got) != 1 || !got[0].Exact {
		t.Errorf("got %+v, want an exact result", got)
	}
}

func TestExtensions_pagination(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	g := newGateway(t, upstream)
	page := g.post(t, cvmsQuery, vars{"first": 10}, nil).cvms(t)
	if a := g.post(t, cvmsQuery, vars{"first": 10, "after": page.PageInfo.EndCursor}, nil); len(a.Extensions.Pagination) > 0 {
		t.Errorf("an unchanged list: got %+v, want no extension", a.Extensions.Pagination)
	}
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
		items = slices.Insert(items, 0, demo.NewItem(1), demo.NewItem(2))
		return slices.Delete(items, 11, 12) // the cursor's item
	})
	a := g.post(t, `query($after: String) { list: cvms(first: 10, after: $after) { nodes { vmId } } }`, vars{"after": page.PageInfo.EndCursor}, nil)
	if len(a.Extensions.Pagination) != 1 {
		t.Fatalf("got %s, want an extension", a.raw)
	}
	got := a.Extensions.Pagination[0]
	if dotted(got.Path) != "list" || !got.Exact || got.Inserted != 2 || got.Removed != 1 || got.Reordered || got.RepeatedFrom != nil {
		t.Errorf("got %+v, want an exact result at list with 2 inserted and 1 removed", got)
	}

	page = g.post(t, cvmsQuery, vars{"first": 50}, nil).cvms(t)
	upstream.Edit(tenant(), func(items []demo.Item) []demo.Item { return items[100:] })
	a = g.post(t, cvmsQuery, vars{"first": 10, "after": page.PageInfo.EndCursor}, nil)
	if got := a.Extensions.Pagination; len(got) != 1 || got[0].Exact || got[0].RepeatedFrom == nil || *got[0].RepeatedFrom != 0 {
		t.Errorf("all remembered items are deleted: got %+v, want repeats from 0", got)
	}
}

// TestConnection_cursorItemMoves loads the next page after the item of the cursor moved away. See
// TestAssembler_itemsMove for more cases.
func TestConnection_cursorItemMoves(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		to       int // the index to which the item moves
		backward bool
	}{
		"to the end":             {to: 59},
		"to the front":           {to: 0},
		"by one place":           {to: 10},
		"backward, to the end":   {to: 59, backward: true},
		"backward, to the front": {to: 0, backward: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := demo.New(demo.Options{Items: 60})
			g := newGateway(t, upstream)
			ids := upstream.IDs(tenant())
			args, at, want := vars{"first": 10}, 9, ids[10:20]
			if tt.backward {
				args, at, want = vars{"last": 10}, 50, ids[40:50]
			}
			info := g.post(t, cvmsQuery, args, nil).cvms(t).PageInfo
			upstream.Edit(tenant(), func(items []demo.Item) []demo.Item {
				item := items[at]
				return slices.Insert(slices.Delete(items, at, at+1), tt.to, item)
			})
			args["after"] = info.EndCursor
			if tt.backward {
				args = vars{"last": 10, "before": info.StartCursor}
			}
			a := g.post(t, cvmsQuery, args, nil)
			var got []string
			for _, node := range a.cvms(t).Nodes {
				got = append(got, node.VMID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if p := a.Extensions.Pagination; len(p) != 1 || p[0].Exact || !p[0].Reordered || p[0].RepeatedFrom != nil {
				t.Errorf("got %+v, want a reordered list without repeats", p)
			}
		})
	}
}
