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
	layout *projection.Layout
	vmID   projection.ValueRef
	// traits are the values that identify an item without a VM.
	traits [5]projection.ValueRef
	filterRefs
}

// NewUpstream returns an Upstream that fetches pages with the client.
func NewUpstream(client *restclient.Client) *Upstream { return NewUpstreamFunc(client.Fetch) }

// NewUpstreamFunc returns an Upstream that fetches pages with a function. The function must be
// safe for concurrent use. It may be nil if only [Upstream.Page] is called.
func NewUpstreamFunc(fetch RawPageFunc) *Upstream {
	layout := Layout()
	return &Upstream{
		fetch:  fetch,
		layout: layout,
		vmID:   layout.Value("hosted", "id"),
		traits: [...]projection.ValueRef{
			layout.Value("project_id"), layout.Value("name"), layout.Value("node", "id"), layout.Value("managed_user", "id"),
			layout.Value("contract_address"),
		},
		filterRefs: filterRefs{node: layout.Value("node", "id"), owner: layout.Value("managed_user", "id")},
	}
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
		if _, err := restclient.DecodePage(body, request); err != nil {
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
	var ends [len(u.traits)]int
	for i, trait := range u.traits {
		text = page.AppendText(text, item, trait)
		ends[i] = len(text)
	}
	all, begin := string(text), 0
	var parts [len(u.traits)]string
	for i, end := range ends {
		parts[i], begin = all[begin:end], end
	}
	return relay.FingerprintOf(parts[:]...)
}
