package graph

import (
	"context"
	"errors"
	"net/http"
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
	// wrongNumber reports that an earlier response may have a wrong id of an item of the window.
	wrongNumber bool
	// front has the pages of the result instead of loaded if it is not nil.
	front *listFront
}

// run loads pages until the window is complete. The result is nil if the list changes too fast.
func (f *listFetch) run(ctx context.Context, window relay.Window, plan *relay.ListPlan) (*relay.Result, error) {
	if !window.TotalOnly && f.op.hints.Irregular(f.filter) {
		return f.runFromFront(ctx, window)
	}
	assembler := relay.NewAssembler(window, plan)
	unnumbered := false
	for {
		next := assembler.Next(f.cached())
		if len(next.Pages) == 0 {
			result := assembler.Result()
			if unnumbered {
				setInexact(result)
			}
			return result, nil
		}
		if next.Restart {
			f.restart()
		}
		loaded, err := f.load(ctx, next.Reason, next.Pages)
		if err != nil {
			return nil, err
		}
		if f.needsFront(window) && !unnumbered {
			before := f.loaded
			result, err := f.runFromFront(ctx, window)
			// A list that can be served without its front is, if the front takes too many calls.
			if _, exceeded := errors.AsType[*pages.CallBudgetError](err); !exceeded || f.irregular() {
				return result, err
			}
			unnumbered, f.loaded = true, before
		}
		for i := range loaded {
			assembler.Add(snapshotOf(&loaded[i]))
		}
	}
}

// needsFront reports whether the loaded pages do not suffice to identify their items, or to place
// them in the list.
func (f *listFetch) needsFront(window relay.Window) bool {
	if window.TotalOnly {
		return false
	}
	for i := range f.loaded {
		page := &f.loaded[i]
		if page.Irregular || page.Provisional && page.Request.Page > 1 && f.hasUnknownNumbers(page, window) {
			return true
		}
	}
	return false
}

// hasUnknownNumbers reports whether a page has an item without a VM to which there may be equal
// ones on earlier pages. As long as no equal item was seen, it takes none for granted, unless one
// call shows the whole list.
func (f *listFetch) hasUnknownNumbers(page *pages.FetchResult, window relay.Window) bool {
	start := refOf(page.Request).Range().Lo
	for i, identity := range page.Identities {
		if identity.VMID != "" {
			continue
		}
		s := f.op.hints.Sighting(f.filter, identity.Traits)
		f.wrongNumber = f.wrongNumber || s.Wrong
		if s.Several || !s.Known && page.Total <= relay.MaxPageSize ||
			window.Contradicts(identity.Traits, identity.Number, start+i) {
			return true
		}
		if !s.Known {
			f.op.hints.Assume(f.filter, identity.Traits)
		}
	}
	return false
}

// runFromFront assembles the window from the front of the list.
func (f *listFetch) runFromFront(ctx context.Context, window relay.Window) (*relay.Result, error) {
	var count int
	if f.irregular() {
		count = window.Count + 1 // shows whether there is a next item
		if window.After != nil {
			count += window.After.Position + 1
		}
		if window.FromBack {
			count = wholeList
		}
	} else {
		for i := range f.loaded {
			count = max(count, refOf(f.loaded[i].Request).Range().Lo+f.loaded[i].Len())
		}
	}
	for {
		front, err := f.readFront(ctx, frontRequest{reason: relay.ReasonScan, count: count})
		if err != nil {
			return nil, err
		}
		snapshot := front.snapshot()
		renumbered, wrong := window.Renumbered(front.identities, snapshot.Items)
		assembler := relay.NewAssembler(renumbered, nil)
		assembler.Add(snapshot)
		next := assembler.Next(nil)
		if len(next.Pages) == 0 || front.complete {
			f.front = front
			result := assembler.Result()
			if front.changed || wrong || f.wrongNumber {
				setInexact(result)
			}
			return result, nil
		}
		// The pages that the assembler lacks are after the front, or it searches all of the list.
		more := next.Pages[len(next.Pages)-1].Range().Hi + 1
		if count = max(count, len(front.items)); more > count {
			count = more
		} else {
			count = wholeList
		}
	}
}

// setInexact records that a window may lack items, or have some that were returned before.
func setInexact(result *relay.Result) {
	switch {
	case result == nil:
	case result.Realigned == nil:
		result.Realigned = &relay.Realigned{RepeatedFrom: -1}
	default:
		result.Realigned.Exact = false
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
// page in place of all requested ones. In place of a page that is too large it returns smaller
// ones.
func (f *listFetch) load(ctx context.Context, reason relay.Reason, refs []relay.PageRef) ([]pages.FetchResult, error) {
	refs = f.widenFirst(refs)
	if whole, ok := f.op.loader.CompletePage(f.filter, f.since); ok {
		if ref := refOf(whole); !slices.Contains(f.requested, ref) {
			refs = []relay.PageRef{ref}
		}
	}
	loaded, err := f.request(ctx, reason, withinSize(refs, f.op.hints.PageSize(f.filter)))
	if err != nil {
		return nil, err
	}
	f.keep(ctx, reason, loaded)
	return loaded, nil
}

// widenFirst returns larger pages in place of the first ones, if the upstream may ignore the list's
// filter: the more items a page has, the more probable is one that contradicts the filter, without
// which the whole list's total would pass for that of the filtered list. It takes no more calls,
// unless the larger page is larger than MaxPageBytes.
func (f *listFetch) widenFirst(refs []relay.PageRef) []relay.PageRef {
	if f.filter == (restclient.Filter{}) || len(f.loaded) > 0 || restclient.ShapeOf(f.op.resolver.APIVersion) != restclient.ShapeFlat {
		return refs
	}
	var larger []relay.PageRef
	for _, ref := range refs {
		if ref = widened(ref, f.op.hints.PageSize(f.filter)); !slices.Contains(larger, ref) {
			larger = append(larger, ref)
		}
	}
	return larger
}

// widened returns the largest page of at most size items that has all positions of a page.
func widened(ref relay.PageRef, size int) relay.PageRef {
	positions := ref.Range()
	for n := size; n > ref.Size; n-- {
		if positions.Lo/n == (positions.Hi-1)/n {
			return relay.PageRef{Number: positions.Lo/n + 1, Size: n}
		}
	}
	return ref
}

// loadWhole loads pages and returns them in the order of refs. It does not fetch those again that
// this field has.
func (f *listFetch) loadWhole(ctx context.Context, reason relay.Reason, refs []relay.PageRef) ([]pages.FetchResult, error) {
	all := make([]pages.FetchResult, len(refs))
	var lacking []relay.PageRef
	for i, ref := range refs {
		if at := slices.IndexFunc(f.loaded, func(p pages.FetchResult) bool { return refOf(p.Request) == ref }); at >= 0 {
			all[i] = f.loaded[at]
		} else {
			lacking = append(lacking, ref)
		}
	}
	if len(lacking) == 0 {
		return all, nil
	}
	loaded, err := f.requestPages(ctx, reason, lacking)
	if err != nil {
		return nil, err
	}
	f.keep(ctx, reason, loaded)
	for i := range all {
		if all[i].Page == nil {
			all[i], loaded = loaded[0], loaded[1:]
		}
	}
	return all, nil
}

// keep records loaded pages.
func (f *listFetch) keep(ctx context.Context, reason relay.Reason, loaded []pages.FetchResult) {
	f.op.resolver.Tracer.used(ctx, loaded, reason)
	for i := range loaded {
		f.op.hints.Remember(f.filter, snapshotOf(&loaded[i]))
		f.op.hints.See(f.filter, &loaded[i])
	}
	if len(f.loaded) == 0 {
		f.loaded = loaded
	} else {
		f.loaded = append(f.loaded, loaded...)
	}
}

// withinSize returns refs with smaller pages in place of those with more than size items.
func withinSize(refs []relay.PageRef, size int) []relay.PageRef {
	if !slices.ContainsFunc(refs, func(ref relay.PageRef) bool { return ref.Size > size }) {
		return refs
	}
	var within []relay.PageRef
	for _, ref := range refs {
		if ref.Size <= size {
			within = append(within, ref)
			continue
		}
		within = append(within, relay.CoverWithin(ref.Range(), size)...)
	}
	return within
}

// minPageSize is the size of the smallest pages that replace pages that are too large. Smaller ones
// often share no item with the next page.
const minPageSize = 12

// request loads pages. In place of a page that is too large it loads smaller ones.
func (f *listFetch) request(ctx context.Context, reason relay.Reason, refs []relay.PageRef) ([]pages.FetchResult, error) {
	loaded, err := f.requestPages(ctx, reason, refs)
	if !isTooLarge(err) {
		return loaded, err
	}
	var all []pages.FetchResult
	for i, ref := range refs {
		if loaded[i].Page != nil {
			all = append(all, loaded[i])
			continue
		}
		smaller, smallerErr := f.requestSmaller(ctx, reason, ref, err)
		if smallerErr != nil {
			return nil, smallerErr
		}
		all = append(all, smaller...)
	}
	return all, nil
}

// requestSmaller loads smaller pages in place of a page that is too large. Only once a page has
// shown which size is small enough, it loads several at a time.
func (f *listFetch) requestSmaller(
	ctx context.Context, reason relay.Reason, ref relay.PageRef, tooLarge error,
) ([]pages.FetchResult, error) {
	for size := ref.Size; size > minPageSize; {
		size = max(size/2, minPageSize)
		smaller := relay.CoverWithin(f.withinList(ref.Range()), size)
		loaded, err := f.requestPages(ctx, reason, smaller[:1])
		if isTooLarge(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rest, err := f.request(ctx, reason, smaller[1:])
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, rest...)
		bytes := 0
		for i := range loaded {
			bytes += loaded[i].BodySize()
		}
		f.limitPageSize(size, bytes)
		return loaded, nil
	}
	return nil, tooLarge
}

// limitPageSize keeps pages of the list small from now on. bytes is the size that a page which was
// too large has according to the smaller ones. If it is not large, that page was a fault of the
// upstream, and the list's pages stay as they are.
func (f *listFetch) limitPageSize(size, bytes int) {
	if bytes > restclient.MaxPageBytes/2 {
		f.op.hints.LimitPageSize(f.filter, size)
	}
}

// withinList returns the part of a range that is in the list, as far as is known. It has at least
// one position.
func (f *listFetch) withinList(r relay.Range) relay.Range {
	if n := len(f.loaded); n > 0 && !f.loaded[n-1].Irregular {
		r.Hi = max(min(r.Hi, f.loaded[n-1].Total), r.Lo+1)
	}
	return r
}

// requestPages loads pages in the order of refs. It fetches a page again if this field has
// requested it before. If it returns an error, the pages that failed are empty.
func (f *listFetch) requestPages(ctx context.Context, reason relay.Reason, refs []relay.PageRef) ([]pages.FetchResult, error) {
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
	if isNotFound(err) {
		return f.endList(ctx, reason, requests, loaded, err)
	}
	return loaded, err
}

// endList replaces pages that the upstream does not have (status 404) by empty ones if the list
// ends before them. Some upstreams have no page after the last one.
func (f *listFetch) endList(
	ctx context.Context, reason relay.Reason, requests []restclient.PageRequest, loaded []pages.FetchResult, notFound error,
) ([]pages.FetchResult, error) {
	for i, request := range requests {
		if loaded[i].Page == nil && request.Page == 1 {
			return loaded, notFound
		}
	}
	for range maxLooks { // the list may grow and shrink again in the meantime
		again, err := f.endListOnce(ctx, reason, requests, loaded)
		if !isNotFound(err) {
			return again, err
		}
	}
	return loaded, notFound
}

// endListOnce replaces the missing pages after the current end of the list, and requests the others
// again.
func (f *listFetch) endListOnce(
	ctx context.Context, reason relay.Reason, requests []restclient.PageRequest, loaded []pages.FetchResult,
) ([]pages.FetchResult, error) {
	first := restclient.PageRequest{Filter: f.filter, Page: 1, PageSize: 1}
	f.op.loader.Invalidate(ctx, first)
	list, err := f.op.loader.Load(ctx, relay.ReasonTotal, []restclient.PageRequest{first}, time.Now())
	if err != nil {
		return loaded, err
	}
	for i, request := range requests {
		if loaded[i].Page != nil {
			continue
		}
		if refOf(request).Range().Lo < list[0].Total { // the list has grown again
			again, err := f.op.loader.Load(ctx, reason, []restclient.PageRequest{request}, f.since)
			if err != nil {
				return loaded, err
			}
			loaded[i] = again[0]
			continue
		}
		loaded[i] = pages.EmptyPage(request, list[0])
	}
	return loaded, nil
}

// isNotFound reports whether the upstream does not have a page.
func isNotFound(err error) bool {
	status, ok := errors.AsType[*restclient.StatusError](err)
	return ok && status.StatusCode == http.StatusNotFound
}

// isTooLarge reports whether a page was too large.
func isTooLarge(err error) bool {
	e, ok := errors.AsType[*restclient.InvalidResponseError](err)
	return ok && e.Reason == restclient.ReasonTooLarge
}

// shown records that the response shows the pages of a result.
func (f *listFetch) shown(ctx context.Context, result *relay.Result) {
	if f.op.since.IsZero() {
		return // saves the list of pages
	}
	if f.front != nil {
		f.op.loader.Shown(ctx, f.filter, f.front.pages)
		return
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
		Reported: max(page.Announced, page.Total),
		Distinct: page.Distinct,
		// A stale page replaces one that the upstream failed to send. Another call would not help.
		Cached: page.Cached && !page.Stale,
	}
	if !page.Received.IsZero() {
		snapshot.Seen = relay.CursorTime(page.Received)
	}
	return snapshot
}
