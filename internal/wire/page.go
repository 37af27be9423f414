package wire

// Envelope is what the document of a page holds besides the values of its items.
type Envelope struct {
	// Total, Page and PageSize are the integers of these names. They are valid if HasTotal, HasPage
	// and HasPageSize are set.
	Total, Page, PageSize          int64
	HasTotal, HasPage, HasPageSize bool
	// IsList reports whether items is a list, and Count is the number of its entries.
	IsList bool
	Count  int
	// HasInvalidEntry reports whether an entry is not an object.
	HasInvalidEntry bool
	// HasOther reports whether an entry is an item of another shape: see [Table.IsOther].
	HasOther bool
}

// Items receives the items of a page.
type Items interface {
	// Restart drops all items. [Scanner.Page] calls it before each list of items, because the last
	// of equal keys counts.
	Restart()
	// Item consumes the object at the scanner's position, which is the entry at an index of the
	// list, and returns the set of its known keys.
	Item(index int) (keys uint64, ok bool)
}

// Page consumes the document of a page, whose items have the table's shape. It accepts any JSON
// document: whether it is a page is for the caller to decide by the envelope.
func (s *Scanner) Page(e *Envelope, table *Table, items Items) bool {
	if s.Peek() != '{' {
		return s.Skip() && s.End()
	}
	if !s.Open() {
		return false
	}
	for first := true; ; first = false {
		more, ok := s.More('}', first)
		if !ok || !more {
			return ok && s.End()
		}
		key, ok := s.Key()
		if !ok {
			return false
		}
		switch string(key) {
		case "items":
			ok = s.items(e, table, items)
		case "total":
			ok = s.integer(&e.Total, &e.HasTotal)
		case "page":
			ok = s.integer(&e.Page, &e.HasPage)
		case "page_size":
			ok = s.integer(&e.PageSize, &e.HasPageSize)
		default:
			ok = s.Skip()
		}
		if !ok {
			return false
		}
	}
}

// integer consumes a value of the envelope, and sets has if it is an integer.
func (s *Scanner) integer(target *int64, has *bool) bool {
	*has = false
	if !StartsNumber(s.Peek()) {
		return s.Skip()
	}
	start := s.Pos
	if _, ok := s.Number(); !ok {
		return false
	}
	*target, *has = Integer(s.Data[start:s.Pos])
	return true
}

// items consumes the list of items.
func (s *Scanner) items(e *Envelope, table *Table, items Items) bool {
	e.IsList, e.Count, e.HasInvalidEntry, e.HasOther = false, 0, false, false
	items.Restart()
	if s.Peek() != '[' {
		return s.Skip()
	}
	e.IsList = true
	if !s.Open() {
		return false
	}
	for ; ; e.Count++ {
		more, ok := s.More(']', e.Count == 0)
		if !ok || !more {
			return ok
		}
		if s.Peek() != '{' {
			e.HasInvalidEntry = true
			if !s.Skip() {
				return false
			}
			continue
		}
		keys, ok := items.Item(e.Count)
		if !ok {
			return false
		}
		e.HasOther = e.HasOther || table.IsOther(keys)
	}
}
