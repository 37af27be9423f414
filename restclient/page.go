package restclient

import (
	"math"
	"unicode/utf8"

	"cvmgraph/internal/wire"
)

// CvmPage is one page of the upstream's list. It belongs to the caller, and may be read
// concurrently.
type CvmPage struct {
	// Items are the entries of the page in the upstream's order. It is never nil.
	Items []Item
	// Total is the number of CVMs in the whole list. If the list changed between the upstream's
	// count and its select, Total is corrected to agree with Items. If the page is irregular, Total
	// is what the upstream announces, but not less than the page shows.
	Total int
	// Irregular is the same as in [Extent].
	Irregular bool
	// Bytes is the size of the response's body, after decompression.
	Bytes int
}

// Item is one entry of a page.
type Item struct {
	// Cvm holds the values of the right type.
	Cvm Cvm
	// FieldErrors are the values of the wrong type, in the document's order. It is nil if there are
	// none.
	FieldErrors []FieldError
}

// Envelope is the document of a page without the values of its items.
type Envelope wire.Envelope

// DecodePage decodes the response to req. It keeps no reference to the body. Its error is an
// *InvalidResponseError: the reason is one of the document's grammar, if that is wrong, and
// otherwise one of the page's content.
func (s Shape) DecodePage(body []byte, req PageRequest) (*CvmPage, error) {
	d := newDecoder(s, body)
	d.pageSize = req.PageSize
	var envelope wire.Envelope
	if !d.Page(&envelope, d.table, d) {
		if !utf8.Valid(body) {
			return nil, invalidResponse(ReasonNotJSON)
		}
		return nil, scanError(d.Failure)
	}
	extent, err := (*Envelope)(&envelope).Validate(req)
	if err != nil {
		return nil, err
	}
	return &CvmPage{Items: d.items, Total: extent.Total, Irregular: extent.Irregular, Bytes: len(body)}, nil
}

// DecodeItem decodes one entry of a page, which is a JSON object in UTF-8. It keeps no reference to
// the bytes. Its error is an *InvalidResponseError. Entries of a valid page have no error.
func (s Shape) DecodeItem(entry []byte) (*Item, error) {
	d := newDecoder(s, entry)
	if c := d.Peek(); c != '{' && d.Pos < len(entry) {
		return nil, invalidResponse(ReasonEntry)
	}
	item := &Item{}
	if _, ok := d.item(item); !ok || !d.End() {
		return nil, scanError(d.Failure)
	}
	return item, nil
}

// Extent is what a page shows about the whole list.
type Extent struct {
	// Total is the announced total, or if the page shows the end of the list, the position of that
	// end. It is not less than the number of items up to the end of the page.
	Total int
	// Announced is the total that the upstream announces. It can differ from Total if the list
	// changed between the upstream's count and its select, or if the upstream leaves out items
	// after it has counted them.
	Announced int
	// Irregular reports that the page has fewer items than a page in the middle of the list has, or
	// that it is full although the list ends before its end, according to the announced total. The
	// items of other pages have other positions than the numbers of the pages imply, or there may
	// be more items than announced.
	Irregular bool
}

// Validate compares a page with its request, and returns what it shows about the list. The error is
// an *InvalidResponseError.
func (e *Envelope) Validate(req PageRequest) (Extent, error) {
	reason := Reason("")
	switch {
	case !e.IsList:
		reason = ReasonEnvelope
	case e.HasInvalidEntry:
		reason = ReasonEntry
	case e.HasOther:
		reason = ReasonOtherShape
	case !e.HasTotal || !e.HasPage || !e.HasPageSize:
		reason = ReasonEnvelope
	case e.Page != int64(req.Page) || e.PageSize != int64(req.PageSize):
		reason = ReasonEcho
	case e.Count > req.PageSize:
		reason = ReasonSurplus
	case e.Total < 0 || e.Total > math.MaxInt32:
		reason = ReasonTotal
	}
	if reason != "" {
		return Extent{}, invalidResponse(reason)
	}
	return e.extent(req)
}

// extent reconciles the announced total with the number of items. The upstream counts and selects
// in two steps: CVMs can be created and deleted between them, and the upstream can leave out CVMs
// after it has counted them.
func (e *Envelope) extent(req PageRequest) (Extent, error) {
	size, count := int64(req.PageSize), int64(e.Count)
	start := int64(req.Page-1) * size
	expected := max(0, min(e.Total-start, size))
	extent := Extent{Total: int(e.Total), Announced: int(e.Total)}
	switch {
	case count == expected:
	case count > expected && start+count > math.MaxInt32:
		return Extent{}, invalidResponse(ReasonTotal)
	case count < expected && (e.Total > start+size || start+count == 0 && e.Total > 1):
		extent.Irregular = true
	default: // the list ends on this page, unless the page is full
		extent.Total = int(start + count)
		extent.Irregular = count == size
	}
	return extent, nil
}
