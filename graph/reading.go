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
type reading struct {
	op     *operation
	filter restclient.Filter
	since  time.Time // pages show the list no earlier; zero: at any time
	views  []relay.View
	loaded []*pages.Page // by the index of views
	asked  []relay.Page
	kept   bool // some of the pages were at hand, other than for want of an upstream that answers

	// The answer of a connection, once it is there, and the fingerprint of its list.
	answer      *relay.Answer
	fingerprint relay.Fingerprint

	// room is for the one page that most windows take.
	room struct {
		views    [1]relay.View
		loaded   [1]*pages.Page
		asked    [1]relay.Page
		requests [1]restclient.PageRequest
	}
}

func newReading(op *operation, filter restclient.Filter) *reading {
	r := &reading{op: op, filter: filter}
	r.views, r.loaded, r.asked = r.room.views[:0], r.room.loaded[:0], r.room.asked[:0]
	return r
}

func (r *reading) request(p relay.Page) restclient.PageRequest {
	return restclient.PageRequest{Filter: r.filter, Page: p.Number, PageSize: p.Size}
}

// load adds pages and returns their views. Those that it has are fetched anew. A page that holds the whole list stands in for
// any other of the operation.
func (r *reading) load(ctx context.Context, reason relay.Reason, wanted []relay.Page) ([]relay.View, error) {
	if whole, ok := r.op.loader.CompletePage(r.filter, r.since); ok {
		if p := (relay.Page{Number: whole.Page, Size: whole.PageSize}); !slices.Contains(r.asked, p) {
			wanted = []relay.Page{p}
		}
	}
	requests := slices.Grow(r.room.requests[:0], len(wanted))
	for _, p := range wanted {
		requests = append(requests, r.request(p))
		if slices.Contains(r.asked, p) {
			r.op.loader.Invalidate(ctx, r.request(p))
		} else {
			r.asked = append(r.asked, p)
		}
	}
	loaded, err := r.op.loader.Load(ctx, string(reason), requests, r.since)
	if err != nil {
		return nil, err
	}
	r.op.resolver.Tracer.used(ctx, loaded, string(reason))
	before := len(r.views)
	for _, got := range loaded {
		r.kept = r.kept || got.Cached && !got.Stale
		page := relay.Page{Number: got.Request.Page, Size: got.Request.PageSize}
		view := relay.View{Page: page, Total: got.Total, Items: got.Fingerprints, Distinct: got.Distinct}
		if !got.Received.IsZero() {
			view.Seen = relay.Clock(got.Received)
		}
		r.loaded = append(r.loaded, got.Page)
		r.views = append(r.views, view)
		r.op.hints.remember(r.filter, view)
	}
	return r.views[before:], nil
}

// startOver forgets what was read. Pages that were at hand before do not serve any more; those that the operation called for do.
func (r *reading) startOver() {
	r.since = time.Now()
	r.views, r.loaded, r.asked, r.kept = nil, nil, nil, false
}

// read gives the reader pages until it has its answer, the first of them from what the operation plans to fetch anyway. It
// returns nil where the list moves too fast.
func (r *reading) read(ctx context.Context, reader *relay.Reader, first []relay.Range) (*relay.Answer, error) {
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
		wanted, reason = reader.Need()
		if r.kept && !again && reason.Searches() {
			// Pages at hand are of many moments, between which an item moves from one to another: a search takes new ones alone.
			again = true
			r.startOver()
			reader = reader.Again()
			wanted, reason = reader.Need()
		}
	}
	return reader.Answer(), nil
}

// Item returns the item of the answer at index i.
func (r *reading) Item(i int) projection.Item {
	slot := r.answer.Slot(i)
	return r.loaded[slot.View].Item(slot.Item)
}

// AppendCursor appends the cursor of the answer's item at index i.
func (r *reading) AppendCursor(dst []byte, i int) []byte {
	return r.answer.AppendCursor(dst, i, r.fingerprint)
}
