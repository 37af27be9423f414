package restclient

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxDifferences is how many differences of a page are described.
	maxDifferences = 40
	// maxUnknown is how many unknown keys of one kind of object are told apart, and maxBeside how many are named with
	// a key that is missing.
	maxUnknown = 64
	maxBeside  = 8
	// maxName is the length of the longest key of the upstream's that is shown, and minSecret that of the shortest
	// text that is taken for a part of a credential.
	maxName   = 64
	minSecret = 8
	// unshown stands for keys that are not shown.
	unshown = "(not shown)"
)

// DifferenceKind says in which way something differs.
type DifferenceKind string

// The kinds of a [Difference].
const (
	// DifferenceMissing: a key that is promised is missing, or no object has a key that may be missing, and there are
	// unknown ones of its type beside it, as where it was renamed.
	DifferenceMissing DifferenceKind = "missing"
	// DifferenceChanged: a value is of another type than it should be.
	DifferenceChanged DifferenceKind = "changed"
	// DifferenceUnknown: a key is none that this package knows.
	DifferenceUnknown DifferenceKind = "unknown"
)

// Difference is one way in which pages differ from what this package decodes. It holds names of keys and of types, and no values.
type Difference struct {
	Kind DifferenceKind `json:"kind"`
	// Path leads from the document to the value, such as total or items[].hosted.events[].timestamp; "." is the document itself.
	// In place of an unknown key that is not made of at most 64 letters, digits and _.-, or is a part of a credential,
	// or is one too many, stands "(not shown)".
	Path string `json:"path"`
	// Want is the type that the value should have, such as "an integer of 32 bits"; "" for an unknown key.
	Want string `json:"want,omitempty"`
	// Got are the types that came, as JSON calls them, sorted; nil for a key that is missing or not shown.
	Got []string `json:"got,omitempty"`
	// Beside are unknown keys in the place of a missing one that may be its new name, sorted; nil for none.
	Beside []string `json:"beside,omitempty"`
	// Objects is in how many objects it is so (for the elements of a list, how many of them), and Of how many there are.
	Objects int `json:"objects"`
	Of      int `json:"of"`
}

// String describes the difference on one line.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s (", d.Kind, d.Path)
	switch got := strings.Join(d.Got, ", "); {
	case d.Kind == DifferenceChanged:
		fmt.Fprintf(&b, "should be %s, is %s; ", d.Want, got)
	case d.Want != "":
		fmt.Fprintf(&b, "%s; ", d.Want)
	case got != "":
		fmt.Fprintf(&b, "%s; ", got)
	}
	if len(d.Beside) > 0 {
		fmt.Fprintf(&b, "renamed to %s?; ", strings.Join(d.Beside, " or "))
	}
	fmt.Fprintf(&b, "%d of %d)", d.Objects, d.Of)
	return b.String()
}

// Comparison is how a page's document differs from what this package decodes.
type Comparison struct {
	// Items is how many objects there are in the list of items.
	Items int
	// Flat says that the items are those of another API version, as [ReasonFlatShape] does. That is one changed value then,
	// and what is in the items is not compared.
	Flat bool
	// Missing, Changed and Unknown are how many differences of these kinds there are.
	Missing, Changed, Unknown int
	// Differences describes the first 40 of them, in this order of kinds; nil for none.
	Differences []Difference
}

// Omitted returns how many differences there are that are not described.
func (c Comparison) Omitted() int { return c.Missing + c.Changed + c.Unknown - len(c.Differences) }

// contract is the document of a page, as it is promised.
type contract struct {
	Items    []Cvm  `json:"items" required:"true"`
	Total    *int64 `json:"total" required:"true"`
	Page     *int64 `json:"page" required:"true"`
	PageSize *int64 `json:"page_size" required:"true"`
	Pages    *int64 `json:"pages" required:"true"`
}

//nolint:gochecknoglobals // immutable, compiled once
var (
	contractShape = compile(reflect.TypeFor[contract]())
	contractItem  = contractShape.fields[0].shape
)

// Compare compares a page's document with what this package decodes: which keys are unknown, which are missing, and which values are of
// another type. A null is of any type, but for the document's own keys, and its key is there. Of equal keys the last one counts. The
// document is one that was fetched with the credential, no part of which is shown.
//
// It takes a few times as long as the decoding, and little memory, whatever the document. Its error is an *InvalidResponseError: the
// document is not JSON, truncated, or nested too deep.
func Compare(document []byte, credential Credential) (Comparison, error) {
	if !utf8.Valid(document) {
		return Comparison{}, invalid(ReasonNotJSON)
	}
	h := credential.Headers()
	c := comparer{reader: reader{data: document}, secrets: []string{h.Authorization, h.APIKey, h.Workspace}}
	first, err := c.peek()
	if err != nil {
		return Comparison{}, err
	}
	page := newTally(contractShape)
	page.strict = true
	if first == '{' {
		err = c.object(page)
	} else {
		err = c.skip()
	}
	if err == nil {
		err = c.end()
	}
	if err != nil {
		return Comparison{}, err
	}
	if first != '{' {
		return Comparison{Changed: 1, Differences: []Difference{
			{Kind: DifferenceChanged, Path: ".", Want: object.want(), Got: []string{typeOf(first).String()}, Objects: 1, Of: 1},
		}}, nil
	}
	return c.compared(page), nil
}

// jsonType is a type of JSON.
type jsonType uint8

const (
	jsonNull jsonType = iota
	jsonBoolean
	jsonNumber
	jsonString
	jsonArray
	jsonObject
	jsonTypes
)

func (t jsonType) String() string {
	return [jsonTypes]string{"null", "boolean", "number", "string", "array", "object"}[t]
}

// typeOf returns the type of a value that starts with c.
func typeOf(c byte) jsonType {
	switch c {
	case 'n':
		return jsonNull
	case 't', 'f':
		return jsonBoolean
	case '"':
		return jsonString
	case '[':
		return jsonArray
	case '{':
		return jsonObject
	}
	return jsonNumber
}

// takes tells whether some value of the type is one of the kind.
func (k kind) takes(t jsonType) bool {
	return k.startsWith([jsonTypes]byte{'n', 't', '0', '"', '[', '{'}[t])
}

// counts are how many values there are of each type.
type counts [jsonTypes]int

func (c counts) sum() (n int) {
	for _, of := range c {
		n += of
	}
	return n
}

// names returns the names of the types that there are, sorted.
func (c counts) names() (names []string) {
	for t, n := range c {
		if n > 0 {
			names = append(names, jsonType(t).String())
		}
	}
	slices.Sort(names)
	return names
}

// tally is what was seen of the objects at one path.
type tally struct {
	shape   *shape
	strict  bool // whether null is a type of its own
	objects int
	keys    []keyTally // by their places in the shape
	unknown map[string]*unknownTally
}

// keyTally is what was seen of one key.
type keyTally struct {
	present     int
	odd         counts // values of another type
	elements    int    // of the lists that are its values
	oddElements counts
	below       *tally // of the objects that are its values, or their elements
}

// unknownTally is what was seen of an unknown key.
type unknownTally struct {
	objects int
	types   counts
	// last is the object that had it last, counted from 1, and lastType the type of its value there.
	last     int
	lastType jsonType
}

func newTally(s *shape) *tally {
	t := &tally{shape: s, keys: make([]keyTally, len(s.fields))}
	for i, f := range s.fields {
		if f.shape != nil {
			t.keys[i].below = newTally(f.shape)
		}
	}
	return t
}

// comparer reads a document into tallies.
type comparer struct {
	reader
	secrets []string
	flat    bool // whether an item has a key that only other API versions have
}

// object reads an object twice: for its keys, and for the values of the last of each.
func (c *comparer) object(t *tally) error {
	if err := c.open(); err != nil {
		return err
	}
	t.objects++
	var begins [64]int // where the values of known keys do; 0 for none
	expected := 0
	for first := true; ; first = false {
		more, err := c.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := c.key()
		if err != nil {
			return err
		}
		begin, err := c.peek()
		if err != nil {
			return err
		}
		if place := t.shape.find(key, expected); place >= 0 {
			begins[place], expected = c.pos, place+1
		} else {
			c.note(t, key, typeOf(begin))
		}
		if err := c.skip(); err != nil {
			return err
		}
	}
	end := c.pos
	for place := range t.keys {
		if c.pos = begins[place]; c.pos > 0 {
			if err := c.value(&t.shape.fields[place], &t.keys[place], t.strict); err != nil {
				return err
			}
		}
	}
	c.pos = end
	return nil
}

// note takes down an unknown key.
func (c *comparer) note(t *tally, key []byte, value jsonType) {
	if t.shape == contractItem && slices.Contains(FlatKeys(), string(key)) {
		c.flat = true
	}
	u := t.unknown[string(key)]
	if u == nil {
		name := unshown
		if len(t.unknown) < maxUnknown && c.showable(key) {
			name = string(key)
		}
		if u = t.unknown[name]; u == nil {
			u = &unknownTally{}
			if t.unknown == nil {
				t.unknown = make(map[string]*unknownTally)
			}
			t.unknown[name] = u
		}
	}
	if u.last == t.objects {
		u.types[u.lastType]--
	} else {
		u.objects++
	}
	u.types[value]++
	u.last, u.lastType = t.objects, value
}

// showable tells whether a key may be shown.
func (c *comparer) showable(key []byte) bool {
	if len(key) == 0 || len(key) > maxName {
		return false
	}
	for _, b := range key {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '_' && b != '.' && b != '-' {
			return false
		}
	}
	for _, secret := range c.secrets {
		for part := range strings.FieldsSeq(secret) {
			if len(part) >= minSecret && strings.Contains(string(key), part) || len(key) >= minSecret && strings.Contains(part, string(key)) {
				return false
			}
		}
	}
	return true
}

// value reads the value of a key, whose grammar has been checked. It need not read it to its end.
func (c *comparer) value(f *field, k *keyTally, strict bool) error {
	k.present++
	switch begin := c.data[c.pos]; {
	case begin == 'n' && !strict:
		return nil
	case !f.kind.startsWith(begin):
		k.odd[typeOf(begin)]++
		return nil
	case startsNumber(begin):
		number, err := c.number()
		if n, ok := integer(number); !ok || f.kind == integer32 && n != int64(int32(n)) {
			k.odd[jsonNumber]++
		}
		return err
	case f.kind == object:
		return c.object(k.below)
	case f.kind == objects, f.kind == texts:
		return c.list(f, k)
	}
	return nil
}

// list reads a list.
func (c *comparer) list(f *field, k *keyTally) error {
	if err := c.open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := c.more(']', first)
		if err != nil || !more {
			return err
		}
		begin, err := c.peek()
		if err != nil {
			return err
		}
		k.elements++
		if !f.kind.element().startsWith(begin) {
			k.oddElements[typeOf(begin)]++
		} else if f.kind == objects {
			if err := c.object(k.below); err != nil {
				return err
			}
			continue
		}
		if err := c.skip(); err != nil {
			return err
		}
	}
}

// compared returns what was found in a document.
func (c *comparer) compared(page *tally) Comparison {
	items := page.keys[0].below
	found := findings{flat: c.flat && items.keys[items.shape.find([]byte("hosted"), 0)].present == 0}
	found.add(page, "")
	all := slices.Concat(found.missing, found.changed, found.unknown)
	return Comparison{
		Items: items.objects, Flat: found.flat,
		Missing: len(found.missing), Changed: len(found.changed), Unknown: len(found.unknown),
		Differences: all[:min(len(all), maxDifferences):min(len(all), maxDifferences)],
	}
}

// findings are differences by their kinds.
type findings struct {
	flat                      bool
	missing, changed, unknown []Difference
}

// add adds what is to be said of objects, and of those below them. The prefix of their keys' paths ends with a dot, or is empty.
func (s *findings) add(t *tally, prefix string) {
	for i, k := range t.keys {
		f := &t.shape.fields[i]
		path := prefix + f.key
		beside := t.beside(f.kind)
		if absent := t.objects - k.present; absent > 0 && (f.required || k.present == 0 && beside != nil) {
			s.missing = append(s.missing, Difference{
				Kind: DifferenceMissing, Path: path, Want: f.kind.want(), Beside: beside, Objects: absent, Of: t.objects,
			})
		}
		s.change(path, f.kind, k.odd, t.objects)
		if f.kind == objects || f.kind == texts {
			path += "[]"
			s.change(path, f.kind.element(), k.oddElements, k.elements)
		}
		switch {
		case f.shape == contractItem && s.flat:
			s.changed = append(s.changed, Difference{
				Kind: DifferenceChanged, Path: path, Want: "an item of API version " + DefaultAPIVersion, Got: []string{"flat shape of another one"},
				Objects: k.below.objects, Of: k.elements,
			})
		case f.shape != nil:
			s.add(k.below, path+".")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.unknown)) {
		u := t.unknown[key]
		d := Difference{Kind: DifferenceUnknown, Path: prefix + key, Objects: u.objects, Of: t.objects}
		if key != unshown {
			d.Got = u.types.names()
		}
		s.unknown = append(s.unknown, d)
	}
}

// change adds that values are of other types, if there are such.
func (s *findings) change(path string, want kind, odd counts, of int) {
	if n := odd.sum(); n > 0 {
		s.changed = append(s.changed, Difference{Kind: DifferenceChanged, Path: path, Want: want.want(), Got: odd.names(), Objects: n, Of: of})
	}
}

// beside returns the unknown keys that may be new names of one of the kind: those with a value of its type.
func (t *tally) beside(k kind) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(t.unknown)) {
		for value, n := range t.unknown[key].types {
			if n > 0 && k.takes(jsonType(value)) && key != unshown && len(keys) < maxBeside {
				keys = append(keys, key)
				break
			}
		}
	}
	return keys
}
