package wire

import (
	"fmt"
	"reflect"
)

// Kind is the type that a key's value must have.
type Kind uint8

// The kinds, and the Go types of fields that they are decoded into.
const (
	Skipped    Kind = iota // any value; only the presence of the key counts
	String                 // a string, *string
	Identifier             // a string or an integer, *string
	Int32                  // an integer of 32 bits, *int32
	Int64                  // an integer of 64 bits, *int64
	Boolean                // true or false, bool
	Object                 // an object, a pointer to a struct
	Strings                // a list of strings, []string
	Objects                // a list of objects, a slice of structs
)

// String describes the kind, such as "an integer of 32 bits".
func (k Kind) String() string {
	return [...]string{
		Skipped:    "anything",
		String:     "a string",
		Identifier: "a string or an integer",
		Int32:      "an integer of 32 bits",
		Int64:      "an integer of 64 bits",
		Boolean:    "true or false",
		Object:     "an object",
		Strings:    "a list",
		Objects:    "a list",
	}[k]
}

// StartsWith reports whether a value of the kind can start with c.
func (k Kind) StartsWith(c byte) bool {
	switch k {
	case String:
		return c == '"'
	case Identifier:
		return c == '"' || StartsNumber(c)
	case Int32, Int64:
		return StartsNumber(c)
	case Boolean:
		return c == 't' || c == 'f'
	case Object:
		return c == '{'
	case Strings, Objects:
		return c == '['
	case Skipped:
	}
	return true
}

// StartsNumber reports whether a number can start with c.
func StartsNumber(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// Integer returns the value of a JSON number if it is an integer of the kind.
func (k Kind) Integer(number []byte) (n int64, ok bool) {
	n, ok = Integer(number)
	return n, ok && (k != Int32 || n == int64(int32(n)))
}

// Element returns the kind of a list's elements.
func (k Kind) Element() Kind {
	if k == Objects {
		return Object
	}
	return String
}

// Shape is the table of an object's keys, compiled from a struct type. It is immutable.
type Shape struct {
	Fields []Field
	// Blank is the struct before any key is decoded: booleans have their defaults, and lists are
	// empty.
	Blank reflect.Value
	// Markers is the set of the marker keys, as returned by [Shape.Set].
	Markers uint64
}

// Field is one key of an object.
type Field struct {
	Key string
	// Start is how the member starts: the key in quotes, and the colon.
	Start string
	Kind  Kind
	// Name and Index are those of the Go struct's field. Name is "" for a marker.
	Name  string
	Index int
	// Default is the value of a boolean that is absent.
	Default bool
	// NotEmpty reports whether an empty string counts as absent.
	NotEmpty bool
	// Required reports whether the upstream promises the key. Decoding does not require it.
	Required bool
	// Shape is the shape of an object, or of the elements of a list of objects. It is nil for other
	// kinds.
	Shape *Shape
}

// NewShape compiles the table of a struct type from its tags: json is the key, default:"true" the
// default of a boolean, wire:"identifier" a *string that is a string or an integer upstream,
// empty:"absent" a *string for which an empty string is the same as no value, required:"true" a key
// that the upstream promises. Markers are keys that are not decoded, and
// whose presence [Envelope.HasFlat] reports. It panics if the type has a field that is not of one
// of the kinds, or more than 64 keys.
func NewShape(t reflect.Type, markers ...string) *Shape {
	s := &Shape{Blank: reflect.New(t).Elem()}
	for i := range t.NumField() {
		member := t.Field(i)
		f := Field{Key: member.Tag.Get("json"), Name: member.Name, Index: i}
		f.Kind, f.Shape = kindOf(member)
		f.Default = member.Tag.Get("default") == "true"
		f.NotEmpty = member.Tag.Get("empty") == "absent"
		f.Required = member.Tag.Get("required") == "true"
		if f.Kind == Boolean {
			s.Blank.Field(i).SetBool(f.Default)
		}
		if member.Type.Kind() == reflect.Slice {
			s.Blank.Field(i).Set(reflect.MakeSlice(member.Type, 0, 0))
		}
		s.Fields = append(s.Fields, f)
	}
	for _, key := range markers {
		s.Fields = append(s.Fields, Field{Key: key, Kind: Skipped})
	}
	if len(s.Fields) > 64 {
		panic(fmt.Sprintf("wire: %v has more than 64 keys", t))
	}
	for i := range s.Fields {
		s.Fields[i].Start = `"` + s.Fields[i].Key + `":`
	}
	s.Markers = s.Set(markers...)
	return s
}

// kindOf derives a field's kind from its Go type.
func kindOf(member reflect.StructField) (Kind, *Shape) {
	switch reflect.Zero(member.Type).Interface().(type) {
	case *string:
		if member.Tag.Get("wire") == "identifier" {
			return Identifier, nil
		}
		return String, nil
	case *int32:
		return Int32, nil
	case *int64:
		return Int64, nil
	case bool:
		return Boolean, nil
	case []string:
		return Strings, nil
	}
	if nested := member.Type; nested.Kind() == reflect.Pointer && nested.Elem().Kind() == reflect.Struct {
		return Object, NewShape(nested.Elem())
	} else if nested.Kind() == reflect.Slice && nested.Elem().Kind() == reflect.Struct {
		return Objects, NewShape(nested.Elem())
	}
	panic(fmt.Sprintf("wire: field %s has type %v, which has no JSON value", member.Name, member.Type))
}

// Find returns the index of a key's field, or -1 for an unknown key. It searches from expected
// onwards, because keys mostly come in the order of the fields.
func (s *Shape) Find(key []byte, expected int) int {
	for i := range s.Fields {
		at := expected + i
		if at >= len(s.Fields) {
			at -= len(s.Fields)
		}
		if string(key) == s.Fields[at].Key {
			return at
		}
	}
	return -1
}

// Set returns the set of known keys, with one bit for the index of each key's field.
func (s *Shape) Set(keys ...string) uint64 {
	var set uint64
	for _, key := range keys {
		set |= 1 << s.Find([]byte(key), 0)
	}
	return set
}
