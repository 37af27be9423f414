package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// oddList is an upstream list that counts and selects as the real API may do.
type oddList struct {
	mu    sync.Mutex
	items []string // the JSON of the items, in the hosted shape
	calls int
	flat  map[string]string // the flat shape of items

	// hidden reports whether the item at a position is left out of its page, after it was counted.
	hidden func(position int) bool
	// total changes the announced total.
	total func(total int) int
	// notFound makes the list respond with status 404 to a page after its last item.
	notFound bool
	// before is called before each response with the number of the call, from 1. It may change
	// items.
	before func(call int)
}

func (l *oddList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls++; l.before != nil {
		l.before(l.calls)
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	total := len(l.items)
	start, end := min((page-1)*size, total), min(page*size, total)
	if l.notFound && start >= total && page > 1 {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"detail":"not found"}`))
		return
	}
	var items []string
	for position := start; position < end; position++ {
		if l.hidden == nil || !l.hidden(position) {
			items = append(items, l.shaped(l.items[position], r.Header.Get("X-Phala-Version")))
		}
	}
	if l.total != nil {
		total = l.total(total)
	}
	_, _ = fmt.Fprintf(w, `{"items":[%s],"total":%d,"page":%d,"page_size":%d,"pages":%d}`,
		strings.Join(items, ","), total, page, size, (total+size-1)/size)
}

// shaped returns an item in the shape of an API version.
func (l *oddList) shaped(item, version string) string {
	if restclient.ShapeOf(version) == restclient.ShapeHosted {
		return item
	}
	flat, ok := l.flat[item]
	if !ok {
		if l.flat == nil {
			l.flat = make(map[string]string)
		}
		flat = string(demo.Item{JSON: []byte(item)}.Flat())
		l.flat[item] = flat
	}
	return flat
}

// numbered returns items with the names 0 to n-1.
func numbered(n int) []string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"hosted":{"id":"vm-%d"},"name":"%d"}`, i, i)
	}
	return items
}

// walked is what a walk along a list returned: one entry per CVM, in the order of the list.
type walked struct {
	ids, names, statuses []string
	inexact              bool
	totals               []int
}

// walk pages through the list of the gateway, n CVMs at a time.
func walk(t *testing.T, g *gateway, n int, backward bool) walked {
	t.Helper()
	var all walked
	var cursor *string
	for range 2000 {
		variables := vars{"first": n, "after": cursor}
		if backward {
			variables = vars{"last": n, "before": cursor}
		}
		a := g.post(t, `query($first: Int, $after: String, $last: Int, $before: String) {
			cvms(first: $first, after: $after, last: $last, before: $before) {
				totalCount nodes { id name status } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, variables, nil)
		if len(a.Errors) > 0 {
			t.Fatalf("got %+v, want no errors", a.Errors)
		}
		var page struct {
			TotalCount int
			Nodes      []struct{ ID, Name, Status string }
			PageInfo   struct {
				HasNextPage, HasPreviousPage bool
				StartCursor, EndCursor       *string
			}
		}
		if err := json.Unmarshal(a.Data["cvms"], &page); err != nil {
			t.Fatal(err)
		}
		for _, p := range a.Extensions.Pagination {
			all.inexact = all.inexact || !p.Exact
		}
		if backward {
			slices.Reverse(page.Nodes)
		}
		for _, node := range page.Nodes {
			all.ids, all.names, all.statuses = append(all.ids, node.ID), append(all.names, node.Name), append(all.statuses, node.Status)
		}
		all.totals = append(all.totals, page.TotalCount)
		more := page.PageInfo.HasNextPage
		cursor = page.PageInfo.EndCursor
		if backward {
			more, cursor = page.PageInfo.HasPreviousPage, page.PageInfo.StartCursor
		}
		if !more {
			if backward {
				slices.Reverse(all.ids)
				slices.Reverse(all.names)
				slices.Reverse(all.statuses)
			}
			return all
		}
		if cursor == nil {
			t.Fatal("got a page without a cursor that is not the last one")
		}
	}
	t.Fatal("the walk does not end")
	return all
}

// oddGateway returns a gateway whose cache has the TTL.
func oddGateway(t *testing.T, list http.Handler, ttl time.Duration) *gateway {
	t.Helper()
	return oddGatewayOf(t, "", list, ttl)
}

// oddGatewayOf returns a gateway that requests an API version, and whose cache has the TTL.
func oddGatewayOf(t *testing.T, version string, list http.Handler, ttl time.Duration) *gateway {
	t.Helper()
	return cachingGatewayOf(t, version, list, pages.CacheOptions{TTL: ttl})
}
