package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"cvmgraph/restclient"
)

// fetchedPage is a page that the upstream served.
type fetchedPage struct {
	requested time.Time
	version   int
}

// serve serves one page, after a time that differs for the pages of a request, so that the order of
// parallel calls is always the same.
func (w *clientWalk) serve(ctx context.Context, r restclient.PageRequest) (restclient.RawPage, error) {
	requested := time.Now()
	timer := time.NewTimer(time.Millisecond + time.Duration(r.Page*101+r.PageSize)*100*time.Nanosecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return restclient.RawPage{}, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	lo, hi := (r.Page-1)*r.PageSize, r.Page*r.PageSize
	items := w.list.Items[min(lo, len(w.list.Items)):min(hi, len(w.list.Items))]
	body := []byte(`{"items":[`)
	for i, item := range items {
		if i > 0 {
			body = append(body, ',')
		}
		body = w.plan.appendItem(body, item)
	}
	total := len(w.list.Items)
	w.fetched = append(w.fetched, fetchedPage{requested, w.history.Last()})
	fmt.Fprintf(&w.log, "    page %d of %d: version %d\n", r.Page, r.PageSize, w.history.Last())
	defer w.changeWithin()
	if w.plan.notFound && r.Page > 1 && lo >= total {
		return restclient.RawPage{}, &restclient.StatusError{StatusCode: http.StatusNotFound}
	}
	body = fmt.Appendf(body, `],"total":%d,"page":%d,"page_size":%d,"pages":%d}`, total, r.Page, r.PageSize, (total+r.PageSize-1)/r.PageSize)
	return restclient.RawPage{Body: body}, nil
}

// changeWithin makes the next change between the calls of a request.
func (w *clientWalk) changeWithin() {
	if len(w.within) > 0 {
		w.change(w.within[0])
		w.within = w.within[1:]
	}
}

// change changes the list.
func (w *clientWalk) change(c walkChange) {
	change := c.Change
	if c.near && w.cursorItem >= 0 {
		change.At += w.lastPosition(w.cursorItem) - nearCursor
	}
	before := w.alike()
	change.Apply(w.list)
	// Where the sequence of alike items differs, an identity has gone from one item to another one.
	for i, item := range w.alike() {
		if i >= len(before) || item != before[i] {
			w.list.Rename(item)
		}
		if i < len(before) && item != before[i] {
			w.list.Rename(before[i])
		}
	}
	w.moved = w.moved || !change.KeepsOrder()
	w.history.Save()
	fmt.Fprintf(&w.log, "  %v: version %d: %v\n", change, w.history.Last(), w.list.Items)
}

// alike returns the items that only their order in the list distinguishes.
func (w *clientWalk) alike() []int {
	if !w.plan.alike {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(w.list.Items), func(item int) bool { return !w.plan.provisional(item) })
}

// lastPosition returns the position of an item in the last version that has it.
func (w *clientWalk) lastPosition(item int) int {
	for v := w.history.Last(); v >= 0; v-- {
		if at := w.history.Position(v, item); at >= 0 {
			return at
		}
	}
	return 0
}
