package pages_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/restclient"
)

// promised is an item with all that is promised.
const promised = `{"hosted":null,"name":"n","status":"s","public_urls":[]%s}`

// whole is a page of one item or none, with all that a document has.
func whole(items string, total, page int) string {
	return fmt.Sprintf(`{"items":[%s],"total":%d,"page":%d,"page_size":1,"pages":1}`, items, total, page)
}

// watched is a cache of one list, and what its observer was told.
type watched struct {
	*pages.Cache
	clock    *clock
	document func(restclient.PageRequest) []byte

	mu    sync.Mutex
	found []restclient.Comparison
	fresh [][]restclient.Difference
}

func newWatched() *watched {
	w := &watched{clock: newClock()}
	body := func(_ context.Context, _ restclient.Credential, r restclient.PageRequest) (restclient.Document, error) {
		return restclient.Document{Body: w.document(r)}, nil
	}
	w.Cache = pages.NewCache(pages.NewUpstreamFunc(body), pages.CacheOptions{Now: w.clock.Now, Observer: pages.CacheObserver{
		Compared: func(found restclient.Comparison, fresh []restclient.Difference) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.found = append(w.found, found)
			w.fresh = append(w.fresh, fresh)
		},
	}})
	return w
}

// fetch fetches a page for which the upstream sends a document, and returns the texts of what is told then, nil where nothing was
// compared.
func (w *watched) fetch(t *testing.T, document string) (fresh []string) {
	t.Helper()
	w.document = func(restclient.PageRequest) []byte { return []byte(document) }
	before := len(w.found)
	_, _ = w.Fetch(t.Context(), ask(w.Cache, bearer("a-long-token"), 1, 1)) // whatever comes of it is for other tests
	for _, differences := range w.fresh[before:] {
		fresh = []string{}
		for _, d := range differences {
			fresh = append(fresh, d.String())
		}
	}
	return fresh
}

// one is a document of one item with more members than are promised.
func one(more string) string { return whole(fmt.Sprintf(promised, more), 1, 1) }

func TestAPageAMinuteIsCompared(t *testing.T) {
	t.Parallel()
	w := newWatched()
	empty := whole("", 0, 1)
	const nothing, elsewhere = "compared, and nothing is new", "not compared"
	for _, step := range []struct {
		name, document string
		later          time.Duration
		want           string
	}{
		{"an empty list shows nothing", empty, 0, elsewhere},
		{"nor does one that is refused", whole("", 0, 7), 0, elsewhere},
		{"the first page with items", one(`,"new":[]`), 0, "unknown items[].new (array; 1 of 1)"},
		{"another one at once", one(`,"newer":[]`), 0, elsewhere},
		{"and before the minute is over", one(`,"newer":[]`), 59 * time.Second, elsewhere},
		{"the next minute's", one(`,"new":[],"newer":[]`), time.Second, "unknown items[].newer (array; 1 of 1)"},
		{"what is known by now", one(`,"new":[]`), time.Minute, nothing},
		{"an empty list", empty, time.Minute, elsewhere},
		{"behind it", one(`,"new":null`), 0, "unknown items[].new (null; 1 of 1)"},
		{"what is no document", "<html>", time.Minute, elsewhere},
		{"at once behind it", one(`,"later":[]`), 0, elsewhere},
		{"a second behind it", one(`,"later":[]`), time.Second, "unknown items[].later (array; 1 of 1)"},
		{"a page that is refused", `{"data":[],"total":0,"page":1,"page_size":1,"pages":0}`, time.Minute, "missing items (a list; renamed to data?; 1 of 1)"},
		{"the flat shape", whole(`{"vm_uuid":"a"}`, 1, 1), time.Minute, "changed items[] (should be an item of API version 2025-10-28, is flat shape of another one; 1 of 1)"},
		{"a clock that was set back", one(`,"newest":[]`), -time.Hour, "unknown items[].newest (array; 1 of 1)"},
		{"a part of the credential", one(`,"long-token":[]`), time.Minute, "unknown items[].(not shown) (1 of 1)"},
	} {
		w.clock.advance(step.later)
		got := elsewhere
		if fresh := w.fetch(t, step.document); len(fresh) > 0 {
			got = fresh[0]
		} else if fresh != nil {
			got = nothing
		}
		if got != step.want {
			t.Errorf("%s: got %q, want %q", step.name, got, step.want)
		}
	}
}

func TestDifferencesAreToldWithinABound(t *testing.T) {
	t.Parallel()
	w := newWatched()
	told := 0
	for i := range 300 {
		told += len(w.fetch(t, one(fmt.Sprintf(`,"new%d":[]`, i))))
		w.clock.advance(time.Minute)
	}
	if told != 200 || len(w.found) != 300 || w.found[299].Unknown != 1 {
		t.Errorf("got %d differences told of %d pages, and %+v at last, want 200 of 300, and an unknown key", told, len(w.found), w.found[len(w.found)-1])
	}
}

func TestOneOfPagesAtOnceIsCompared(t *testing.T) {
	t.Parallel()
	w := newWatched()
	var arrived atomic.Int64
	all := make(chan struct{})
	w.document = func(r restclient.PageRequest) []byte {
		w.clock.advance(time.Millisecond) // so that each is asked for at another time
		if arrived.Add(1) == 20 {
			close(all)
		}
		<-all
		return []byte(whole(fmt.Sprintf(promised, ""), 20, r.Page))
	}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := w.Fetch(t.Context(), ask(w.Cache, bearer("a"), i+1, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(w.found) != 1 || w.found[0].Items != 1 || len(w.fresh[0]) != 0 {
		t.Errorf("got %+v, %v, want one page without a difference", w.found, w.fresh)
	}
}

// TestPagesThatAreNotComparedCostNothing counts what the pages of a minute allocate, with and without somebody to tell.
func TestPagesThatAreNotComparedCostNothing(t *testing.T) { //nolint:paralleltest // what others allocate would count
	body := []byte(one(`,"new":[]`))
	allocations := func(observer pages.CacheObserver) float64 {
		c := pages.NewCache(pages.NewUpstreamFunc(func(context.Context, restclient.Credential, restclient.PageRequest) (restclient.Document, error) {
			return restclient.Document{Body: slices.Clip(body)}, nil
		}), pages.CacheOptions{Observer: observer})
		r := ask(c, bearer("a"), 1, 1)
		mustFetch(t, c, r)
		return testing.AllocsPerRun(1000, func() { mustFetch(t, c, r) })
	}
	compared := 0
	without, with := allocations(pages.CacheObserver{}), allocations(pages.CacheObserver{
		Compared: func(restclient.Comparison, []restclient.Difference) { compared++ },
	})
	if with != without || compared != 1 {
		t.Errorf("got %.0f allocations a page, and %.0f without a look at one; %d compared, want as many and 1", with, without, compared)
	}
}
