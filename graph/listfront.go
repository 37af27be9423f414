package graph

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// maxLooks is how often a list is read from its front if it changes in the meantime.
const maxLooks = 3

// listFront is a list from its first item on, read page by page. It serves what a page alone cannot
// show: which number an item without a VM has among those with equal traits, whether the list does
// not have an item, and where the items of an irregular list are.
type listFront struct {
	pages []pages.FetchResult // in the order of the list
	// items are the places in pages of the list's first items, and identities their identities,
	// whose numbers count from the front of the list.
	items      []relay.ItemRef
	identities []relay.Identity
	// complete reports that items are the whole list.
	complete bool
	// changed reports that the list changed while it was read: an item may be missing.
	changed bool
	// total is the number of items of the whole list, and announced what the upstream says.
	total, announced int
	// vmIDs are those of an irregular list.
	vmIDs map[string]bool
	// pageSize is the size of an irregular list's pages after a page was too large. Otherwise it
	// is 0.
	pageSize int
}

// frontRequest is how much of a list is read.
type frontRequest struct {
	reason relay.Reason
	// count is the number of items. Fewer are read if the list is shorter.
	count int
	// loaded is called for the pages of each wave. If it returns true, no more pages are loaded. If
	// nil, all are loaded.
	loaded func([]pages.FetchResult) (stop bool)
}

// stops calls the request's function.
func (r *frontRequest) stops(loaded []pages.FetchResult) bool {
	return r.loaded != nil && r.loaded(loaded)
}

// wholeList is the count of a whole list.
const wholeList = math.MaxInt32

// readFront reads the front of the list. If the list changes in the meantime, it reads again.
func (f *listFetch) readFront(ctx context.Context, r frontRequest) (*listFront, error) {
	var last *listFront
	for range maxLooks {
		front, err := f.readFrontOnce(ctx, r)
		if _, exceeded := errors.AsType[*pages.CallBudgetError](err); exceeded && last != nil {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		front.number()
		if !front.changed {
			return front, nil
		}
		last = front
		f.lookAgain()
	}
	return last, nil
}

// lookAgain drops all pages. The next load of each page fetches it again.
func (f *listFetch) lookAgain() { f.since, f.loaded = time.Now(), nil }

func (f *listFetch) readFrontOnce(ctx context.Context, r frontRequest) (*listFront, error) {
	front := &listFront{}
	if f.irregular() {
		return front, front.readIrregular(ctx, f, r)
	}
	chain, err := f.loadChain(ctx, r)
	if err != nil {
		return nil, err
	}
	if f.irregular() {
		return front, front.readIrregular(ctx, f, r)
	}
	front.join(chain)
	return front, nil
}

// irregular reports whether the list is irregular, according to the loaded pages or to earlier
// ones.
func (f *listFetch) irregular() bool {
	return slices.ContainsFunc(f.loaded, func(p pages.FetchResult) bool { return p.Irregular }) || f.op.hints.Irregular(f.filter)
}

// loadChain loads pages that have the first items of a regular list. Each shares an item with the
// next one.
func (f *listFetch) loadChain(ctx context.Context, r frontRequest) ([]pages.FetchResult, error) {
	chain := f.firstPage()
	if len(chain) == 0 {
		var err error
		first := relay.PageRef{Number: 1, Size: min(max(r.count, 1), relay.MaxPageSize)}
		if chain, err = f.load(ctx, r.reason, []relay.PageRef{first}); err != nil || r.stops(chain) {
			return chain, err
		}
	}
	var end int
	for i := range chain {
		end = max(end, refOf(chain[i].Request).Range().Lo+chain[i].Len())
	}
	total := chain[len(chain)-1].Total
	if end >= min(r.count, total) || end == 0 {
		return chain, nil
	}
	// The budget is checked before the pages are planned, which takes long if the list is far too
	// long.
	budget := f.op.loader
	if err := budget.CheckBudget((min(r.count, total) - end) / relay.MaxPageSize); err != nil {
		return nil, err
	}
	rest := relay.Cover(relay.Range{Lo: end - 1, Hi: min(r.count, total)})
	if err := budget.CheckBudget(len(rest)); err != nil {
		return nil, err
	}
	for wave := range slices.Chunk(rest, lookupWave) {
		loaded, err := f.load(ctx, r.reason, wave)
		if err != nil {
			return nil, err
		}
		if chain = append(chain, loaded...); r.stops(loaded) {
			return chain, nil
		}
	}
	return chain, nil
}

// firstPage returns the loaded page that has the most of the list's first items. It returns none if
// no page begins with the first item.
func (f *listFetch) firstPage() []pages.FetchResult {
	best := -1
	for i := range f.loaded {
		if f.loaded[i].Request.Page == 1 && (best < 0 || f.loaded[i].Len() >= f.loaded[best].Len()) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return []pages.FetchResult{f.loaded[best]}
}

// join makes the front of the pages of a regular list. The items that two pages share must be
// equal: if they are not, the list changed between the two calls.
func (f *listFront) join(chain []pages.FetchResult) {
	slices.SortStableFunc(chain, func(a, b pages.FetchResult) int {
		return refOf(a.Request).Range().Lo - refOf(b.Request).Range().Lo
	})
	f.total, f.announced = chain[len(chain)-1].Total, chain[len(chain)-1].Announced
	for i := range chain {
		page := &chain[i]
		start, end := refOf(page.Request).Range().Lo, len(f.items)
		f.changed = f.changed || page.Total != f.total || start > end || start == end && end > 0 && page.Len() > 0
		for j, identity := range page.Identities {
			if at := start + j; at < end {
				f.changed = f.changed || !f.identity(at).Alike(identity)
				continue
			}
			f.items = append(f.items, relay.ItemRef{Page: len(f.pages), Index: j})
		}
		f.pages = append(f.pages, *page)
		f.complete = f.complete || start+page.Len() >= page.Total
	}
}

// identity returns the identity that an item has on its page.
func (f *listFront) identity(i int) relay.Identity {
	return f.pages[f.items[i].Page].Identities[f.items[i].Index]
}

// readIrregular reads a list whose items cannot be found by their positions: each page has some of
// the items that its number implies. The pages are read one after the other, and the list ends
// after the announced total, on a page that is not full.
func (f *listFront) readIrregular(ctx context.Context, fetch *listFetch, r frontRequest) error {
	size, regular := fetch.op.hints.PageSize(fetch.filter), true
	if f.pageSize > 0 {
		size = f.pageSize
	}
	wave := min(max((min(r.count, wholeList-1)+size)/size, 1), lookupWave)
	for number := 1; !f.complete && len(f.items) < r.count; {
		refs := []relay.PageRef{{Number: number, Size: size}}
		for last := (f.announced + size - 1) / size; len(refs) < wave && number+len(refs) <= last; {
			refs = append(refs, relay.PageRef{Number: number + len(refs), Size: size})
		}
		loaded, err := fetch.loadWhole(ctx, r.reason, refs)
		if isTooLarge(err) && size > minPageSize {
			*f = listFront{pageSize: max(size/2, minPageSize)}
			return f.readIrregular(ctx, fetch, r)
		}
		if err != nil {
			return err
		}
		for i := range loaded {
			regular = regular && !loaded[i].Irregular
			if f.pageSize > 0 {
				fetch.limitPageSize(size, loaded[i].BodySize()*relay.MaxPageSize/size)
			}
			if f.add(&loaded[i]); f.complete {
				break
			}
		}
		if r.stops(loaded) {
			return nil
		}
		number += len(refs)
	}
	if f.complete && len(f.items) == 0 && f.announced > 1 {
		return &restclient.InvalidResponseError{Reason: restclient.ReasonNoItems}
	}
	fetch.op.hints.SetIrregular(fetch.filter, !regular || !f.complete || f.announced != len(f.items))
	return nil
}

// add adds the next page of an irregular list. An item that an earlier page has was moved by a
// change of the list.
func (f *listFront) add(page *pages.FetchResult) {
	f.announced = max(f.announced, page.Announced)
	for i, identity := range page.Identities {
		f.changed = f.changed || f.vmIDs[identity.VMID]
		f.items = append(f.items, relay.ItemRef{Page: len(f.pages), Index: i})
	}
	for _, identity := range page.Identities { // one page can list an item twice
		if f.vmIDs == nil {
			f.vmIDs = make(map[string]bool)
		}
		if identity.VMID != "" {
			f.vmIDs[identity.VMID] = true
		}
	}
	f.pages = append(f.pages, *page)
	f.total = max(f.announced, len(f.items))
	f.complete = refOf(page.Request).Range().Hi >= f.announced && page.Len() < page.Request.PageSize
}

// number sets the identities of all items.
func (f *listFront) number() {
	numbers := make(map[relay.Fingerprint]int)
	f.identities = make([]relay.Identity, len(f.items))
	for i := range f.items {
		identity := f.identity(i)
		if identity.VMID == "" {
			numbers[identity.Traits]++
			identity.Number = numbers[identity.Traits]
		}
		f.identities[i] = identity
	}
}

// item returns the item at an index.
func (f *listFront) item(i int) projection.Item {
	item := f.pages[f.items[i].Page].Item(f.items[i].Index)
	item.ID = &f.identities[i]
	return item
}

// snapshot returns the front as one page.
func (f *listFront) snapshot() relay.PageSnapshot {
	n := len(f.items)
	s := relay.PageSnapshot{Ref: relay.PageRef{Number: 1, Size: max(n, 1)}, Total: n, Reported: max(f.announced, n)}
	if !f.complete {
		s.Total = max(f.total, n+1)
	}
	s.Items = make([]relay.Fingerprint, n)
	for i := range s.Items {
		s.Items[i] = f.identities[i].Fingerprint()
	}
	s.Distinct = relay.Distinct(s.Items)
	var received time.Time
	for i := range f.pages {
		if r := f.pages[i].Received; r.After(received) {
			received = r
		}
	}
	if !received.IsZero() {
		s.Seen = relay.CursorTime(received)
	}
	return s
}
