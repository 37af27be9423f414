// Package projection writes the selected fields of the upstream's items straight from the bytes in which they came. A page is
// validated and indexed once ([Shape.Index]), a selection is compiled once ([Planner.Connection], [Planner.Item]), and a plan
// and an index are rendered to JSON in one pass ([Plan.AppendConnection], [Plan.AppendItem]).
//
// What it writes equals what gqlgen writes for the same items, decoded into the wire types: values, their order, and what
// becomes of values that are absent or of the wrong type. Saying which those are is the business of whoever decodes.
package projection

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"sync"
)

// kind is what a key's value must be.
type kind uint8

const (
	skipped    kind = iota // anything; only its presence counts
	text                   // a string
	identifier             // a string or an integer
	integer32              // an integer of 32 bits
	integer64              // an integer of 64 bits
	boolean                // true or false
	object                 // an object
	texts                  // a list of strings
	objects                // a list of objects
)

// Shape is what is known of an object of the upstream: its keys and where their values stand in an index. It is safe for concurrent use.
type Shape struct {
	fields []field
	// width is how many slots the values take, those of nested objects included.
	width int
	// order is where the object's members begin in the order that an indexer has learned, and orders how long that is for the object and all
	// that it nests.
	order, orders int
	// rooms are *room, which pages are indexed in.
	rooms sync.Pool
}

// field is one key of an object.
type field struct {
	name string // of the Go struct's field; "" for a skipped key
	key  string
	next string // key as a member starts behind another: in quotes, with the comma and the colon
	// head and tail are the first sixteen bytes of next, eight each, as far as the masks say that there are so many.
	head, headMask uint64
	tail, tailMask uint64
	kind           kind
	slot           int    // of its value, counted from the first of the object's slots
	slots          int    // how many there are: those of an object follow its own
	fallback       string // of a boolean: what stands for an absent one
	shape          *Shape // of an object, or of the elements of a list of objects
}

// NewShape returns the shape of the items that decode into the struct type wire. Its tags are read as the decoder reads them:
// json is the key, default:"true" a boolean's default, wire:"identifier" a *string that is a string or an integer upstream. The
// markers are keys that an item is not decoded from, and whose presence [Envelope.HasFlat] tells. It panics on a type that it
// cannot serve.
func NewShape(wire reflect.Type, markers ...string) *Shape {
	s := &Shape{}
	for i := range wire.NumField() {
		member := wire.Field(i)
		f := field{name: member.Name, key: member.Tag.Get("json"), slots: 1}
		f.kind, f.shape = kindOf(member)
		if f.kind == boolean {
			f.fallback = strconv.FormatBool(member.Tag.Get("default") == "true")
		}
		if f.kind == object {
			f.slots += f.shape.width
		}
		s.add(f)
	}
	for _, key := range markers {
		s.add(field{key: key, kind: skipped})
	}
	if len(s.fields) > 64 {
		panic(fmt.Sprintf("projection: %v has more keys than a set of 64 bits holds", wire))
	}
	s.number(0)
	return s
}

// number gives the object and all that it nests their places in the order, from a place on.
func (s *Shape) number(from int) {
	s.order, s.orders = from, len(s.fields)+1
	for _, f := range s.fields {
		if f.shape != nil {
			f.shape.number(from + s.orders)
			s.orders += f.shape.orders
		}
	}
}

// natural appends the order of the fields, which an indexer begins with.
func (s *Shape) natural(order []uint8) []uint8 {
	for i := range len(s.fields) + 1 {
		order = append(order, uint8(i))
	}
	for _, f := range s.fields {
		if f.shape != nil {
			order = f.shape.natural(order)
		}
	}
	return order
}

func (s *Shape) add(f field) {
	f.next = `,"` + f.key + `":`
	f.head, f.headMask = word(f.next)
	f.tail, f.tailMask = word(f.next[min(len(f.next), 8):])
	f.slot = s.width
	s.width += f.slots
	s.fields = append(s.fields, f)
}

// word returns the first eight bytes of a text as a number, and which of its bits they are where the text is shorter.
func word(text string) (word, mask uint64) {
	var b [8]byte
	n := copy(b[:], text)
	return binary.LittleEndian.Uint64(b[:]), 1<<(8*n) - 1
}

// kindOf derives a field's kind from its Go type.
func kindOf(member reflect.StructField) (kind, *Shape) {
	switch reflect.Zero(member.Type).Interface().(type) {
	case *string:
		if member.Tag.Get("wire") == "identifier" {
			return identifier, nil
		}
		return text, nil
	case *int32:
		return integer32, nil
	case *int64:
		return integer64, nil
	case bool:
		return boolean, nil
	case []string:
		return texts, nil
	}
	if nested := member.Type; nested.Kind() == reflect.Pointer && nested.Elem().Kind() == reflect.Struct {
		return object, NewShape(nested.Elem())
	} else if nested.Kind() == reflect.Slice && nested.Elem().Kind() == reflect.Struct {
		return objects, NewShape(nested.Elem())
	}
	panic(fmt.Sprintf("projection: no JSON value for %s %v", member.Name, member.Type))
}

// find returns the place of key among the fields, -1 when it is unknown. It looks from expected onwards, because keys come
// mostly in the order of the fields.
func (s *Shape) find(key []byte, expected int) int {
	for i := range s.fields {
		at := expected + i
		if at >= len(s.fields) {
			at -= len(s.fields)
		}
		if string(key) == s.fields[at].key {
			return at
		}
	}
	return -1
}

// marks returns the set of the fields that are skipped, and that of one key.
func (s *Shape) marks(key string) (skippedSet, keySet uint64) {
	for i, f := range s.fields {
		if f.kind == skipped {
			skippedSet |= 1 << i
		}
		if f.key == key {
			keySet |= 1 << i
		}
	}
	return skippedSet, keySet
}
