package graph

import (
	"slices"
	"sync"

	"github.com/maypok86/otter/v2"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

const (
	// hintCredentials bounds for how many credentials hints are kept.
	hintCredentials = 2000
	// hintPages bounds for how many pages of one credential, the latest, hints are kept.
	hintPages = 16
)

// hintCache remembers, for each credential, which items the pages that it loaded last held, so that
// a lookup can find a CVM in one call. A hint only decides which pages are searched first. It is safe
// for concurrent use.
type hintCache struct {
	entries *otter.Cache[pages.CredentialKey, *hints]
}

func newHintCache() *hintCache {
	return &hintCache{otter.Must(&otter.Options[pages.CredentialKey, *hints]{MaximumSize: hintCredentials})}
}

// of returns the hints of a credential.
func (c *hintCache) of(key pages.CredentialKey) *hints {
	if h, ok := c.entries.GetIfPresent(key); ok {
		return h
	}
	h, _ := c.entries.SetIfAbsent(key, &hints{})
	return h
}

// hints are the pages that one credential saw last. They are safe for concurrent use.
type hints struct {
	mu    sync.Mutex
	pages []relay.PageSnapshot // oldest first
}

// remember keeps a page of the unfiltered list.
func (h *hints) remember(filter restclient.Filter, view relay.PageSnapshot) {
	if filter != (restclient.Filter{}) || len(view.Items) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages = slices.DeleteFunc(h.pages, func(v relay.PageSnapshot) bool { return v.Ref == view.Ref })
	if len(h.pages) == hintPages {
		h.pages = slices.Delete(h.pages, 0, 1)
	}
	h.pages = append(h.pages, view)
}

// find returns where the items stood when they were last seen, and how long the list was; false where one was not seen.
func (h *hints) find(items []relay.Fingerprint) (places []relay.Range, total int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, item := range items {
		found := false
		for _, v := range slices.Backward(h.pages) {
			if i := slices.Index(v.Items, item); i >= 0 {
				at := v.Ref.Range().Lo + i
				places = append(places, relay.Range{Lo: at, Hi: at + 1})
				total, found = max(total, v.Total), true
				break
			}
		}
		if !found {
			return nil, 0, false
		}
	}
	return places, total, true
}
