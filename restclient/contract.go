package restclient

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cvmgraph/internal/wire"
)

const (
	// maxDifferences is the maximum number of differences that are described.
	maxDifferences = 40
	// maxCandidates is the maximum number of unknown keys that are named with a missing one.
	maxCandidates = 8
	// unshown replaces keys that are not shown.
	unshown = "(not shown)"
)

// DifferenceKind is the way in which a page differs.
type DifferenceKind string

// The kinds of a [Difference].
const (
	// DifferenceMissing means that a promised key is missing. It also means that no object has an
	// optional key, if there are unknown keys with values of its type: the key was probably
	// renamed.
	DifferenceMissing DifferenceKind = "missing"
	// DifferenceChanged means that a value has another type than expected.
	DifferenceChanged DifferenceKind = "changed"
	// DifferenceUnknown means that this package does not know a key.
	DifferenceUnknown DifferenceKind = "unknown"
)

// Difference is one way in which a page differs from the wire types. It holds names of keys and
// types, and no values.
type Difference struct {
	Kind DifferenceKind `json:"kind"`
	// Path leads from the document to the value, such as total or
	// items[].hosted.events[].timestamp. The path of the document itself is ".". An unknown key is
	// replaced by "(not shown)" if it is not made of at most 64 letters, digits and _.-, if it
	// contains a part of the credential, or if there are too many unknown keys.
	Path string `json:"path"`
	// Want is the expected type, such as "an integer of 32 bits". It is "" for an unknown key.
	Want string `json:"want,omitempty"`
	// Got are the JSON types that were found, sorted. It is nil for a key that is missing or not
	// shown.
	Got []string `json:"got,omitempty"`
	// Candidates are unknown keys of the same objects that may be the new name of a missing key,
	// sorted.
	Candidates []string `json:"candidates,omitempty"`
	// Objects is the number of objects, or elements of a list, with the difference. Of is the
	// number of all of them.
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
	if len(d.Candidates) > 0 {
		fmt.Fprintf(&b, "renamed to %s?; ", strings.Join(d.Candidates, " or "))
	}
	fmt.Fprintf(&b, "%d of %d)", d.Objects, d.Of)
	return b.String()
}

// Comparison is the result of [Compare].
type Comparison struct {
	// Items is the number of objects in the list of items.
	Items int
	// OtherShape reports whether items have the shape of another API version: see
	// [ReasonOtherShape]. That counts as one changed value, and the content of the items is not
	// compared.
	OtherShape bool
	// Missing, Changed and Unknown are the numbers of differences of these kinds.
	Missing, Changed, Unknown int
	// Differences describes the first 40 differences: missing keys, then changed values, then
	// unknown keys.
	Differences []Difference
}

// Omitted returns the number of differences that are not described.
func (c Comparison) Omitted() int { return c.Missing + c.Changed + c.Unknown - len(c.Differences) }

// newComparison describes what a comparer has counted.
func newComparison(c *comparer, document *tally) Comparison {
	items := document.keys[0].below
	r := report{shapeTables: c.shapeTables, others: c.others}
	r.add(document, "")
	all := slices.Concat(r.missing, r.changed, r.unknown)
	described := min(len(all), maxDifferences)
	return Comparison{
		Items: items.objects, OtherShape: r.others > 0,
		Missing: len(r.missing), Changed: len(r.changed), Unknown: len(r.unknown),
		Differences: all[:described:described],
	}
}

// report collects differences by kind.
type report struct {
	*shapeTables
	others                    int // items of another shape
	missing, changed, unknown []Difference
}

// add adds the differences of objects and of the objects below them. The prefix of their keys'
// paths is empty or ends with a dot.
func (r *report) add(t *tally, prefix string) {
	for i, k := range t.keys {
		f := &t.shape.Fields[i]
		path := prefix + f.Key
		candidates := t.candidates(f.Kind)
		if absent := t.objects - k.present; absent > 0 && (f.Required || k.present == 0 && candidates != nil) {
			r.missing = append(r.missing, Difference{
				Kind: DifferenceMissing, Path: path, Want: f.Kind.String(), Candidates: candidates, Objects: absent, Of: t.objects,
			})
		}
		r.addChanged(path, f.Kind, k.mismatched, t.objects)
		if f.Kind == wire.Objects || f.Kind == wire.Strings {
			path += "[]"
			r.addChanged(path, f.Kind.Element(), k.mismatchedElements, k.elements)
		}
		switch {
		case f.Shape == r.item() && r.others > 0:
			r.changed = append(r.changed, Difference{
				Kind: DifferenceChanged, Path: path, Want: "an item of API version " + r.versions,
				Got: []string{"an item of another version"}, Objects: r.others, Of: k.elements,
			})
		case f.Shape != nil:
			r.add(k.below, path+".")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.unknown)) {
		u := t.unknown[key]
		d := Difference{Kind: DifferenceUnknown, Path: prefix + key, Objects: u.objects, Of: t.objects}
		if key != unshown {
			d.Got = u.types.names()
		}
		r.unknown = append(r.unknown, d)
	}
}

// addChanged adds a difference if there are values of other types.
func (r *report) addChanged(path string, want wire.Kind, mismatched typeCounts, of int) {
	if n := mismatched.sum(); n > 0 {
		r.changed = append(r.changed, Difference{
			Kind: DifferenceChanged, Path: path, Want: want.String(), Got: mismatched.names(), Objects: n, Of: of,
		})
	}
}

// candidates returns the unknown keys that may be new names of a key of the kind: those with a
// value of its type.
func (t *tally) candidates(k wire.Kind) (keys []string) {
	if k == wire.Skipped { // nothing is missing without it
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(t.unknown)) {
		for value, n := range t.unknown[key].types {
			if n > 0 && jsonType(value).fits(k) && key != unshown && len(keys) < maxCandidates {
				keys = append(keys, key)
				break
			}
		}
	}
	return keys
}
