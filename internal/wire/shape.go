package wire

import (
	"fmt"
	"reflect"
)

// Shape is the table of an object's keys, compiled from a struct type. It is immutable.
type Shape struct {
	Fields []Field
	// Blank is the struct before any key is decoded: booleans have their defaults, and lists are
	// empty.
	Blank reflect.Value
}

// Field is one key of an object.
type Field struct {
	Key string
	// Start is how the member starts: the key in quotes, and the colon.
	Start string
	Kind  Kind
	// Name and Index are those of the Go struct's field. Name is "" for a skipped key.
	Name  string
	Index int
	// Default is the value of a boolean that is absent, as JSON: true, false or null.
	Default string
	// NotEmpty reports whether an empty string counts as absent.
	NotEmpty bool
	// Required reports whether the upstream promises the key. Decoding does not require it.
	Required bool
	// Shape is the shape of an object, or of the elements of a list of objects. It is nil for other
	// kinds.
	Shape *Shape
}

// NewShape compiles the table of a struct type from its tags: json is the key, default:"true" the
// default of a boolean, wire the name of a [Kind] that the Go type alone does not determine,
// empty:"absent" a *string for which an empty string is the same as no value, required:"true" a key
// that the upstream promises. Fields with the tag json:"-" are left out. The tag skipped of a field
// named _, and the argument, are keys that are not decoded. NewShape panics if the type has a field
// that is not of one of the kinds, or more than 64 keys.
func NewShape(t reflect.Type, skipped ...string) *Shape {
	s := &Shape{Blank: reflect.New(t).Elem()}
	for i := range t.NumField() {
		member := t.Field(i)
		if key := member.Tag.Get("skipped"); key != "" {
			s.Fields = append(s.Fields, Field{Key: key, Kind: Skipped})
			continue
		}
		key := member.Tag.Get("json")
		if member.Type.Kind() == reflect.Slice {
			s.Blank.Field(i).Set(reflect.MakeSlice(member.Type, 0, 0))
		}
		if key == "-" {
			continue
		}
		f := Field{Key: key, Name: member.Name, Index: i, Default: defaultOf(member)}
		f.Kind, f.Shape = kindOf(member)
		f.NotEmpty = member.Tag.Get("empty") == "absent"
		f.Required = member.Tag.Get("required") == "true"
		if f.Kind == Boolean && f.Default != "null" {
			value := f.Default == "true"
			if member.Type.Kind() == reflect.Bool {
				s.Blank.Field(i).SetBool(value)
			} else {
				s.Blank.Field(i).Set(reflect.ValueOf(&value))
			}
		}
		s.Fields = append(s.Fields, f)
	}
	for _, key := range skipped {
		s.Fields = append(s.Fields, Field{Key: key, Kind: Skipped})
	}
	if len(s.Fields) > 64 {
		panic(fmt.Sprintf("wire: %v has more than 64 keys", t))
	}
	for i := range s.Fields {
		s.Fields[i].Start = `"` + s.Fields[i].Key + `":`
	}
	return s
}

// defaultOf returns the JSON of an absent boolean. A *bool can be null.
func defaultOf(member reflect.StructField) string {
	if tag := member.Tag.Get("default"); tag != "" {
		return tag
	}
	if member.Type.Kind() == reflect.Pointer {
		return "null"
	}
	return "false"
}

// kindOf derives a field's kind from its Go type and its tag wire.
func kindOf(member reflect.StructField) (Kind, *Shape) {
	tag := member.Tag.Get("wire")
	switch reflect.Zero(member.Type).Interface().(type) {
	case *string:
		if tag == "identifier" {
			return Identifier, nil
		}
		return String, nil
	case *int32:
		switch tag {
		case "gigabytes":
			return Gigabytes, nil
		case "text":
			return IntegerText, nil
		}
		return Int32, nil
	case *int64:
		return Int64, nil
	case bool, *bool:
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
