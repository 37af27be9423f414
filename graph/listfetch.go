package graph

import (
	"context"
	"slices"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// listFetch loads the pages of one list that one field needs.
type listFetch struct {
	op     *operation
	filter restclient.Filter
	since  time.Time // as in operation, for this list
	// loaded are the pages so far. requested are the references that they were requested by. The
	// cache may have returned a larger page instead of a requested one.
	loaded    []pages.FetchResult
	requested []relay.PageRef
}

// run loads pages until the assembler has its result. The result is nil if the list changes too
// fast.
func (f *listFetch) run(ctx context.Context, assembler *relay.Assembler) (*relay.Result, error) {
	for {
		next := assembler.Next(f.cached())
		if len(next.Pages) == 0 {
			return assembler.Result(), nil
		}
		if next.Restart {
			f.restart()
		}
		loaded, err := f.load(ctx, next.Reason, next.Pages)
		if err != nil {
			return nil, err
		}
		for i := range loaded {
			assembler.Add(snapshotOf(&loaded[i]))
		}
	}
}

// cached returns the cached pages that may serve as the first pages. It returns nil once pages are
// loaded.
func (f *listFetch) cached() []relay.CachedPage {
	if len(f.loaded) > 0 {
		return nil
	}
	return f.op.loader.CachedPages(make([]relay.CachedPage, 0, 4), f.filter, f.since)
}

// restart drops all pages. From now on, the field does not use pages that were cached before,
// except those that the operation itself has fetched.
func (f *listFetch) restart() {
	f.since = time.Now()
	f.loaded, f.requested = nil, nil
}

// load loads pages and returns them. It fetches a page again if this field has loaded it before. If
// the operation has a page with the whole list that this field has not loaded, load returns that
// page in place of all requested ones.
func (f *listFetch) load(ctx context.Context, reason relay.Reason, refs []relay.PageRef) ([]pages.FetchResult, error) {
	if whole, ok := f.op.loader.CompletePage(f.filter, f.since); ok {
		if ref := refOf(whole); !slices.Contains(f.requested, ref) {
			refs = []relay.PageRef{ref}
		}
	}
	var buf [1]restclient.PageRequest
	requests := slices.Grow(buf[:0], len(refs))
	for _, ref := range refs {
		request := restclient.PageRequest{Filter: f.filter, Page: ref.Number, PageSize: ref.Size}
		requests = append(requests, request)
		if slices.Contains(f.requested, ref) {
			f.op.loader.Invalidate(ctx, request)
		} else {
			f.requested = append(f.requested, ref)
		}
	}
	loaded, err := f.op.loader.Load(ctx, reason, requests, f.since)
	if err != nil {
		return nil, err
	}
	f.op.resolver.Tracer.used(ctx, loaded, reason)
	for i := range loaded {
		f.op.hints.remember(f.filter, snapshotOf(&loaded[i]))
	}
	if len(f.loaded) == 0 {
		f.loaded = loaded
	} else {
		f.loaded = append(f.loaded, loaded...)
	}
	return loaded, nil
}

// shown records that the response shows the pages of a result.
func (f *listFetch) shown(ctx context.Context, result *relay.Result) {
	if f.op.since.IsZero() {
		return // saves the list of pages
	}
	used := result.Pages()
	shown := make([]pages.FetchResult, len(used))
	for i, page := range used {
		shown[i] = f.loaded[page]
	}
	f.op.loader.Shown(ctx, f.filter, shown)
}

func refOf(request restclient.PageRequest) relay.PageRef {
	return relay.PageRef{Number: request.Page, Size: request.PageSize}
}

// snapshotOf returns what the assembler needs of a loaded page.
func snapshotOf(page *pages.FetchResult) relay.PageSnapshot {
	snapshot := relay.PageSnapshot{
		Ref:      refOf(page.Request),
		Items:    page.Fingerprints,
		Total:    page.Total,
		Distinct: page.Distinct,
		// A stale page replaces one that the upstream failed to send. Another call would not help.
		Cached: page.Cached && !page.Stale,
	}
	if !page.Received.IsZero() {
		snapshot.Seen = relay.CursorTime(page.Received)
	}
	return snapshot
}
