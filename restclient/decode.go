package restclient

import (
	"reflect"
	"slices"
	"strconv"
)

// maxFieldErrors bounds the faults of one page, counting forgotten ones: a fault takes many times the
// memory of the value it is about, and a page with so many is no page of ours.
const maxFieldErrors = 10_000

// maxElements bounds the elements of a page's lists of objects: a hundred times what a page of ours has.
const maxElements = 100_000

// FieldError says that one value of an item had the wrong type upstream. The value is left out: nil, a
// boolean's default, or an element missing from its list.
type FieldError struct {
	// Path leads from the item to the value: keys of the upstream (string) and, counted from 0,
	// indexes of its lists (int).
	Path []any
	// Want is the type it should have had, such as "a string" or "an integer of 32 bits".
	Want string
}

// decoder decodes the items of one document. Whatever is wrong with the document ends it with an
// *InvalidResponseError; a value of the wrong type is a fault and does not.
type decoder struct {
	reader
	path     []any // from the item to the current value
	faults   []FieldError
	recorded int // faults of the whole page, forgotten ones too
	elements int // of lists of objects, of the whole page

	texts   textArena
	strings slab[string]
	ints32  slab[int32]
	ints64  slab[int64]
	lengths map[*field]int // of the last list of each field, a guess of the next one's
}

func newDecoder(data []byte) *decoder {
	return &decoder{reader: reader{data: data}, lengths: map[*field]int{}}
}

// item decodes the object the reader stands at, and returns the set of its known keys.
func (d *decoder) item(item *Item) (keys uint64, err error) {
	d.faults = nil
	keys, err = d.object(cvmShape, reflect.ValueOf(&item.Cvm).Elem())
	item.FieldErrors = d.faults
	d.texts.endItem()
	d.strings.endItem()
	d.ints32.endItem()
	d.ints64.endItem()
	return keys, err
}

// object decodes an object into the struct v, and returns the set of its known keys.
func (d *decoder) object(s *shape, v reflect.Value) (seen uint64, err error) {
	v.Set(s.blank)
	if err := d.open(); err != nil {
		return 0, err
	}
	var faulty uint64 // keys with faults at or below their value
	expected := 0
	for first := true; ; first = false {
		if more, err := d.more('}', first); err != nil || !more {
			return seen, err
		}
		place, err := d.place(s, expected)
		if err != nil {
			return 0, err
		}
		if place < 0 {
			if err := d.skip(); err != nil {
				return 0, err
			}
			continue
		}
		f, mark := &s.fields[place], uint64(1)<<place
		expected = place + 1
		d.path = append(d.path, f.step)
		if seen&mark != 0 { // of equal keys the last one wins, whole
			if f.kind != skipped {
				v.Field(f.index).Set(s.blank.Field(f.index))
			}
			if faulty&mark != 0 {
				d.forget()
				faulty &^= mark
			}
		}
		seen |= mark
		before := d.recorded
		if err := d.value(f, v); err != nil {
			return 0, err
		}
		if d.recorded > before {
			faulty |= mark
		}
		d.path = d.path[:len(d.path)-1]
	}
}

// place consumes a member's name and its colon, and returns the name's place in the shape, -1 when it
// is unknown. Mostly it is the expected one, and then there is no need to scan it.
func (d *decoder) place(s *shape, expected int) (int, error) {
	if expected < len(s.fields) && d.consume(s.fields[expected].start) {
		return expected, nil
	}
	key, err := d.key()
	if err != nil {
		return -1, err
	}
	return s.find(key, expected), nil
}

// value decodes the value of f into its field of the struct v, which is blank.
func (d *decoder) value(f *field, v reflect.Value) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	if c == 'n' {
		return d.literal("null")
	}
	if !f.kind.startsWith(c) {
		return d.wrong(f.kind)
	}
	target := v.Field(f.index)
	switch f.kind {
	case object:
		made := reflect.New(f.shape.blank.Type())
		target.Set(made)
		_, err = d.object(f.shape, made.Elem())
	case texts, objects:
		err = d.list(f, target)
	case boolean:
		target.SetBool(c == 't')
		err = d.literal(strconv.FormatBool(c == 't'))
	case text, integer32, integer64, identifier:
		if c != '"' {
			return d.integer(f.kind, target)
		}
		value, err := d.string()
		target.Set(reflect.ValueOf(d.strings.put(value)))
		return err
	case skipped:
		err = d.skip()
	}
	return err
}

// string decodes the string the reader stands at.
func (d *decoder) string() (string, error) {
	raw, escaped, err := d.text()
	if err != nil {
		return "", err
	}
	return d.texts.put(raw, escaped), nil
}

// integer decodes a number as the kind wants it.
func (d *decoder) integer(k kind, target reflect.Value) error {
	number, err := d.number()
	if err != nil {
		return err
	}
	n, ok := integer(number)
	switch {
	case !ok, k == integer32 && n != int64(int32(n)):
		return d.fault(k)
	case k == integer32:
		target.Set(reflect.ValueOf(d.ints32.put(int32(n))))
	case k == integer64:
		target.Set(reflect.ValueOf(d.ints64.put(n)))
	default:
		target.Set(reflect.ValueOf(d.strings.put(strconv.FormatInt(n, 10))))
	}
	return nil
}

// list decodes a list into the slice v; elements of the wrong type are left out.
func (d *decoder) list(f *field, v reflect.Value) error {
	if err := d.open(); err != nil {
		return err
	}
	element := f.kind.element()
	for i := 0; ; i++ {
		more, err := d.more(']', i == 0)
		if err != nil {
			return err
		}
		if !more {
			d.lengths[f] = min(v.Len(), maxGuess)
			return nil
		}
		c, err := d.peek()
		if err != nil {
			return err
		}
		d.path = append(d.path, i)
		if element.startsWith(c) {
			err = d.element(f, v)
		} else {
			err = d.wrong(element)
		}
		if err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
}

// element decodes an element of a list, which is of the right type, and appends it to v.
func (d *decoder) element(f *field, v reflect.Value) error {
	n := v.Len()
	if n == 0 {
		v.Grow(max(1, d.lengths[f]))
	} else if n == v.Cap() {
		v.Grow(1)
	}
	v.SetLen(n + 1)
	if f.kind == objects {
		if d.elements++; d.elements > maxElements {
			return invalid(ReasonTooManyElements)
		}
		_, err := d.object(f.shape, v.Index(n))
		return err
	}
	value, err := d.string()
	v.Index(n).SetString(value)
	return err
}

// wrong records the value the reader stands at as a fault, and skips it.
func (d *decoder) wrong(want kind) error {
	if err := d.fault(want); err != nil {
		return err
	}
	return d.skip()
}

// fault records that the current value is none of the kind.
func (d *decoder) fault(want kind) error {
	if d.recorded++; d.recorded > maxFieldErrors {
		return invalid(ReasonTooManyFieldErrors)
	}
	d.faults = append(d.faults, FieldError{Path: slices.Clone(d.path), Want: want.want()})
	return nil
}

// forget drops the faults at and below the current path.
func (d *decoder) forget() {
	d.faults = slices.DeleteFunc(d.faults, func(f FieldError) bool {
		return len(f.Path) >= len(d.path) && slices.Equal(f.Path[:len(d.path)], d.path)
	})
	if len(d.faults) == 0 {
		d.faults = nil
	}
}
