package restclient

import (
	"fmt"
	"reflect"
)

// kind is what a key's value must be, and what it is decoded into.
type kind uint8

const (
	skipped    kind = iota // anything; only its presence counts
	text                   // string into *string
	identifier             // string or integer into *string
	integer32              // integer into *int32
	integer64              // integer into *int64
	boolean                // true or false into bool
	object                 // object into a pointer to a struct
	texts                  // list of strings into []string
	objects                // list of objects into a slice of structs
)

// want names the kind for a [FieldError].
func (k kind) want() string {
	switch k {
	case text:
		return "a string"
	case identifier:
		return "a string or an integer"
	case integer32:
		return "an integer of 32 bits"
	case integer64:
		return "an integer of 64 bits"
	case boolean:
		return "true or false"
	case object:
		return "an object"
	case texts, objects:
		return "a list"
	case skipped:
	}
	return "anything"
}

// startsWith tells whether a value of the kind can start with c.
func (k kind) startsWith(c byte) bool {
	switch k {
	case text:
		return c == '"'
	case identifier:
		return c == '"' || startsNumber(c)
	case integer32, integer64:
		return startsNumber(c)
	case boolean:
		return c == 't' || c == 'f'
	case object:
		return c == '{'
	case texts, objects:
		return c == '['
	case skipped:
	}
	return true
}

// element returns the kind of the elements of a list.
func (k kind) element() kind {
	if k == objects {
		return object
	}
	return text
}

func startsNumber(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// shape is what the decoder knows of a struct type. It is immutable.
type shape struct {
	fields []field
	blank  reflect.Value // the struct before any key: booleans have their defaults, lists are []
}

// field is one key of an object.
type field struct {
	key   string
	start string // key as a member starts: in quotes, with the colon
	step  any    // key, boxed once for fault paths
	kind  kind
	index int    // of the Go struct's field; none for a skipped key
	shape *shape // of an object, or of the elements of a list of objects

	required bool // whether the key is to be there; the decoder does without
}

// cvmShape is the shape of an item. The keys that tell the flat shape of other API versions are
// part of it, so that their presence is noticed in the same pass.
//
//nolint:gochecknoglobals // immutable, compiled once
var (
	cvmShape   = compile(reflect.TypeFor[Cvm](), FlatKeys()...)
	hostedMark = cvmShape.marks("hosted")
	flatMarks  = cvmShape.marks(FlatKeys()...)
)

// FlatKeys returns the keys that tell an entry of another API version, in the flat shape.
func FlatKeys() []string { return []string{"vm_uuid", "resource", "node_info"} }

// compile reads a struct type's tags: json is the key, default:"true" a boolean's default,
// wire:"identifier" a *string that is a string or an integer upstream, required:"true" a key that is to
// be there. The skipped keys are known but not decoded. It panics on a type it cannot serve, which is a mistake in this package.
func compile(t reflect.Type, skippedKeys ...string) *shape {
	s := &shape{blank: reflect.New(t).Elem()}
	for i := range t.NumField() {
		member := t.Field(i)
		key := member.Tag.Get("json")
		f := keyed(key)
		f.index = i
		f.kind, f.shape = kindOf(member)
		f.required = member.Tag.Get("required") == "true"
		if f.kind == boolean {
			s.blank.Field(i).SetBool(member.Tag.Get("default") == "true")
		}
		if member.Type.Kind() == reflect.Slice {
			s.blank.Field(i).Set(reflect.MakeSlice(member.Type, 0, 0))
		}
		s.fields = append(s.fields, f)
	}
	for _, key := range skippedKeys {
		s.fields = append(s.fields, keyed(key))
	}
	if len(s.fields) > 64 {
		panic(fmt.Sprintf("restclient: %v has more keys than a set of 64 bits holds", t))
	}
	return s
}

// keyed returns a skipped field.
func keyed(key string) field {
	return field{key: key, start: `"` + key + `":`, step: key, kind: skipped}
}

// kindOf derives a field's kind from its Go type.
func kindOf(member reflect.StructField) (kind, *shape) {
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
		return object, compile(nested.Elem())
	} else if nested.Kind() == reflect.Slice && nested.Elem().Kind() == reflect.Struct {
		return objects, compile(nested.Elem())
	}
	panic(fmt.Sprintf("restclient: no JSON value for %s %v", member.Name, member.Type))
}

// find returns the place of key among the fields, -1 when it is unknown. It looks from expected
// onwards, because keys come mostly in the order of the fields.
func (s *shape) find(key []byte, expected int) int {
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

// marks is the set of the keys' places, as the decoder reports the keys of an object.
func (s *shape) marks(keys ...string) uint64 {
	var set uint64
	for _, key := range keys {
		set |= 1 << s.find([]byte(key), 0)
	}
	return set
}
