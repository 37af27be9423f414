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
	// count and its select, Total is corrected to agree with Items.
	Total int
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
func DecodePage(body []byte, req PageRequest) (*CvmPage, error) {
	d := newDecoder(body)
	d.pageSize = req.PageSize
	var envelope wire.Envelope
	if !d.Page(&envelope, cvmShape, d) {
		if !utf8.Valid(body) {
			return nil, invalidResponse(ReasonNotJSON)
		}
		return nil, scanError(d.Failure)
	}
	total, err := (*Envelope)(&envelope).Validate(req)
	if err != nil {
		return nil, err
	}
	return &CvmPage{Items: d.items, Total: total, Bytes: len(body)}, nil
}

// DecodeItem decodes one entry of a page, which is a JSON object in UTF-8. It keeps no reference to
// the bytes. Its error is an *InvalidResponseError. Entries of a valid page have no error.
func DecodeItem(entry []byte) (*Item, error) {
	d := newDecoder(entry)
	if c := d.Peek(); c != '{' && d.Pos < len(entry) {
		return nil, invalidResponse(ReasonEntry)
	}
	item := &Item{}
	if _, ok := d.item(item); !ok || !d.End() {
		return nil, scanError(d.Failure)
	}
	return item, nil
}

// Validate compares a page with its request, and returns the number of CVMs in the whole list. That
// is the announced total, unless the list changed between the upstream's count and its select: then
// it is the number that agrees with the items. The error is an *InvalidResponseError.
func (e *Envelope) Validate(req PageRequest) (total int, err error) {
	switch {
	case !e.IsList:
		return 0, invalidResponse(ReasonEnvelope)
	case e.HasInvalidEntry:
		return 0, invalidResponse(ReasonEntry)
	case e.HasFlat && !e.HasHosted:
		return 0, invalidResponse(ReasonFlatShape)
	case !e.HasTotal || !e.HasPage || !e.HasPageSize:
		return 0, invalidResponse(ReasonEnvelope)
	case e.Page != int64(req.Page) || e.PageSize != int64(req.PageSize):
		return 0, invalidResponse(ReasonEcho)
	case e.Count > req.PageSize:
		return 0, invalidResponse(ReasonSurplus)
	}
	return e.trueTotal(req)
}

// trueTotal reconciles the announced total with the number of items. The upstream counts and
// selects in two steps, and CVMs can be created and deleted between them.
func (e *Envelope) trueTotal(req PageRequest) (int, error) {
	size, count := int64(req.PageSize), int64(e.Count)
	start := int64(req.Page-1) * size
	if e.Total < 0 || e.Total > math.MaxInt32 {
		return 0, invalidResponse(ReasonTotal)
	}
	expected := max(0, min(e.Total-start, size))
	switch {
	case count == expected:
		return int(e.Total), nil
	case count > expected && start+count > math.MaxInt32:
		return 0, invalidResponse(ReasonTotal)
	case count < expected && (e.Total > start+size || start+count == 0):
		// A deletion shortens only the last page of the list, and the first page of a list with
		// CVMs is not empty.
		return 0, invalidResponse(ReasonShortPage)
	}
	return int(start + count), nil
}
