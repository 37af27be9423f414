package graph

import (
	"context"
	"slices"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// reading is what one field has read of a list so far: pages, and what identifies their items.
type listFetch struct {
	op         *operation
	filter     restclient.Filter
	since      time.Time // pages show the list no earlier; zero: at any time
	snapshots  []relay.PageSnapshot
	loaded     []*pages.Page // by the index of views
	requested  []relay.PageRef
	usedCached bool // some of the pages were at hand, other than for want of an upstream that answers

	// The answer of a connection, once it is there, and the fingerprint of its list.
	result      *relay.Result
	fingerprint relay.Fingerprint

	// room is for the one page that most windows take.
	buf struct {
		views  [1]relay.PageSnapshot
		loaded [1]*pages.Page
		asked  [1]relay.PageRef
	}
}

func newListFetch(op *operation, filter restclient.Filter) *listFetch {
	r := &listFetch{op: op, filter: filter}
	r.snapshots, r.loaded, r.requested = r.buf.views[:0], r.buf.loaded[:0], r.buf.asked[:0]
	return r
}

func (r *listFetch) request(p relay.PageRef) restclient.PageRequest {
	return restclient.PageRequest{Filter: r.filter, Page: p.Number, PageSize: p.Size}
}

// load adds pages and returns their views. Those that it has are fetched anew. A page that holds the whole list stands in for
// any other of the operation.
func (r *listFetch) load(ctx context.Context, reason relay.Reason, wanted []relay.PageRef) ([]relay.PageSnapshot, error) {
	if whole, ok := r.op.loader.CompletePage(r.filter, r.since); ok {
		if p := (relay.PageRef{Number: whole.Page, Size: whole.PageSize}); !slices.Contains(r.requested, p) {
			wanted = []relay.PageRef{p}
		}
	}
	var buf [1]restclient.PageRequest
	requests := slices.Grow(buf[:0], len(wanted))
	for _, p := range wanted {
		requests = append(requests, r.request(p))
		if slices.Contains(r.requested, p) {
			r.op.loader.Invalidate(ctx, r.request(p))
		} else {
			r.requested = append(r.requested, p)
		}
	}
	loaded, err := r.op.loader.Load(ctx, string(reason), requests, r.since)
	if err != nil {
		return nil, err
	}
	r.op.resolver.Tracer.used(ctx, loaded, string(reason))
	before := len(r.snapshots)
	for _, got := range loaded {
		r.usedCached = r.usedCached || got.Cached && !got.Stale
		page := relay.PageRef{Number: got.Request.Page, Size: got.Request.PageSize}
		view := relay.PageSnapshot{Ref: page, Total: got.Total, Items: got.Fingerprints, Distinct: got.Distinct}
		if !got.Received.IsZero() {
			view.Seen = relay.Clock(got.Received)
		}
		r.loaded = append(r.loaded, got.Page)
		r.snapshots = append(r.snapshots, view)
		r.op.hints.remember(r.filter, view)
	}
	return r.snapshots[before:], nil
}

// startOver forgets what was read. Pages that were at hand before do not serve any more; those that the operation called for do.
func (r *listFetch) restart() {
	r.since = time.Now()
	r.snapshots, r.loaded, r.requested, r.usedCached = nil, nil, nil, false
}

// read gives the reader pages until it has its answer, the first of them from what the operation plans to fetch anyway. It
// returns nil where the list moves too fast.
func (r *listFetch) read(ctx context.Context, reader *relay.Assembler, first []relay.Range) (*relay.Result, error) {
	wanted, reason := r.op.pagesFor(r.filter, first, r.since), relay.ReasonWindow
	if len(first) == 0 {
		reason = relay.ReasonTotal
	}
	for again := false; len(wanted) > 0; {
		views, err := r.load(ctx, reason, wanted)
		if err != nil {
			return nil, err
		}
		reader.Add(views...)
		wanted, reason = reader.Next()
		if r.usedCached && !again && reason.Searches() {
			// Pages at hand are of many moments, between which an item moves from one to another: a search takes new ones alone.
			again = true
			r.restart()
			reader = reader.Restart()
			wanted, reason = reader.Next()
		}
	}
	return reader.Result(), nil
}

// Item returns the item of the answer at index i.
func (r *listFetch) Item(i int) projection.Item {
	slot := r.result.Item(i)
	return r.loaded[slot.Page].Item(slot.Index)
}

// AppendCursor appends the cursor of the answer's item at index i.
func (r *listFetch) AppendCursor(dst []byte, i int) []byte {
	return r.result.AppendCursor(dst, i, r.fingerprint)
}
