package hints

import (
	"time"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

const (
	// hintLists is the maximum number of lists of one credential about which something is known.
	hintLists = 100
	// hintSightings is the maximum number of items without a VM that are remembered of one list.
	hintSightings = 1000
	// seenLife is how long the items before a position count as seen.
	seenLife = 5 * time.Minute
	// pageSizeLife is how long pages are kept small after one was too large.
	pageSizeLife = 10 * time.Minute
)

// list is what is known about one list. It decides only how much of the list is read.
type list struct {
	// irregular reports that pages of the list had other items than their numbers imply.
	irregular bool
	// pageSize is the maximum number of items of a page until the time pageSizeUntil.
	pageSize      int
	pageSizeUntil time.Time
	// sightings are the places of the items without a VM, by their traits.
	sightings map[relay.Fingerprint]Sighting
	// seen is up to which position all items were seen since seenFrom.
	seen     int
	seenFrom time.Time
}

// Sighting is the last place of an item without a VM.
type Sighting struct {
	position int
	// before and after identify the neighbors of the item. They are 0 if the page did not have
	// them.
	before, after relay.Fingerprint
	// Known reports that the items before this one were seen, so that its number is known.
	Known bool
	// Wrong reports that a response has the item as the first one, and that another one was seen
	// since: the number in the response may be wrong.
	Wrong bool
	// assumed reports that a response has the item as the first one, although Known is false.
	assumed bool
	// Several reports that there are probably several items with the same traits: they were on one
	// page, or at places that have nothing in common.
	Several bool
}

// sameItem reports whether two sightings are probably of one item.
func (s Sighting) sameItem(other Sighting) bool {
	return s.position == other.position || s.before != 0 && s.before == other.before || s.after != 0 && s.after == other.after
}

// list returns what is known about a list. The caller holds the lock.
func (h *Hints) list(filter restclient.Filter) *list {
	l := h.lists[filter]
	if l == nil {
		if h.lists == nil || len(h.lists) == hintLists {
			h.lists = make(map[restclient.Filter]*list)
		}
		l = &list{}
		h.lists[filter] = l
	}
	return l
}

// See remembers the items without a VM of a page.
func (h *Hints) See(filter restclient.Filter, page *pages.FetchResult) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, now := h.list(filter), time.Now()
	if now.Sub(list.seenFrom) > seenLife || len(list.sightings) > hintSightings {
		list.seen, list.seenFrom = 0, now
		clear(list.sightings)
	}
	start := (page.Request.Page - 1) * page.Request.PageSize
	known := start <= list.seen
	if known {
		list.seen = max(list.seen, start+page.Len())
	}
	if !page.Provisional {
		return
	}
	if list.sightings == nil {
		list.sightings = make(map[relay.Fingerprint]Sighting)
	}
	for i, identity := range page.Identities {
		if identity.VMID != "" {
			continue
		}
		s := Sighting{position: start + i, Known: known, before: neighborOf(page, i-1), after: neighborOf(page, i+1)}
		if last, ok := list.sightings[identity.Traits]; ok {
			same := s.sameItem(last)
			s.Known = known || same && last.Known
			s.Several = last.Several || !same
			s.assumed, s.Wrong = last.assumed, last.Wrong || !same && last.assumed
		}
		s.Several = s.Several || identity.Number > 1
		list.sightings[identity.Traits] = s
	}
}

// neighborOf identifies the item at an index, whatever page it is on. It returns 0 if the page does
// not have the index.
func neighborOf(page *pages.FetchResult, i int) relay.Fingerprint {
	if i < 0 || i >= page.Len() {
		return 0
	}
	if identity := page.Identities[i]; identity.VMID == "" {
		return identity.Traits
	}
	return page.Fingerprints[i]
}

// Sighting returns what is known about the items of a list without a VM that have these traits. It
// reports once that a number was wrong.
func (h *Hints) Sighting(filter restclient.Filter, traits relay.Fingerprint) Sighting {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.list(filter)
	s := list.sightings[traits]
	if s.Wrong {
		reported := s
		reported.assumed, reported.Wrong = false, false
		list.sightings[traits] = reported
	}
	return s
}

// Assume records that a response has an item without a VM that may not be the first one.
func (h *Hints) Assume(filter restclient.Filter, traits relay.Fingerprint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.list(filter).sightings[traits]; ok {
		s.assumed = true
		h.lists[filter].sightings[traits] = s
	}
}

// Irregular reports whether pages of a list had other items than their numbers imply.
func (h *Hints) Irregular(filter restclient.Filter) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, ok := h.lists[filter]
	return ok && l.irregular
}

// SetIrregular sets what Irregular reports.
func (h *Hints) SetIrregular(filter restclient.Filter, irregular bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list(filter).irregular = irregular
}

// PageSize returns the maximum number of items of a page of a list.
func (h *Hints) PageSize(filter restclient.Filter) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l, ok := h.lists[filter]; ok && time.Now().Before(l.pageSizeUntil) {
		return l.pageSize
	}
	return relay.MaxPageSize
}

// LimitPageSize lowers the maximum number of items of a page of a list.
func (h *Hints) LimitPageSize(filter restclient.Filter, size int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, now := h.list(filter), time.Now()
	if !now.Before(l.pageSizeUntil) || size < l.pageSize {
		l.pageSize, l.pageSizeUntil = size, now.Add(pageSizeLife)
	}
}
