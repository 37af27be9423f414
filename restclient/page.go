package restclient

import (
	"math"
	"unicode/utf8"
)

// Page is one page of the upstream's list. It belongs to the caller, who may share it between
// goroutines as long as nobody writes to it.
type Page struct {
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
	Faults []Fault
}

// envelope is the decoded document, before it is compared with what was asked for.
type envelope struct {
	items                 entries
	total, page, pageSize int64
	has                   uint8 // which of the numbers came as an integer
}

const (
	hasTotal = 1 << iota
	hasPage
	hasPageSize
)

// entries is what was found under the key items.
type entries struct {
	isList    bool
	kept      []Item
	count     int  // of all entries, kept or not
	odd       bool // an entry is no object
	hasHosted bool // an entry has the key that only the pinned API version has
	hasFlat   bool // an entry has a key that only other API versions have
}

// decodePage decodes the answer to req. Of the body nothing is kept. Faults of the document come
// before faults of its meaning; its error is an *InvalidResponseError.
func decodePage(body []byte, req PageRequest) (*Page, error) {
	if !utf8.Valid(body) {
		return nil, invalid(ReasonNotJSON)
	}
	d := decoder{reader: reader{data: body}, lengths: map[*field]int{}}
	answer, err := d.envelope(req.PageSize)
	if err != nil {
		return nil, err
	}
	return answer.judge(req)
}

// envelope decodes the whole document and keeps at most pageSize items.
func (d *decoder) envelope(pageSize int) (*envelope, error) {
	e := &envelope{}
	c, err := d.peek()
	if err != nil {
		return nil, err
	}
	if c != '{' {
		if err := d.skip(); err != nil {
			return nil, err
		}
		return e, d.end()
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil {
			return nil, err
		}
		if !more {
			return e, d.end()
		}
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		switch string(key) {
		case "items":
			e.items, err = d.entries(pageSize)
		case "total":
			err = d.number64(&e.total, &e.has, hasTotal)
		case "page":
			err = d.number64(&e.page, &e.has, hasPage)
		case "page_size":
			err = d.number64(&e.pageSize, &e.has, hasPageSize)
		default:
			err = d.skip()
		}
		if err != nil {
			return nil, err
		}
	}
}

// number64 decodes an integer and notes in has whether it was one.
func (d *decoder) number64(target *int64, has *uint8, mark uint8) error {
	*has &^= mark
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
	if n, ok := integer(number); ok {
		*target = n
		*has |= mark
	}
	return nil
}

// entries decodes the list of items. Those beyond the page's size are decoded too, for their
// grammar and their keys, but not kept.
func (d *decoder) entries(pageSize int) (entries, error) {
	var list entries
	c, err := d.peek()
	if err != nil {
		return list, err
	}
	if c != '[' {
		return list, d.skip()
	}
	list.isList = true
	list.kept = []Item{}
	if err := d.open(); err != nil {
		return list, err
	}
	for {
		if more, err := d.more(']', list.count == 0); err != nil || !more {
			return list, err
		}
		if err := d.entry(&list, pageSize); err != nil {
			return list, err
		}
		list.count++
	}
}

// entry decodes one entry of the list.
func (d *decoder) entry(list *entries, pageSize int) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	if c != '{' {
		list.odd = true
		return d.skip()
	}
	keys, err := d.item(list.place(pageSize))
	list.hasHosted = list.hasHosted || keys&hostedMark != 0
	list.hasFlat = list.hasFlat || keys&flatMarks != 0
	return err
}

// place returns where to decode the next entry to.
func (list *entries) place(pageSize int) *Item {
	if list.count >= pageSize {
		return new(Item)
	}
	if cap(list.kept) == 0 {
		list.kept = make([]Item, 0, pageSize)
	}
	list.kept = append(list.kept, Item{})
	return &list.kept[len(list.kept)-1]
}

// judge compares the answer with what was asked for.
func (e *envelope) judge(req PageRequest) (*Page, error) {
	switch {
	case !e.items.isList:
		return nil, invalid(ReasonEnvelope)
	case e.items.odd:
		return nil, invalid(ReasonEntry)
	case e.items.hasFlat && !e.items.hasHosted:
		return nil, invalid(ReasonFlatShape)
	case e.has != hasTotal|hasPage|hasPageSize:
		return nil, invalid(ReasonEnvelope)
	case e.page != int64(req.Page) || e.pageSize != int64(req.PageSize):
		return nil, invalid(ReasonEcho)
	case e.items.count > req.PageSize:
		return nil, invalid(ReasonSurplus)
	}
	total, err := e.trueTotal(req)
	if err != nil {
		return nil, err
	}
	return &Page{Items: e.items.kept, Total: total}, nil
}

// trueTotal reconciles the announced total with the items that came. The upstream counts and
// selects in two steps, and CVMs may come and go between them.
func (e *envelope) trueTotal(req PageRequest) (int, error) {
	size, count := int64(req.PageSize), int64(e.items.count)
	start := int64(req.Page-1) * size
	if e.total < 0 || e.total > math.MaxInt32 {
		return 0, invalid(ReasonTotal)
	}
	expected := max(0, min(e.total-start, size))
	switch {
	case count == expected:
		return int(e.total), nil
	case count > expected && start+count > math.MaxInt32:
		return 0, invalid(ReasonTotal)
	case count < expected && (e.total > start+size || start+count == 0):
		// A deletion shortens the list's last page only, and an empty first page of a list
		// that has items is no list.
		return 0, invalid(ReasonShortPage)
	}
	return int(start + count), nil
}
