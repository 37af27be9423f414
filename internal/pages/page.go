package pages

import (
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// Page is a page of the list as the upstream sent it, with an index of its values. It is immutable
// and safe for concurrent use.
type Page struct {
	*projection.IndexedPage
	// Total, Announced and Irregular are the same as in [restclient.Extent].
	Total, Announced int
	Irregular        bool
	// Provisional reports whether an item has no VM. The numbers of such items in Identities count
	// from the beginning of the page.
	Provisional bool
	// Identities identify the items, in their order.
	Identities []relay.Identity
	// Fingerprints are the fingerprints of Identities. Distinct reports whether all are different.
	Fingerprints []relay.Fingerprint
	Distinct     bool
}

// Item returns the item at an index, for projection.
func (p *Page) Item(index int) projection.Item {
	return projection.Item{Page: p.IndexedPage, Index: index, ID: &p.Identities[index]}
}

// Layout returns the layout of the list's items.
func Layout(shape restclient.Shape) *projection.Layout { return projection.NewLayout(shape.Table()) }

// size returns the approximate memory use of the page in bytes.
func (p *Page) size() int {
	const perItem, perPage = 96, 512 // for identities, and for fixed-size data
	return p.MemorySize() + perItem*p.Len() + perPage
}
