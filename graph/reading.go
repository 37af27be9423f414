package graph

import (
	"context"
	"strconv"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// reading is what one field has read of a list so far: pages, and what identifies their items.
type reading struct {
	op     *operation
	filter restclient.Filter
	views  []relay.View
	loaded []*restclient.Page // by the index of views
	items  [][]relay.Identity // likewise
	asked  map[relay.Page]bool
}

func newReading(op *operation, filter restclient.Filter) *reading {
	return &reading{op: op, filter: filter, asked: make(map[relay.Page]bool)}
}

func (r *reading) request(p relay.Page) restclient.PageRequest {
	return restclient.PageRequest{Filter: r.filter, Page: p.Number, PageSize: p.Size}
}

// load adds pages and returns their views. Those that it has are fetched anew. A page that holds the whole list stands in for
// any other of the operation.
func (r *reading) load(ctx context.Context, reason relay.Reason, pages []relay.Page) ([]relay.View, error) {
	if whole, ok := r.op.loader.Whole(r.filter); ok {
		if p := (relay.Page{Number: whole.Page, Size: whole.PageSize}); !r.asked[p] {
			pages = []relay.Page{p}
		}
	}
	requests := make([]restclient.PageRequest, len(pages))
	for i, p := range pages {
		requests[i] = r.request(p)
		if r.asked[p] {
			r.op.loader.Forget(ctx, requests[i])
		}
		r.asked[p] = true
	}
	loaded, err := r.op.loader.Load(ctx, string(reason), requests)
	if err != nil {
		return nil, err
	}
	before := len(r.views)
	for i, page := range loaded {
		items := identities(page)
		view := relay.View{Page: pages[i], Total: page.Total, Items: make([]relay.Fingerprint, len(items))}
		for j, item := range items {
			view.Items[j] = item.Fingerprint()
		}
		r.loaded = append(r.loaded, page)
		r.items = append(r.items, items)
		r.views = append(r.views, view)
		r.op.hints.remember(r.filter, view)
	}
	return r.views[before:], nil
}

// identities returns what tells the items of a page apart.
func identities(page *restclient.Page) []relay.Identity {
	items := make([]relay.Identity, len(page.Items))
	var numbers map[relay.Fingerprint]int
	for i := range page.Items {
		items[i] = identity(&page.Items[i].Cvm)
		if items[i].VMID == "" {
			if numbers == nil {
				numbers = make(map[relay.Fingerprint]int)
			}
			numbers[items[i].Traits]++
			items[i].Number = numbers[items[i].Traits]
		}
	}
	return items
}

// identity returns what tells a CVM apart from the others of its list.
func identity(c *restclient.Cvm) relay.Identity {
	if id := c.VMID(); id != nil {
		return relay.Identity{VMID: *id}
	}
	var node, user string
	if c.Node != nil && c.Node.NodeID != nil {
		node = strconv.Itoa(int(*c.Node.NodeID))
	}
	if c.ManagedUser != nil {
		user = textOf(c.ManagedUser.UserID)
	}
	return relay.Identity{Traits: relay.FingerprintOf(textOf(c.ProjectID), textOf(c.Name), node, user, textOf(c.ContractAddress))}
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// read gives the reader pages until it has its answer, the first of them from what the operation plans to fetch anyway. It
// returns nil where the list moves too fast.
func (r *reading) read(ctx context.Context, reader *relay.Reader, first []relay.Range) (*relay.Answer, error) {
	pages, reason := r.op.pagesAtHand(r.filter, first), relay.ReasonWindow
	if len(first) == 0 {
		reason = relay.ReasonTotal
	}
	for len(pages) > 0 {
		views, err := r.load(ctx, reason, pages)
		if err != nil {
			return nil, err
		}
		reader.Add(views...)
		pages, reason = reader.Need()
	}
	return reader.Answer(), nil
}
