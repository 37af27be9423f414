package restclient

import (
	"math"
	"unicode/utf8"
)

// CvmPage is one page of the upstream's list. It belongs to the caller, who may share it between
// goroutines as long as nobody writes to it.
type CvmPage struct {
	// Items are the page's entries in the upstream's order, never nil.
	Items []Item
	// Total is the number of CVMs in the whole list. Where the list changed between the upstream's
	// count and its select, it is corrected to agree with Items.
	Total int
	// Bytes is the size of the answer's body, after decompression.
	Bytes int
}

// Item is one entry of a page.
type Item struct {
	// Cvm holds the values of the right type.
	Cvm Cvm
	// Faults are the values of the wrong type, in the document's order; nil when there are none.
	FieldErrors []FieldError
}

// Envelope is what the document of a page holds beside the values of its items.
type Envelope struct {
	// Total, Page and PageSize are the integers of these names, meaningful where HasTotal, HasPage and
	// HasPageSize are set.
	Total, Page, PageSize          int64
	HasTotal, HasPage, HasPageSize bool
	// IsList says that there is a list of items, and Count how many entries it has.
	IsList bool
	Count  int
	// HasInvalidEntry says that an entry is no object.
	HasInvalidEntry bool
	// HasHosted says that an entry has the key that only the pinned API version has, HasFlat that one
	// has a key that only other API versions have.
	HasHosted, HasFlat bool
}

// DecodePage decodes the answer to req. Of the body nothing is kept. Faults of the document come
// before faults of its meaning; its error is an *InvalidResponseError.
func DecodePage(body []byte, req PageRequest) (*CvmPage, error) {
	if !utf8.Valid(body) {
		return nil, invalid(ReasonNotJSON)
	}
	d := newDecoder(body)
	answer, items, err := d.envelope(req.PageSize)
	if err != nil {
		return nil, err
	}
	total, err := answer.Validate(req)
	if err != nil {
		return nil, err
	}
	return &CvmPage{Items: items, Total: total, Bytes: len(body)}, nil
}

// DecodeItem decodes one entry of a page: a JSON object in UTF-8. Of the bytes nothing is kept. Its
// error is an *InvalidResponseError; an entry of a page that is valid has none.
func DecodeItem(entry []byte) (*Item, error) {
	d := newDecoder(entry)
	if c, err := d.peek(); err != nil {
		return nil, err
	} else if c != '{' {
		return nil, invalid(ReasonEntry)
	}
	item := &Item{}
	if _, err := d.item(item); err != nil {
		return nil, err
	}
	return item, d.end()
}

// envelope decodes the whole document and keeps at most pageSize items.
func (d *decoder) envelope(pageSize int) (e Envelope, items []Item, err error) {
	c, err := d.peek()
	if err != nil {
		return e, nil, err
	}
	if c != '{' {
		if err := d.skip(); err != nil {
			return e, nil, err
		}
		return e, nil, d.end()
	}
	if err := d.open(); err != nil {
		return e, nil, err
	}
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil {
			return e, nil, err
		}
		if !more {
			return e, items, d.end()
		}
		key, err := d.key()
		if err != nil {
			return e, nil, err
		}
		switch string(key) {
		case "items":
			items, err = d.entries(&e, pageSize)
		case "total":
			err = d.number64(&e.Total, &e.HasTotal)
		case "page":
			err = d.number64(&e.Page, &e.HasPage)
		case "page_size":
			err = d.number64(&e.PageSize, &e.HasPageSize)
		default:
			err = d.skip()
		}
		if err != nil {
			return e, nil, err
		}
	}
}

// number64 decodes an integer and notes in has whether it was one.
func (d *decoder) number64(target *int64, has *bool) error {
	*has = false
	c, err := d.peek()
	if err != nil {
		return err
	}
	if !startsNumber(c) {
		return d.skip()
	}
	number, err := d.number()
	if err != nil {
		return err
	}
	*target, *has = integer(number)
	return nil
}

// entries decodes the list of items. Those beyond the page's size are decoded too, for their
// grammar and their keys, but not kept.
func (d *decoder) entries(e *Envelope, pageSize int) ([]Item, error) {
	e.IsList, e.Count, e.HasInvalidEntry, e.HasHosted, e.HasFlat = false, 0, false, false, false
	c, err := d.peek()
	if err != nil {
		return nil, err
	}
	if c != '[' {
		return nil, d.skip()
	}
	e.IsList = true
	kept := []Item{}
	if err := d.open(); err != nil {
		return nil, err
	}
	for {
		if more, err := d.more(']', e.Count == 0); err != nil || !more {
			return kept, err
		}
		if kept, err = d.entry(e, kept, pageSize); err != nil {
			return nil, err
		}
		e.Count++
	}
}

// entry decodes one entry of the list, and returns what is kept of the list.
func (d *decoder) entry(e *Envelope, kept []Item, pageSize int) ([]Item, error) {
	c, err := d.peek()
	if err != nil {
		return nil, err
	}
	if c != '{' {
		e.HasInvalidEntry = true
		return kept, d.skip()
	}
	var place *Item
	if e.Count >= pageSize {
		place = new(Item)
	} else {
		if cap(kept) == 0 {
			kept = make([]Item, 0, pageSize)
		}
		kept = append(kept, Item{})
		place = &kept[len(kept)-1]
	}
	keys, err := d.item(place)
	e.HasHosted = e.HasHosted || keys&hostedMark != 0
	e.HasFlat = e.HasFlat || keys&flatMarks != 0
	return kept, err
}

// Validate compares a page with what was asked for, and returns the number of CVMs in the whole list: the
// announced one, or, where the list changed between the upstream's count and its select, the one that
// agrees with the items. Its error is an *InvalidResponseError.
func (e *Envelope) Validate(req PageRequest) (total int, err error) {
	switch {
	case !e.IsList:
		return 0, invalid(ReasonEnvelope)
	case e.HasInvalidEntry:
		return 0, invalid(ReasonEntry)
	case e.HasFlat && !e.HasHosted:
		return 0, invalid(ReasonFlatShape)
	case !e.HasTotal || !e.HasPage || !e.HasPageSize:
		return 0, invalid(ReasonEnvelope)
	case e.Page != int64(req.Page) || e.PageSize != int64(req.PageSize):
		return 0, invalid(ReasonEcho)
	case e.Count > req.PageSize:
		return 0, invalid(ReasonSurplus)
	}
	return e.trueTotal(req)
}

// trueTotal reconciles the announced total with the items that came. The upstream counts and
// selects in two steps, and CVMs may come and go between them.
func (e *Envelope) trueTotal(req PageRequest) (int, error) {
	size, count := int64(req.PageSize), int64(e.Count)
	start := int64(req.Page-1) * size
	if e.Total < 0 || e.Total > math.MaxInt32 {
		return 0, invalid(ReasonTotal)
	}
	expected := max(0, min(e.Total-start, size))
	switch {
	case count == expected:
		return int(e.Total), nil
	case count > expected && start+count > math.MaxInt32:
		return 0, invalid(ReasonTotal)
	case count < expected && (e.Total > start+size || start+count == 0):
		// A deletion shortens the list's last page only, and an empty first page of a list
		// that has items is no list.
		return 0, invalid(ReasonShortPage)
	}
	return int(start + count), nil
}
