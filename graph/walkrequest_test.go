package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"cvmgraph/internal/testing/changinglist"
)

// walkRequest is a request for a connection.
type walkRequest struct {
	count         int
	fromBack      bool
	after, before *walkCursor
	noCache       bool
}

// String describes a request.
func (r walkRequest) String() string {
	s := "first"
	if r.fromBack {
		s = "last"
	}
	s += " " + strconv.Itoa(r.count)
	if r.after != nil {
		s += fmt.Sprint(" after ", r.after.Item())
	}
	if r.before != nil {
		s += fmt.Sprint(" before ", r.before.Item())
	}
	if r.noCache {
		s += ", no cache"
	}
	return s
}

// walkCursor is a cursor and what the client knows of it.
type walkCursor struct {
	encoded string
	*changinglist.Mark
}

// walkResponse is a response in the order of the list.
type walkResponse struct {
	seen    changinglist.Span
	items   []int
	cursors []string
	hasNext bool
	hasPrev bool
	report  changinglist.Report
}

const walkQuery = `query($first: Int, $after: String, $last: Int, $before: String) {
	cvms(first: $first, after: $after, last: $last, before: $before) {
		edges { cursor node { id vcpu } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

// walkBody is the body of a response to walkQuery.
type walkBody struct {
	Data struct {
		Cvms struct {
			Edges []struct {
				Cursor string
				Node   struct {
					ID   string
					Vcpu int
				}
			}
			PageInfo struct {
				HasNextPage, HasPreviousPage bool
				StartCursor, EndCursor       *string
			}
		}
	}
	Errors     []responseError
	Extensions struct {
		Pagination []struct {
			Exact, Reordered  bool
			Inserted, Removed int
			RepeatedFrom      *int
		}
	}
}

// send sends a request. It returns false if the response has an error.
func (w *clientWalk) send(ctx context.Context, r walkRequest) (walkResponse, bool) {
	variables := vars{}
	if r.fromBack {
		variables["last"] = r.count
	} else {
		variables["first"] = r.count
	}
	seen := changinglist.Span{Lo: w.oldest(r.noCache)}
	for name, cursor := range map[string]*walkCursor{"after": r.after, "before": r.before} {
		if cursor != nil {
			variables[name] = cursor.encoded
			seen.Lo = max(seen.Lo, cursor.Seen.Lo)
		}
	}
	fmt.Fprintf(&w.log, "request %v\n", r)
	var body walkBody
	raw := w.post(ctx, walkQuery, variables, r.noCache)
	if err := json.Unmarshal(raw, &body); err != nil {
		w.fault("the response is not JSON: %v: %.200s", err, raw)
		return walkResponse{}, false
	}
	if len(body.Errors) > 0 {
		w.fault("got the errors %+v", body.Errors)
		return walkResponse{}, false
	}
	seen.Hi = w.newest()
	if r.noCache {
		w.fresh = max(w.fresh, seen.Lo)
	}
	response := w.responseOf(&body)
	response.seen = seen
	fmt.Fprintf(&w.log, "  %v of versions %v, previous %t, next %t, report %+v\n", response.items, seen, response.hasPrev, response.hasNext, response.report)
	return response, true
}

// responseOf returns the response with a body.
func (w *clientWalk) responseOf(body *walkBody) walkResponse {
	info := body.Data.Cvms.PageInfo
	response := walkResponse{hasNext: info.HasNextPage, hasPrev: info.HasPreviousPage}
	for _, edge := range body.Data.Cvms.Edges {
		response.items = append(response.items, edge.Node.Vcpu)
		response.cursors = append(response.cursors, edge.Cursor)
		w.ids[edge.Node.Vcpu] = edge.Node.ID
	}
	if n := len(response.cursors); n == 0 {
		if info.StartCursor != nil || info.EndCursor != nil {
			w.fault("got a startCursor or an endCursor without items")
		}
	} else if info.StartCursor == nil || *info.StartCursor != response.cursors[0] || info.EndCursor == nil || *info.EndCursor != response.cursors[n-1] {
		w.fault("startCursor and endCursor: got others than those of the first and the last edge")
	}
	if entries := body.Extensions.Pagination; len(entries) == 1 {
		e := entries[0]
		response.report = changinglist.Report{
			Present: true, Exact: e.Exact, Reordered: e.Reordered, Repeats: e.RepeatedFrom != nil, Inserted: e.Inserted, Removed: e.Removed,
		}
	}
	return response
}

// oldest returns the oldest version that a request may show now.
func (w *clientWalk) oldest(noCache bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	oldest := w.history.Last()
	if noCache {
		return oldest
	}
	now := time.Now()
	for _, page := range w.fetched {
		if now.Sub(page.requested) < w.plan.ttl {
			oldest = min(oldest, page.version)
		}
	}
	return max(oldest, w.fresh)
}

// newest returns the newest version that a response may show: the last one that the upstream
// served.
func (w *clientWalk) newest() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fetched[len(w.fetched)-1].version
}

func (w *clientWalk) post(ctx context.Context, query string, variables vars, noCache bool) []byte {
	pass(time.Millisecond)
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		w.fault("%v", err)
		return nil
	}
	request := &http.Request{
		Method: http.MethodPost, URL: graphqlURL, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {w.credential}},
	}
	if noCache {
		request.Header.Set("Cache-Control", "no-cache")
	}
	recorder := &capture{header: make(http.Header)}
	w.handler.ServeHTTP(recorder, request.WithContext(ctx))
	return recorder.body
}

// cursor returns the cursor of the item at an index, for a walk that begins there or goes on from
// there. The walk got the items of earlier before this response.
func (r *walkResponse) cursor(at int, backward bool, earlier []int) *walkCursor {
	near := []int{r.items[at]}
	step := -1 // towards the items that the walk has passed
	if backward {
		step = 1
	}
	for i := at + step; i >= 0 && i < len(r.items) && len(near) < changinglist.NearItems; i += step {
		near = append(near, r.items[i])
	}
	for _, item := range slices.Backward(earlier) {
		if len(near) < changinglist.NearItems && !slices.Contains(near, item) {
			near = append(near, item)
		}
	}
	return &walkCursor{r.cursors[at], &changinglist.Mark{Near: near, Seen: r.seen}}
}

// lookup looks an item up by the uuid of its VM.
func (w *clientWalk) lookup(ctx context.Context, o *walkOther) {
	item := o.count % max(w.list.Known(), 1)
	seen := changinglist.Span{Lo: w.oldest(o.noCache)}
	fmt.Fprintf(&w.log, "lookup %d, no cache %t\n", item, o.noCache)
	raw := w.post(ctx, `query($id: ID!) { cvm(vmId: $id) { vcpu } }`, vars{"id": vmID(item)}, o.noCache)
	var body struct {
		Data   struct{ Cvm *struct{ Vcpu int } }
		Errors []responseError
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		w.fault("the response is not JSON: %v: %.200s", err, raw)
		return
	}
	seen.Hi = w.newest()
	if o.noCache {
		w.fresh = max(w.fresh, seen.Lo)
	}
	found := body.Data.Cvm != nil
	fmt.Fprintf(&w.log, "  found %t of versions %v, errors %+v\n", found, seen, body.Errors)
	if len(body.Errors) > 0 {
		if body.Errors[0].code() != "UNAVAILABLE" || seen.Lo == seen.Hi {
			w.fault("got the errors %+v", body.Errors)
		}
		return
	}
	if found && (body.Data.Cvm.Vcpu != item || !w.history.Listed(item, seen)) {
		w.fault("lookup of %d: got %d, which versions %v do not have", item, body.Data.Cvm.Vcpu, seen)
	}
	if !found && !w.plan.provisional(item) && w.history.Stayed(item, seen) {
		w.fault("lookup of %d: got null, but versions %v have it", item, seen)
	}
}

// lookUpNodes looks up all items of a list that did not change by the ids that the client got.
func (w *clientWalk) lookUpNodes(ctx context.Context) {
	for item, id := range w.ids {
		raw := w.post(ctx, `query($id: ID!) { node(id: $id) { ... on Cvm { vcpu } } }`, vars{"id": id}, false)
		if want := fmt.Sprintf(`{"data":{"node":{"vcpu":%d}}}`, item); string(raw) != want {
			w.fault("node(id) of %d: got %s, want %s", item, raw, want)
		}
	}
}

// stopCursor returns a cursor at which a walk ends, whose near items are on both sides.
func (r *walkResponse) stopCursor(at int) *walkCursor {
	c := r.cursor(at, false, nil)
	c.Near = append(c.Near, r.items[at+1:min(len(r.items), at+changinglist.NearItems)]...)
	return c
}
