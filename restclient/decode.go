package restclient

import (
	"reflect"
	"slices"
	"strconv"

	"cvmgraph/internal/wire"
)

// FieldError reports a value of an item that had the wrong type upstream. The decoded item lacks
// the value: it is nil, or the default of a boolean, or an element that its list does not have.
type FieldError struct {
	// Path leads from the item to the value: keys of the upstream (string) and indexes of its lists
	// (int, from 0).
	Path []any
	// Want is the expected type, such as "a string" or "an integer of 32 bits".
	Want string
}

// Places returns where an item lacks a value because of a field error, as paths of names of fields
// and indexes of elements, such as Hosted, Events, 2, Body. Several fields can have the same value,
// and none if Cvm has no field for it. The indexes are those of the item's lists; if the path ends
// with an index, it is that of the upstream's list.
func (s Shape) Places(item *Item, e FieldError) [][]any {
	path := slices.Clone(e.Path)
	for at := range path[:max(0, len(path)-1)] {
		if index, ok := path[at].(int); ok {
			path[at] = index - item.removedBefore(e.Path[:at], index)
		}
	}
	return s.Table().Model.Places(reflect.ValueOf(&item.Cvm).Elem(), path)
}

// removedBefore returns how many elements before index an item does not have because their type was
// wrong. The elements are of the upstream's list at path.
func (i *Item) removedBefore(path []any, index int) (n int) {
	for _, e := range i.FieldErrors {
		if len(e.Path) == len(path)+1 && slices.Equal(e.Path[:len(path)], path) {
			if at, ok := e.Path[len(path)].(int); ok && at < index {
				n++
			}
		}
	}
	return n
}

//nolint:gochecknoglobals // the values of all pointers to booleans
var booleans = map[bool]*bool{false: new(false), true: new(true)}

// decoder decodes the items of one document. An invalid document stops it; a value of the wrong
// type is recorded as a field error and does not.
type decoder struct {
	wire.Scanner
	table    *wire.Table
	pageSize int
	items    []Item
	flat     flatCvm // the item in ShapeFlat

	path        []step  // from the item to the current value
	shortPath   [8]step // what path starts in
	fieldErrors []FieldError
	recorded    int // field errors of the whole page, including forgotten ones
	elements    int // elements of lists of objects of the whole page

	text    textArena
	strings slab[string]
	ints32  slab[int32]
	ints64  slab[int64]
	lengths map[*wire.Field]int // of the last list of each field, which is a guess of the length of the next one
}

// step is one step of a path: a key, or the index of an element if key is "".
type step struct {
	key   string
	index int
}

func newDecoder(s Shape, data []byte) *decoder {
	d := &decoder{Scanner: wire.Scanner{Data: data}, table: s.Table(), lengths: map[*wire.Field]int{}}
	d.path = d.shortPath[:0]
	return d
}

// Restart implements [wire.Items].
func (d *decoder) Restart() { d.items = []Item{} }

// Item implements [wire.Items]. Entries beyond the page's size are decoded for their grammar and
// their keys, and dropped.
func (d *decoder) Item(index int) (keys uint64, ok bool) {
	if index >= d.pageSize {
		return d.item(new(Item))
	}
	if cap(d.items) == 0 {
		d.items = make([]Item, 0, d.pageSize)
	}
	d.items = append(d.items, Item{})
	return d.item(&d.items[len(d.items)-1])
}

// item decodes the object at the scanner's position, and returns the set of its known keys.
func (d *decoder) item(item *Item) (keys uint64, ok bool) {
	d.fieldErrors = nil
	cvm := reflect.ValueOf(&item.Cvm).Elem()
	decoded := cvm
	if d.table.Item.Blank.Type() != cvm.Type() {
		decoded = reflect.ValueOf(&d.flat).Elem()
		cvm.Set(d.table.Model.Blank())
	}
	keys, ok = d.object(d.table.Item, decoded)
	d.table.Model.Fill(cvm, decoded)
	item.FieldErrors = d.fieldErrors
	d.text.endItem()
	d.strings.endItem()
	d.ints32.endItem()
	d.ints64.endItem()
	return keys, ok
}

// object decodes an object into the struct v, and returns the set of its known keys.
func (d *decoder) object(s *wire.Shape, v reflect.Value) (seen uint64, ok bool) {
	v.Set(s.Blank)
	if !d.Open() {
		return 0, false
	}
	var invalid uint64 // keys with field errors at or below their value
	expected := 0
	for first := true; ; first = false {
		if more, ok := d.More('}', first); !ok || !more {
			return seen, ok
		}
		at, ok := d.key(s, expected)
		if !ok {
			return 0, false
		}
		if at < 0 {
			if !d.Skip() {
				return 0, false
			}
			continue
		}
		f, bit := &s.Fields[at], uint64(1)<<at
		expected = at + 1
		d.path = append(d.path, step{key: f.Key})
		if seen&bit != 0 { // of equal keys, the whole value of the last one counts
			if f.Kind != wire.Skipped {
				v.Field(f.Index).Set(s.Blank.Field(f.Index))
			}
			if invalid&bit != 0 {
				d.forget()
				invalid &^= bit
			}
		}
		seen |= bit
		before := d.recorded
		if !d.value(f, v) {
			return 0, false
		}
		if d.recorded > before {
			invalid |= bit
		}
		d.path = d.path[:len(d.path)-1]
	}
}

// key consumes a member's name and its colon, and returns the index of its field, or -1 for an
// unknown key.
func (d *decoder) key(s *wire.Shape, expected int) (at int, ok bool) {
	if expected < len(s.Fields) && d.Consume(s.Fields[expected].Start) {
		return expected, true
	}
	key, ok := d.Key()
	if !ok {
		return -1, false
	}
	return s.Find(key, expected), true
}

// value decodes the value of f into its field of the struct v, which is blank.
func (d *decoder) value(f *wire.Field, v reflect.Value) bool {
	c := d.Peek()
	if c == 'n' {
		return d.Literal("null")
	}
	if !f.Kind.StartsWith(c) {
		return d.wrong(f.Kind)
	}
	if f.Kind == wire.Skipped {
		return d.Skip()
	}
	target := v.Field(f.Index)
	switch c { // the kind decides which of these are possible
	case '{':
		made := reflect.New(f.Shape.Blank.Type())
		target.Set(made)
		_, ok := d.object(f.Shape, made.Elem())
		return ok
	case '[':
		return d.list(f, target)
	case 't', 'f':
		if target.Kind() == reflect.Bool {
			target.SetBool(c == 't')
		} else {
			target.Set(reflect.ValueOf(booleans[c == 't']))
		}
		return d.Skip()
	case '"':
		if f.Kind == wire.IntegerText {
			return d.integer(f.Kind, target)
		}
		value, ok := d.string()
		if value != "" || !f.NotEmpty {
			target.Set(reflect.ValueOf(d.strings.put(value)))
		}
		return ok
	}
	return d.integer(f.Kind, target)
}

// string decodes the string at the scanner's position.
func (d *decoder) string() (string, bool) {
	start := d.Pos + 1
	escaped, _, ok := d.Quoted()
	if !ok {
		return "", false
	}
	return d.text.put(d.Data[start:d.Pos-1], escaped), true
}

// integer decodes a number, or a string, as an integer of the kind.
func (d *decoder) integer(k wire.Kind, target reflect.Value) bool {
	start := d.Pos
	if !d.Skip() {
		return false
	}
	n, ok := k.Integer(d.Data[start:d.Pos])
	switch {
	case !ok:
		return d.record(k)
	case k == wire.Identifier:
		target.Set(reflect.ValueOf(d.strings.put(strconv.FormatInt(n, 10))))
	case k == wire.Int64:
		target.Set(reflect.ValueOf(d.ints64.put(n)))
	default:
		target.Set(reflect.ValueOf(d.ints32.put(int32(n))))
	}
	return true
}

// list decodes a list into the slice v. It leaves out elements of the wrong type.
func (d *decoder) list(f *wire.Field, v reflect.Value) bool {
	if !d.Open() {
		return false
	}
	element := f.Kind.Element()
	for i := 0; ; i++ {
		more, ok := d.More(']', i == 0)
		if !ok {
			return false
		}
		if !more {
			d.lengths[f] = min(v.Len(), maxGuess)
			return true
		}
		d.path = append(d.path, step{index: i})
		if element.StartsWith(d.Peek()) {
			ok = d.element(f, v)
		} else {
			ok = d.wrong(element)
		}
		if !ok {
			return false
		}
		d.path = d.path[:len(d.path)-1]
	}
}

// element decodes an element of the right type and appends it to the slice v.
func (d *decoder) element(f *wire.Field, v reflect.Value) bool {
	n := v.Len()
	if n == 0 {
		v.Grow(max(1, d.lengths[f]))
	} else if n == v.Cap() {
		v.Grow(1)
	}
	v.SetLen(n + 1)
	if f.Kind == wire.Objects {
		if d.elements++; d.elements > wire.MaxElements {
			return d.Fail(wire.TooManyElements)
		}
		_, ok := d.object(f.Shape, v.Index(n))
		return ok
	}
	value, ok := d.string()
	v.Index(n).SetString(value)
	return ok
}

// wrong records a field error for the value at the scanner's position, and skips the value.
func (d *decoder) wrong(want wire.Kind) bool {
	if d.Pos == len(d.Data) {
		return d.Fail(wire.Truncated)
	}
	return d.record(want) && d.Skip()
}

// record records a field error for the current value, which is not of the wanted kind.
func (d *decoder) record(want wire.Kind) bool {
	if d.recorded++; d.recorded > wire.MaxInvalid {
		return d.Fail(wire.TooManyInvalid)
	}
	path := make([]any, len(d.path))
	for i, step := range d.path {
		if path[i] = step.key; step.key == "" {
			path[i] = step.index
		}
	}
	d.fieldErrors = append(d.fieldErrors, FieldError{Path: path, Want: want.String()})
	return true
}

// forget drops the field errors at and below the current path, which consists of keys and indexes.
func (d *decoder) forget() {
	d.fieldErrors = slices.DeleteFunc(d.fieldErrors, func(e FieldError) bool { return d.isBelow(e.Path) })
	if len(d.fieldErrors) == 0 {
		d.fieldErrors = nil
	}
}

// isBelow reports whether a path starts with the current one.
func (d *decoder) isBelow(path []any) bool {
	if len(path) < len(d.path) {
		return false
	}
	for i, step := range d.path {
		if path[i] != any(step.key) && (step.key != "" || path[i] != any(step.index)) {
			return false
		}
	}
	return true
}

// scanError returns the error of a scanner's failure.
func scanError(f wire.Failure) error {
	return invalidResponse([...]Reason{
		wire.NotJSON:         ReasonNotJSON,
		wire.Truncated:       ReasonTruncated,
		wire.TooDeep:         ReasonTooDeep,
		wire.TooManyInvalid:  ReasonTooManyFieldErrors,
		wire.TooManyElements: ReasonTooManyElements,
	}[f])
}
