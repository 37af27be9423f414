package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Table is the table of the items of one shape: their keys, and which keys the fields of the model
// come from. The model is a struct type, and the same for all shapes. A table is immutable.
type Table struct {
	// Name is the name of the shape.
	Name string
	// Item is the shape of an item.
	Item *Shape
	// Model has the fields of the model.
	Model *Model
	// Own is the set of keys that only items of this shape have, and Others the set of keys that
	// only items of other shapes have, as returned by [Shape.Set].
	Own, Others uint64
}

// IsOther reports whether the keys of an object are those of an item of another shape: it has a key
// that only such items have, and none that only items of this shape have.
func (t *Table) IsOther(keys uint64) bool { return keys&t.Others != 0 && keys&t.Own == 0 }

// Model is an object of the model: a struct type with the sources of its fields.
type Model struct {
	Fields []ModelField
	// blank is the struct without values: its lists are empty.
	blank reflect.Value
	// filled are the indexes of the fields that [Model.Fill] sets.
	filled []int
}

// ModelField is a field of a [Model].
type ModelField struct {
	// Name and Index are those of the struct's field.
	Name  string
	Index int
	// Sources are where the value comes from: the first one that an item has counts. There are none
	// if the shape does not have the value. For an object whose fields have sources of their own,
	// the source is the value that the object depends on.
	Sources []Source
	// Suffix is removed from the end of a string. If nothing is left, the value is absent.
	Suffix string
	// Count reports that the value is the length of the list that is the source. The value is
	// absent if the object that has the list is.
	Count bool
	// Seconds reports that the source is a string with a duration, and the value is its number of
	// seconds. The value is absent if [Seconds] cannot parse the string.
	Seconds bool
	// Absent is the JSON of an absent value: null, a boolean's default, or [].
	Absent string
	// Below has the fields of an object, or of the elements of a list of objects. It is nil for
	// other fields. The sources of an object's fields count from the item, as the object's own do.
	// Those of an element's fields count from the element.
	Below *Model
	// isList reports whether Below has the fields of elements, and isPart whether decoding an item
	// sets the field.
	isList, isPart bool
}

// Source is a value of an item.
type Source struct {
	// Path has the index of a field in each shape from the item, or from the element of a list, to
	// the value.
	Path []int
	// Keys are the keys of the path.
	Keys []string
	// Field is the last field of the path.
	Field *Field
	// members are the indexes of the structs' fields.
	members []int
	// isShown reports whether the objects that have the value are fields of the model themselves.
	isShown bool
}

// NewTable compiles the table of a shape, whose items are decoded into one struct type and shown as
// another one, the model, or the same. The tag of a model's field with the name of the shape is the
// source: keys with dots between them, and more sources after a comma. Without such a tag, the
// source of a field in a struct that is a part of the item is the field itself. A tag of an object
// is what its existence depends on, and its fields have tags, unless the source is of the same
// type. The tag suffix is removed from the end of the string, which is nil if nothing is left.
// An *int32 with a list as its source is the length of that list. An *int64 with a string as its
// source is a number of seconds.
//
// Own are keys that only items of this shape have, and others those that only items of other
// shapes have. NewTable panics like [NewShape], and for a source that items do not have.
func NewTable(name string, model, item reflect.Type, own, others []string) *Table {
	t := &Table{Name: name, Item: NewShape(item, others...)}
	t.Own, t.Others = t.Item.Set(own...), t.Item.Set(others...)
	c := modelCompiler{name: name, root: t.Item, isShown: model == item}
	t.Model = c.model(model, t.Item, Source{})
	return t
}

// modelCompiler compiles the models of a table.
type modelCompiler struct {
	name string
	root *Shape // of the item, or of the element of a list
	// isShown is that of the sources.
	isShown bool
}

// model compiles a struct type. If objects of the shape are decoded into it, the fields are their
// own sources, and the object itself is at the prefix.
func (c modelCompiler) model(t reflect.Type, s *Shape, prefix Source) *Model {
	m := &Model{blank: reflect.New(t).Elem()}
	isPart := s != nil && s.Blank.Type() == t
	for i := range t.NumField() {
		member := t.Field(i)
		f := ModelField{Name: member.Name, Index: i, Absent: "null"}
		if tag := member.Tag.Get(c.name); tag != "" {
			f.Suffix = member.Tag.Get("suffix")
			for path := range strings.SplitSeq(tag, ",") {
				f.Sources = append(f.Sources, c.source(path))
			}
		} else if at := indexOf(s, i); isPart && at >= 0 {
			f.Sources, f.isPart = []Source{prefix.below(s, at)}, true
		}
		c.complete(&f, member.Type)
		if member.Type.Kind() == reflect.Slice {
			m.blank.Field(i).Set(reflect.MakeSlice(member.Type, 0, 0))
		}
		if f.isPart && f.Below != nil && !f.isList && f.Below.filled != nil || !f.isPart && f.Sources != nil {
			m.filled = append(m.filled, i)
		}
		m.Fields = append(m.Fields, f)
	}
	return m
}

// complete sets what depends on the field's type and source.
func (c modelCompiler) complete(f *ModelField, t reflect.Type) {
	var source Source
	if len(f.Sources) > 0 {
		source = f.Sources[0]
		f.Count = source.Field.Kind == Objects && t.Kind() == reflect.Pointer
		f.Seconds = source.Field.Kind == String && t == reflect.TypeFor[*int64]()
		if source.Field.Kind == Boolean {
			f.Absent = source.Field.Default
		}
	}
	switch {
	case t.Kind() == reflect.Slice:
		f.Absent = "[]"
		if f.isList = t.Elem().Kind() == reflect.Struct; f.isList {
			c.root = nil
			if source.Field != nil {
				c.root = source.Field.Shape
			}
			f.Below = c.model(t.Elem(), c.root, Source{})
		}
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		var s *Shape
		if source.Field != nil {
			s = source.Field.Shape
		}
		f.Below = c.model(t.Elem(), s, source)
	}
}

// source returns the value at a path of keys with dots between them.
func (c modelCompiler) source(path string) (s Source) {
	shape := c.root
	for key := range strings.SplitSeq(path, ".") {
		at := -1
		if shape != nil {
			at = shape.Find([]byte(key), 0)
		}
		if at < 0 {
			panic(fmt.Sprintf("wire: items of the shape %s have no %s", c.name, path))
		}
		s = s.below(shape, at)
		shape = s.Field.Shape
	}
	s.isShown = c.isShown
	return s
}

// below returns the value of a field of the object at s.
func (s Source) below(shape *Shape, at int) Source {
	f := &shape.Fields[at]
	return Source{
		Path: slices.Concat(s.Path, []int{at}), Keys: slices.Concat(s.Keys, []string{f.Key}), Field: f,
		members: slices.Concat(s.members, []int{f.Index}),
	}
}

// indexOf returns the index of a struct's field in the shape, or -1.
func indexOf(s *Shape, index int) int {
	if s != nil {
		for at, f := range s.Fields {
			if f.Index == index && f.Name != "" {
				return at
			}
		}
	}
	return -1
}

// Fill sets the fields of the model's struct that are not a part of the decoded item, from the
// item. The result shares the values that pointers and slices of the item refer to.
func (m *Model) Fill(to, item reflect.Value) {
	for _, at := range m.filled {
		f := &m.Fields[at]
		target := to.Field(f.Index)
		if f.isPart {
			if !target.IsNil() {
				f.Below.Fill(target.Elem(), item)
			}
			continue
		}
		if value, ok := f.value(item); ok {
			f.set(target, value, item)
		}
	}
}

// Blank returns the model's struct without values.
func (m *Model) Blank() reflect.Value { return m.blank }

// value returns the first source's value that a decoded item has.
func (f *ModelField) value(item reflect.Value) (value reflect.Value, ok bool) {
	for i := range f.Sources {
		value, ok = item, true
		for _, member := range f.Sources[i].members {
			if value.Kind() == reflect.Pointer {
				value = value.Elem()
			}
			value = value.Field(member)
			if ok = value.Kind() != reflect.Pointer || !value.IsNil(); !ok {
				break
			}
		}
		if ok {
			break
		}
	}
	return value, ok
}

// set sets the field to the value of its source.
func (f *ModelField) set(target, value, item reflect.Value) {
	switch {
	case f.Count:
		n := int32(value.Len())
		target.Set(reflect.ValueOf(&n))
	case f.Seconds:
		if n, ok := Seconds([]byte(value.Elem().String())); ok {
			target.Set(reflect.ValueOf(&n))
		}
	case f.Suffix != "":
		if text := strings.TrimSuffix(value.Elem().String(), f.Suffix); text != "" {
			target.Set(reflect.ValueOf(&text))
		}
	case value.Type() == target.Type():
		target.Set(value)
	default:
		object := reflect.New(target.Type().Elem())
		object.Elem().Set(f.Below.blank)
		f.Below.Fill(object.Elem(), item)
		target.Set(object)
	}
}

// Places returns the fields that lack a value because the value at a path of a decoded item, or one
// of its elements, had the wrong type: paths of the names of fields (string) and the indexes of
// elements (int). The path consists of keys and of the indexes of elements. The value is the
// model's struct.
func (m *Model) Places(value reflect.Value, path []any) (places [][]any) {
	for i := range m.Fields {
		f := &m.Fields[i]
		places = f.addPlaces(places, value.Field(f.Index), path)
	}
	return places
}

func (f *ModelField) addPlaces(places [][]any, value reflect.Value, path []any) [][]any {
	for i := range f.Sources {
		keys := f.Sources[i].Keys
		n := 0
		for n < min(len(keys), len(path)) && path[n] == any(keys[n]) {
			n++
		}
		switch below := path[n:]; {
		case len(below) == 0 && f.lacks(value, i, n), f.Count && n == len(keys) && len(below) == 1:
			return append(places, []any{f.Name})
		case n < len(keys) || value.Kind() != reflect.Slice || len(below) == 0:
		case len(below) == 1:
			return append(places, []any{f.Name, below[0]})
		default:
			for _, place := range f.Below.Places(value.Index(below[0].(int)), below[1:]) {
				places = append(places, append([]any{f.Name, below[0]}, place...))
			}
		}
	}
	if f.Below != nil && !f.isList && !value.IsNil() {
		for _, place := range f.Below.Places(value.Elem(), path) {
			places = append(places, append([]any{f.Name}, place...))
		}
	}
	return places
}

// lacks reports whether a field has no value, or its default, because of a wrong value: that of a
// source, or that of an object, at depth n, that has the source. A wrong object that is a field
// itself does not count, because that field has the error. A source does not count if another one
// has a value.
func (f *ModelField) lacks(value reflect.Value, source, n int) bool {
	s := &f.Sources[source]
	return (n == len(s.Keys) || !s.isShown) && (len(f.Sources) == 1 || value.IsNil())
}
