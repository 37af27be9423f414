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
	// hintCredentials is the maximum number of credentials with hints.
	hintCredentials = 2000
	// hintPages is the maximum number of pages in the hints of one credential.
	hintPages = 16
)

// hintCache remembers, for each credential, which items the pages that it loaded last held, so that
// a lookup can find a CVM in one call. A hint only decides which pages are searched first. It is
// safe for concurrent use.
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

// hints are the pages that one credential loaded last. They are safe for concurrent use.
type hints struct {
	mu    sync.Mutex
	pages []relay.PageSnapshot // oldest first
}

// remember stores a page if it is one of the unfiltered list.
func (h *hints) remember(filter restclient.Filter, page relay.PageSnapshot) {
	if filter != (restclient.Filter{}) || len(page.Items) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages = slices.DeleteFunc(h.pages, func(other relay.PageSnapshot) bool { return other.Ref == page.Ref })
	if len(h.pages) == hintPages {
		h.pages = slices.Delete(h.pages, 0, 1)
	}
	h.pages = append(h.pages, page)
}

// find returns the last known positions of the items, and the total of the list at that time. It
// returns false if an item is unknown.
func (h *hints) find(items []relay.Fingerprint) (positions []relay.Range, total int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, item := range items {
		found := false
		for _, page := range slices.Backward(h.pages) {
			if i := slices.Index(page.Items, item); i >= 0 {
				at := page.Ref.Range().Lo + i
				positions = append(positions, relay.Range{Lo: at, Hi: at + 1})
				total, found = max(total, page.Total), true
				break
			}
		}
		if !found {
			return nil, 0, false
		}
	}
	return positions, total, true
}
