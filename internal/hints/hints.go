// Package hints remembers what earlier operations of a credential have seen of its lists. A hint
// decides only which pages are loaded, and may be wrong or missing.
package hints

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

// Cache has the hints of each credential, for the credentials that were used last. It is safe for
// concurrent use.
type Cache struct {
	entries *otter.Cache[pages.CredentialKey, *Hints]
}

// NewCache returns an empty cache.
func NewCache() *Cache {
	return &Cache{otter.Must(&otter.Options[pages.CredentialKey, *Hints]{MaximumSize: hintCredentials})}
}

// Of returns the hints of a credential.
func (c *Cache) Of(key pages.CredentialKey) *Hints {
	if h, ok := c.entries.GetIfPresent(key); ok {
		return h
	}
	h, _ := c.entries.SetIfAbsent(key, &Hints{})
	return h
}

// Hints are the items of the pages that one credential loaded last, and what is known about its
// lists. They are safe for concurrent use.
type Hints struct {
	mu    sync.Mutex
	pages []relay.PageSnapshot // oldest first
	lists map[restclient.Filter]*list
}

// Remember stores a page if it is one of the unfiltered list.
func (h *Hints) Remember(filter restclient.Filter, page relay.PageSnapshot) {
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

// Find returns the last known positions of the items, and the total of the list at that time. It
// returns false if an item is unknown.
func (h *Hints) Find(items []relay.Fingerprint) (positions []relay.Range, total int, ok bool) {
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
