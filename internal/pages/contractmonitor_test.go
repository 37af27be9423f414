package pages_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// contractItem is an item with all keys of the contract, and a place for more members.
const contractItem = `{"hosted":null,"name":"n","status":"s","public_urls":[]%s}`

// listDocument returns a valid document with zero or one items.
func listDocument(items string, total, page int) string {
	return fmt.Sprintf(`{"items":[%s],"total":%d,"page":%d,"page_size":1,"pages":1}`, items, total, page)
}

// monitoredCache is a cache that records the calls of Compared.
type monitoredCache struct {
	*pages.Cache
	clock    *clock
	document func(restclient.PageRequest) []byte

	mu    sync.Mutex
	found []restclient.Comparison
	fresh [][]restclient.Difference
}

func newMonitoredCache() *monitoredCache { return newMonitoredCacheOf(restclient.ShapeHosted) }

func newMonitoredCacheOf(shape restclient.Shape) *monitoredCache {
	c := &monitoredCache{clock: newClock()}
	body := func(_ context.Context, _ restclient.Credential, r restclient.PageRequest) (restclient.RawPage, error) {
		return restclient.RawPage{Body: c.document(r)}, nil
	}
	c.Cache = pages.NewCache(pages.NewUpstreamFunc(shape, body), pages.CacheOptions{Now: c.clock.Now, Observer: pages.CacheObserver{
		Compared: func(found restclient.Comparison, fresh []restclient.Difference) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.found = append(c.found, found)
			c.fresh = append(c.fresh, fresh)
		},
	}})
	return c
}

// fetch fetches a page for which the upstream sends the document. It returns the differences passed
// to Compared, or nil if the document was not compared.
func (c *monitoredCache) fetch(t *testing.T, document string) (fresh []string) {
	t.Helper()
	c.document = func(restclient.PageRequest) []byte { return []byte(document) }
	before := len(c.found)
	_, _ = c.Fetch(t.Context(), fetchRequest(c.Cache, bearer("a-long-token"), 1, 1)) // other tests check the result
	for _, differences := range c.fresh[before:] {
		fresh = []string{}
		for _, d := range differences {
			fresh = append(fresh, d.String())
		}
	}
	return fresh
}

// oneItem returns a document of one item with more members.
func oneItem(more string) string { return listDocument(fmt.Sprintf(contractItem, more), 1, 1) }

func TestContractMonitor_comparesOnePagePerMinute(t *testing.T) {
	t.Parallel()
	c := newMonitoredCache()
	empty := listDocument("", 0, 1)
	const nothingNew, notCompared = "compared, and nothing is new", "not compared"
	for _, step := range []struct {
		name     string
		document string
		later    time.Duration // after the previous step
		want     string
	}{
		{name: "an empty list", document: empty, want: notCompared},
		{name: "an invalid empty list", document: listDocument("", 0, 7), want: notCompared},
		{name: "the first page with items", document: oneItem(`,"new":[]`), want: "unknown items[].new (array; 1 of 1)"},
		{name: "another page at once", document: oneItem(`,"newer":[]`), want: notCompared},
		{name: "less than a minute later", document: oneItem(`,"newer":[]`), later: 59 * time.Second, want: notCompared},
		{name: "a minute later", document: oneItem(`,"new":[],"newer":[]`), later: time.Second, want: "unknown items[].newer (array; 1 of 1)"},
		{name: "a known difference", document: oneItem(`,"new":[]`), later: time.Minute, want: nothingNew},
		{name: "an empty list a minute later", document: empty, later: time.Minute, want: notCompared},
		{name: "after an empty list", document: oneItem(`,"new":null`), want: "unknown items[].new (null; 1 of 1)"},
		{name: "invalid JSON", document: "<html>", later: time.Minute, want: notCompared},
		{name: "at once after invalid JSON", document: oneItem(`,"later":[]`), want: notCompared},
		{
			name: "a second after invalid JSON", document: oneItem(`,"later":[]`),
			later: time.Second,
			want:  "unknown items[].later (array; 1 of 1)",
		},
		{
			name: "an invalid page", document: `{"data":[],"total":0,"page":1,"page_size":1,"pages":0}`,
			later: time.Minute,
			want:  "missing items (a list; renamed to data?; 1 of 1)",
		},
		{
			name: "the flat shape", document: listDocument(`{"vm_uuid":"a"}`, 1, 1),
			later: time.Minute,
			want:  "changed items[] (should be an item of API version 2025-10-28, is an item of another version; 1 of 1)",
		},
		{
			name: "a clock that was set back", document: oneItem(`,"newest":[]`),
			later: -time.Hour,
			want:  "unknown items[].newest (array; 1 of 1)",
		},
		{
			name: "a part of the credential", document: oneItem(`,"long-token":[]`),
			later: time.Minute,
			want:  "unknown items[].(not shown) (1 of 1)",
		},
	} {
		c.clock.advance(step.later)
		got := notCompared
		if fresh := c.fetch(t, step.document); len(fresh) > 0 {
			got = fresh[0]
		} else if fresh != nil {
			got = nothingNew
		}
		if got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

func TestContractMonitor_limitsReportedDifferences(t *testing.T) {
	t.Parallel()
	c := newMonitoredCache()
	reported := 0
	for i := range 300 {
		reported += len(c.fetch(t, oneItem(fmt.Sprintf(`,"new%d":[]`, i))))
		c.clock.advance(time.Minute)
	}
	if reported != 200 || len(c.found) != 300 || c.found[299].Unknown != 1 {
		t.Errorf("got %d differences reported for %d pages, and %+v for the last one, want 200 for 300, and an unknown key", reported, len(c.found), c.found[len(c.found)-1])
	}
}

func TestContractMonitor_concurrentPages(t *testing.T) {
	t.Parallel()
	c := newMonitoredCache()
	var arrived atomic.Int64
	all := make(chan struct{})
	c.document = func(r restclient.PageRequest) []byte {
		c.clock.advance(time.Millisecond) // each page is requested at another time
		if arrived.Add(1) == 20 {
			close(all)
		}
		<-all
		return []byte(listDocument(fmt.Sprintf(contractItem, ""), 20, r.Page))
	}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := c.Fetch(t.Context(), fetchRequest(c.Cache, bearer("a"), i+1, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(c.found) != 1 || c.found[0].Items != 1 || len(c.fresh[0]) != 0 {
		t.Errorf("got %+v, %v, want one page without differences", c.found, c.fresh)
	}
}

// Pages that are not compared must not allocate more than without a Compared function.
func TestContractMonitor_allocations(t *testing.T) { //nolint:paralleltest // allocations of other tests would count
	body := []byte(oneItem(`,"new":[]`))
	allocations := func(observer pages.CacheObserver) float64 {
		c := pages.NewCache(pages.NewUpstreamFunc(restclient.ShapeHosted, func(context.Context, restclient.Credential, restclient.PageRequest) (restclient.RawPage, error) {
			return restclient.RawPage{Body: slices.Clip(body)}, nil
		}), pages.CacheOptions{Observer: observer})
		r := fetchRequest(c, bearer("a"), 1, 1)
		mustFetch(t, c, r)
		return testing.AllocsPerRun(1000, func() { mustFetch(t, c, r) })
	}
	compared := 0
	without, with := allocations(pages.CacheObserver{}), allocations(pages.CacheObserver{
		Compared: func(restclient.Comparison, []restclient.Difference) { compared++ },
	})
	if with != without || compared != 1 {
		t.Errorf("got %.0f allocations per page, %.0f without Compared, and %d comparisons, want no difference and 1", with, without, compared)
	}
}

func TestContractMonitor_flatShape(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../../restclient/testdata/item-flat.json")
	if err != nil {
		t.Fatal(err)
	}
	c := newMonitoredCacheOf(restclient.ShapeFlat)
	if got := c.fetch(t, listDocument(string(example), 1, 1)); len(got) != 0 || len(c.found) != 1 || c.found[0].Items != 1 {
		t.Errorf("the flat shape: got %q in %+v, want a comparison without differences", got, c.found)
	}
	c.clock.advance(time.Minute)
	want := []string{"changed items[] (should be an item of API version 2026-01-21 or later, is an item of another version; 1 of 1)"}
	if got := c.fetch(t, listDocument(`{"hosted":{}}`, 1, 1)); !slices.Equal(got, want) {
		t.Errorf("another shape: got %q, want %q", got, want)
	}
}
