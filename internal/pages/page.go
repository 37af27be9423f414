package pages

import (
	"context"
	"reflect"

	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// Page is a page of the list as the upstream sent it, with an index of its values. It is read-only, and safe for concurrent
// use.
type Page struct {
	*projection.IndexedPage
	// Total is the number of CVMs in the whole list.
	Total int
	// Identities tell the page's items apart, in their order.
	Identities []relay.Identity
	// Fingerprints are those of Identities, and Distinct says that no two are equal.
	Fingerprints []relay.Fingerprint
	Distinct     bool
}

// Item returns the item at an index, as it is projected.
func (p *Page) Item(index int) projection.Item {
	return projection.Item{Page: p.IndexedPage, Index: index, ID: &p.Identities[index]}
}

// Shape returns the shape of the list's items. It is the same at each call.
func Shape() *projection.Shape {
	return projection.NewShape(reflect.TypeFor[restclient.Cvm](), restclient.FlatKeys()...)
}

// Body returns the document of a page, which then belongs to the caller. Its errors are those of [restclient.Client.Body].
type DocumentFunc func(context.Context, restclient.Credential, restclient.PageRequest) (restclient.Document, error)

// Upstream makes pages of the upstream's documents. It is safe for concurrent use.
type Upstream struct {
	body  DocumentFunc
	index *indexer
}

// NewUpstream returns an Upstream that calls through the client.
func NewUpstream(client *restclient.Client) *Upstream { return NewUpstreamFunc(client.Fetch) }

// NewDocuments returns an Upstream of the documents that body returns. Body must be safe for
// concurrent use; where only [Upstream.Page] is called it may be nil.
func NewUpstreamFunc(body DocumentFunc) *Upstream { return &Upstream{body, newIndexer(Shape())} }

// Fetch calls the upstream. The page takes over the document's body. Its errors are those of [restclient.Client.Page].
func (u *Upstream) Fetch(ctx context.Context, credential restclient.Credential, request restclient.PageRequest) (*Page, restclient.Document, error) {
	document, err := u.body(ctx, credential, request)
	if err != nil {
		return nil, document, err
	}
	defer document.Release()
	page, err := u.Page(document.Body, request)
	return page, document, err
}

// Page makes the page of a document that answers a request, and takes the document over. The error is a
// *restclient.InvalidResponseError.
func (u *Upstream) Page(document []byte, request restclient.PageRequest) (*Page, error) {
	return u.index.page(document, request)
}

// indexer makes pages of the upstream's documents.
type indexer struct {
	shape *projection.Shape
	vmID  projection.ValueRef
	// traits are what tells items without a VM apart.
	traits [5]projection.ValueRef
}

func newIndexer(shape *projection.Shape) *indexer {
	return &indexer{
		shape: shape,
		vmID:  shape.Value("hosted", "id"),
		traits: [...]projection.ValueRef{
			shape.Value("project_id"), shape.Value("name"), shape.Value("node", "id"), shape.Value("managed_user", "id"),
			shape.Value("contract_address"),
		},
	}
}

// page indexes the answer to a request. The error is a *restclient.InvalidResponseError.
func (x *indexer) page(body []byte, request restclient.PageRequest) (*Page, error) {
	page := &Page{IndexedPage: &projection.IndexedPage{}}
	if err := x.shape.Index(page.IndexedPage, body, request.PageSize); err != nil {
		// What is wrong with it is for the decoder to say.
		if _, err := restclient.DecodePage(body, request); err != nil {
			return nil, err
		}
		return nil, &restclient.InvalidResponseError{Reason: restclient.ReasonNotJSON}
	}
	envelope := restclient.Envelope(page.Envelope)
	var err error
	if page.Total, err = envelope.Validate(request); err != nil {
		return nil, err
	}
	x.identify(page)
	return page, nil
}

// identify notes what tells the page's items apart.
func (x *indexer) identify(page *Page) {
	count := page.Len()
	page.Identities = make([]relay.Identity, count)
	page.Fingerprints = make([]relay.Fingerprint, count)
	ids := make([]byte, 0, len("1a09d706-2686-4e0a-8b1d-323ff0e3504b")*count) // of all items, so that they take one piece of memory
	for i := range count {
		ids = page.AppendText(ids, i, x.vmID)
		page.Identities[i].Number = len(ids) // for now: where it ends
	}
	all, begin := string(ids), 0
	for i := range count {
		identity := &page.Identities[i]
		end := identity.Number
		identity.VMID, identity.Number, begin = all[begin:end], 0, end
		if identity.VMID == "" {
			identity.Traits = x.traitsOf(page, i)
			identity.Number = 1
			for _, earlier := range page.Identities[:i] {
				if earlier.VMID == "" && earlier.Traits == identity.Traits {
					identity.Number++
				}
			}
		}
		page.Fingerprints[i] = identity.Fingerprint()
	}
	page.Distinct = relay.Distinct(page.Fingerprints)
}

// traitsOf returns the fingerprint of what tells an item without a VM apart.
func (x *indexer) traitsOf(page *Page, item int) relay.Fingerprint {
	var room [256]byte
	text := room[:0]
	var ends [len(x.traits)]int
	for i, trait := range x.traits {
		text = page.AppendText(text, item, trait)
		ends[i] = len(text)
	}
	all, begin := string(text), 0
	var parts [len(x.traits)]string
	for i, end := range ends {
		parts[i], begin = all[begin:end], end
	}
	return relay.FingerprintOf(parts[:]...)
}

// size returns about how much memory the page takes, in bytes.
func (p *Page) size() int {
	const perItem, perPage = 96, 512 // what tells items apart, and what is there once
	return p.MemorySize() + perItem*p.Len() + perPage
}
