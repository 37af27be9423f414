package pages

import (
	"context"

	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// RawPageFunc fetches a page without decoding it. The caller owns the result. A RawPageFunc returns
// the errors of [restclient.Client.Fetch].
type RawPageFunc func(context.Context, restclient.Credential, restclient.PageRequest) (restclient.RawPage, error)

// Upstream fetches and decodes pages. It is safe for concurrent use.
type Upstream struct {
	fetch  RawPageFunc
	shape  restclient.Shape
	layout *projection.Layout
	vmID   projection.ValueRef
	// traits are the values that identify an item without a VM, at most maxTraits.
	traits []projection.ValueRef
	filterRefs
}

const maxTraits = 5

// NewUpstream returns an Upstream that fetches pages with the client.
func NewUpstream(client *restclient.Client) *Upstream {
	return NewUpstreamFunc(client.Shape(), client.Fetch)
}

// NewUpstreamFunc returns an Upstream that fetches pages with a function. Their items have the
// shape. The function must be safe for concurrent use. It may be nil if only [Upstream.Page] is
// called.
func NewUpstreamFunc(shape restclient.Shape, fetch RawPageFunc) *Upstream {
	layout := Layout(shape)
	u := &Upstream{
		fetch:      fetch,
		shape:      shape,
		layout:     layout,
		vmID:       layout.Value("VMID"),
		filterRefs: filterRefs{node: layout.Value("Node", "NodeID"), owner: layout.Value("ManagedUser", "UserID")},
	}
	if shape == restclient.ShapeFlat {
		u.traits = []projection.ValueRef{layout.Value("CvmID")}
	} else {
		u.traits = []projection.ValueRef{
			layout.Value("ProjectID"), layout.Value("Name"), u.node, u.owner, layout.Value("ContractAddress"),
		}
	}
	return u
}

// Fetch fetches a page. The page keeps the body of the raw page, of which only the other fields may
// be used. It returns the errors of [restclient.Client.ListCvms].
func (u *Upstream) Fetch(ctx context.Context, credential restclient.Credential, request restclient.PageRequest) (*Page, restclient.RawPage, error) {
	raw, err := u.fetch(ctx, credential, request)
	if err != nil {
		return nil, raw, err
	}
	defer raw.Release()
	page, err := u.Page(raw.Body, request)
	return page, raw, err
}

// Page decodes the body that the upstream returned for a request. The page keeps the body, which
// must not be modified afterwards. The error is a *restclient.InvalidResponseError.
func (u *Upstream) Page(body []byte, request restclient.PageRequest) (*Page, error) {
	page := &Page{IndexedPage: &projection.IndexedPage{}}
	if err := u.layout.Index(page.IndexedPage, body, request.PageSize); err != nil {
		// The decoder returns a precise error.
		if _, err := u.shape.DecodePage(body, request); err != nil {
			return nil, err
		}
		return nil, &restclient.InvalidResponseError{Reason: restclient.ReasonNotJSON}
	}
	envelope := restclient.Envelope(page.Envelope)
	extent, err := envelope.Validate(request)
	if err != nil {
		return nil, err
	}
	if err := u.checkFilter(page, request.Filter); err != nil {
		return nil, err
	}
	page.Total, page.Announced, page.Irregular = extent.Total, extent.Announced, extent.Irregular
	u.identify(page)
	return page, nil
}

// identify sets the identities of a page's items.
func (u *Upstream) identify(page *Page) {
	count := page.Len()
	page.Identities = make([]relay.Identity, count)
	page.Fingerprints = make([]relay.Fingerprint, count)
	ids := make([]byte, 0, len("1a09d706-2686-4e0a-8b1d-323ff0e3504b")*count) // all ids, in one allocation
	var buf [relay.MaxPageSize]int
	ends := buf[:0] // of each id in ids
	for i := range count {
		ids = page.AppendText(ids, i, u.vmID)
		ends = append(ends, len(ids))
	}
	all, begin := string(ids), 0
	for i := range count {
		identity := &page.Identities[i]
		*identity, begin = relay.VMIdentity(all[begin:ends[i]]), ends[i]
		if identity.VMID == "" {
			page.Provisional = true
			identity.Traits = u.traitsOf(page, i)
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

// traitsOf returns the fingerprint of the values that identify an item without a VM.
func (u *Upstream) traitsOf(page *Page, item int) relay.Fingerprint {
	var buf [256]byte
	text := buf[:0]
	var ends [maxTraits]int
	for i, trait := range u.traits {
		text = page.AppendText(text, item, trait)
		ends[i] = len(text)
	}
	all, begin := string(text), 0
	var parts [maxTraits]string
	for i := range u.traits {
		parts[i], begin = all[begin:ends[i]], ends[i]
	}
	return relay.FingerprintOf(parts[:len(u.traits)]...)
}
