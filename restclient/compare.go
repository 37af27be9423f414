package restclient

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cvmgraph/internal/wire"
)

const (
	// maxUnknown is the maximum number of unknown keys of one kind of object that are counted
	// separately.
	maxUnknown = 64
	// maxName is the maximum length of an unknown key that is shown.
	maxName = 64
	// minSecret is the minimum length of a string that counts as a part of a credential.
	minSecret = 8
)

// Compare compares the document of a page with the wire types. It finds unknown keys, missing keys,
// and values of another type. A null is allowed for every key except the keys of the document
// itself, and counts as present. Of equal keys, the last one counts. The credential is the one the
// document was fetched with; no part of it is shown.
//
// It takes a few times as long as decoding, and its memory does not depend on the document. Its
// error is an *InvalidResponseError: the document is not JSON, truncated, or nested too deeply.
func (s Shape) Compare(body []byte, credential Credential) (Comparison, error) {
	if !utf8.Valid(body) {
		return Comparison{}, invalidResponse(ReasonNotJSON)
	}
	h := credential.Headers()
	c := comparer{Scanner: wire.Scanner{Data: body}, shapeTables: s.tables(), secrets: []string{h.Authorization, h.APIKey, h.Workspace}}
	first := c.Peek()
	counted := newTally(c.document)
	counted.strict = true
	read := c.Skip
	if first == '{' {
		read = func() bool { return c.object(counted) }
	}
	if !read() || !c.End() {
		return Comparison{}, scanError(c.Failure)
	}
	if first != '{' {
		return Comparison{Changed: 1, Differences: []Difference{{
			Kind: DifferenceChanged, Path: ".", Want: wire.Object.String(), Got: []string{typeOf(first).String()}, Objects: 1, Of: 1,
		}}}, nil
	}
	return newComparison(&c, counted), nil
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
	jsonTypes // the number of types
)

func (t jsonType) String() string {
	return [jsonTypes]string{"null", "boolean", "number", "string", "array", "object"}[t]
}

// fits reports whether some value of the type is one of the kind.
func (t jsonType) fits(k wire.Kind) bool {
	return k.StartsWith([jsonTypes]byte{'n', 't', '0', '"', '[', '{'}[t])
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

// typeCounts is the number of values of each type.
type typeCounts [jsonTypes]int

func (c typeCounts) sum() (n int) {
	for _, of := range c {
		n += of
	}
	return n
}

// names returns the names of the types with a value, sorted.
func (c typeCounts) names() (names []string) {
	for t, n := range c {
		if n > 0 {
			names = append(names, jsonType(t).String())
		}
	}
	slices.Sort(names)
	return names
}

// tally counts what the objects at one path have.
type tally struct {
	shape   *wire.Shape
	strict  bool // null is not allowed
	objects int
	keys    []keyTally // by index of the key's field
	unknown map[string]*unknownTally
}

// keyTally counts the values of one key.
type keyTally struct {
	present            int
	mismatched         typeCounts // values of another type
	elements           int        // of the lists that are values
	mismatchedElements typeCounts
	below              *tally // of the objects that are values or elements
}

// unknownTally counts the values of an unknown key.
type unknownTally struct {
	objects int
	types   typeCounts
	// last is the number of the last object that had the key, from 1, and lastType is the type of
	// the value there.
	last     int
	lastType jsonType
}

func newTally(s *wire.Shape) *tally {
	t := &tally{shape: s, keys: make([]keyTally, len(s.Fields))}
	for i, f := range s.Fields {
		if f.Shape != nil {
			t.keys[i].below = newTally(f.Shape)
		}
	}
	return t
}

// comparer counts a document's keys and values in tallies.
type comparer struct {
	wire.Scanner
	*shapeTables
	secrets []string
	others  int // items of another shape
}

// object counts an object's keys, and then the last value of each known key.
func (c *comparer) object(t *tally) bool {
	if !c.Open() {
		return false
	}
	t.objects++
	var starts [64]int // positions of the values of known keys; 0 for none
	expected, isItem := 0, t.shape == c.item()
	var keys uint64 // of an item
	for first := true; ; first = false {
		more, ok := c.More('}', first)
		if !ok {
			return false
		}
		if !more {
			break
		}
		key, ok := c.Key()
		if !ok {
			return false
		}
		start := c.Peek()
		if at := t.shape.Find(key, expected); at >= 0 {
			starts[at], expected = c.Pos, at+1
			keys |= 1 << at
		} else {
			if at := c.Item.Find(key, 0); isItem && at >= 0 {
				keys |= 1 << at
			}
			c.countUnknown(t, key, typeOf(start))
		}
		if !c.Skip() {
			return false
		}
	}
	if isItem && c.IsOther(keys) {
		c.others++
	}
	end := c.Pos
	for at := range t.keys {
		if c.Pos = starts[at]; c.Pos > 0 && !c.value(&t.shape.Fields[at], &t.keys[at], t.strict) {
			return false
		}
	}
	c.Pos = end
	return true
}

// countUnknown counts a value of an unknown key.
func (c *comparer) countUnknown(t *tally, key []byte, value jsonType) {
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

// showable reports whether a key may be shown.
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
			if len(part) >= minSecret && strings.Contains(string(key), part) ||
				len(key) >= minSecret && strings.Contains(part, string(key)) {
				return false
			}
		}
	}
	return true
}

// value counts the value of a key. Its grammar has been checked, so it need not be read to its end.
func (c *comparer) value(f *wire.Field, k *keyTally, strict bool) bool {
	k.present++
	switch first := c.Data[c.Pos]; {
	case first == 'n' && !strict, f.Kind == wire.Skipped:
	case !f.Kind.StartsWith(first):
		k.mismatched[typeOf(first)]++
	case wire.StartsNumber(first), f.Kind == wire.IntegerText:
		start := c.Pos
		c.Skip()
		if _, ok := f.Kind.Integer(c.Data[start:c.Pos]); !ok {
			k.mismatched[typeOf(first)]++
		}
	case f.Kind == wire.Object:
		return c.object(k.below)
	case f.Kind == wire.Objects, f.Kind == wire.Strings:
		return c.list(f, k)
	}
	return true
}

// list counts the elements of a list.
func (c *comparer) list(f *wire.Field, k *keyTally) bool {
	if !c.Open() {
		return false
	}
	for first := true; ; first = false {
		more, ok := c.More(']', first)
		if !ok || !more {
			return ok
		}
		start := c.Peek()
		k.elements++
		if !f.Kind.Element().StartsWith(start) {
			k.mismatchedElements[typeOf(start)]++
		} else if f.Kind == wire.Objects {
			if !c.object(k.below) {
				return false
			}
			continue
		}
		if !c.Skip() {
			return false
		}
	}
}
