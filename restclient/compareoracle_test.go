package restclient_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"

	"cvmgraph/restclient"
)

// The oracle compares slowly and simply: it decodes into any, collects all objects at a path, and
// looks up each key in all of them.

// oraclePageKeys has the keys of the document itself.
type oraclePageKeys[Item any] struct {
	Items    []Item `json:"items" required:"true"`
	Total    *int64 `json:"total" required:"true"`
	Page     *int64 `json:"page" required:"true"`
	PageSize *int64 `json:"page_size" required:"true"`
	Pages    *int64 `json:"pages" required:"true"`
}

// oracleCompare returns the expected comparison. It returns false if the document is not JSON, or
// has more unknown keys than are counted separately.
func oracleCompare(shape restclient.Shape, document []byte) (restclient.Comparison, bool) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var page any
	if decoder.Decode(&page) != nil {
		return restclient.Comparison{}, false
	}
	o := contractOracle{small: true}
	object, isObject := page.(map[string]any)
	if !isObject {
		o.changed = append(o.changed, restclient.Difference{
			Kind: restclient.DifferenceChanged, Path: ".", Want: "an object", Got: []string{oracleType(page)}, Objects: 1, Of: 1,
		})
		return o.comparison(), true
	}
	list, _ := object["items"].([]any)
	for _, entry := range list {
		if item, isObject := entry.(map[string]any); isObject {
			o.items++
			if oracleIsOther(shape, item) {
				o.others++
			}
		}
	}
	o.versions = "2025-10-28"
	keys := reflect.TypeFor[oraclePageKeys[restclient.Cvm]]()
	if shape == restclient.ShapeFlat {
		o.versions = "2026-01-21 or later"
		keys = reflect.TypeFor[oraclePageKeys[restclient.FlatCvm]]()
	}
	o.compare(keys, "", []map[string]any{object})
	return o.comparison(), o.small
}

type contractOracle struct {
	items, others             int
	small                     bool
	versions                  string // of the shape
	missing, changed, unknown []restclient.Difference
}

func (o *contractOracle) comparison() restclient.Comparison {
	all := slices.Concat(o.missing, o.changed, o.unknown)
	return restclient.Comparison{
		Items: o.items, OtherShape: o.others > 0, Missing: len(o.missing), Changed: len(o.changed), Unknown: len(o.unknown), Differences: all[:min(40, len(all))],
	}
}

// compare compares all objects at a path with a struct type.
func (o *contractOracle) compare(of reflect.Type, prefix string, all []map[string]any) {
	known := map[string]bool{}
	for i := range of.NumField() {
		known[of.Field(i).Tag.Get("json")] = true
		known[of.Field(i).Tag.Get("skipped")] = true
	}
	delete(known, "-")
	delete(known, "")
	unknown := oracleUnknown(known, all)
	if len(unknown) > 64 {
		o.small = false
	}
	for i := range of.NumField() {
		member := of.Field(i)
		key := member.Tag.Get("json")
		if key == "-" || key == "" { // a skipped key can have any value, or none
			continue
		}
		path := prefix + key
		var values []any
		present := 0
		for _, object := range all {
			if value, has := object[key]; has {
				present++
				if value != nil || prefix == "" {
					values = append(values, value)
				}
			}
		}
		want := oracleWant(member)
		candidates := oracleCandidates(want, unknown)
		if absent := len(all) - present; absent > 0 && (member.Tag.Get("required") == "true" || present == 0 && candidates != nil) {
			o.missing = append(o.missing, restclient.Difference{
				Kind: restclient.DifferenceMissing, Path: path, Want: want, Candidates: candidates, Objects: absent, Of: len(all),
			})
		}
		fitting := o.change(path, want, values, len(all))
		switch want {
		case "a list":
			var elements []any
			for _, list := range fitting {
				elements = append(elements, list.([]any)...)
			}
			element, path := "a string", path+"[]"
			if member.Type.Elem().Kind() == reflect.Struct {
				element = "an object"
			}
			fitting = o.change(path, element, elements, len(elements))
			if path == "items[]" && o.others > 0 {
				o.changed = append(o.changed, restclient.Difference{
					Kind: restclient.DifferenceChanged, Path: path, Want: "an item of API version " + o.versions, Got: []string{"an item of another version"},
					Objects: o.others, Of: len(elements),
				})
			} else if element == "an object" {
				o.compare(member.Type.Elem(), path+".", oracleObjectsOf(fitting))
			}
		case "an object":
			o.compare(member.Type.Elem(), path+".", oracleObjectsOf(fitting))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		d := restclient.Difference{Kind: restclient.DifferenceUnknown, Path: prefix + key, Objects: unknown[key].objects, Of: len(all)}
		if key != "(not shown)" {
			d.Got = slices.Sorted(maps.Keys(unknown[key].types))
		}
		o.unknown = append(o.unknown, d)
	}
}

// change records the values of another type than wanted, and returns the others.
func (o *contractOracle) change(path, want string, values []any, of int) (fitting []any) {
	odd, types := 0, map[string]bool{}
	for _, value := range values {
		if oracleFits(want, value) {
			fitting = append(fitting, value)
			continue
		}
		odd++
		types[oracleType(value)] = true
	}
	if odd > 0 {
		o.changed = append(o.changed, restclient.Difference{
			Kind: restclient.DifferenceChanged, Path: path, Want: want, Got: slices.Sorted(maps.Keys(types)), Objects: odd, Of: of,
		})
	}
	return fitting
}

var oracleName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

type unknownKey struct {
	objects int
	types   map[string]bool
}

// oracleUnknown returns the unknown keys of objects.
func oracleUnknown(known map[string]bool, all []map[string]any) map[string]*unknownKey {
	found := map[string]*unknownKey{}
	for _, object := range all {
		counted := map[string]bool{}
		for key, value := range object {
			if known[key] {
				continue
			}
			if !oracleName.MatchString(key) {
				key = "(not shown)"
			}
			if found[key] == nil {
				found[key] = &unknownKey{types: map[string]bool{}}
			}
			if !counted[key] {
				counted[key] = true
				found[key].objects++
			}
			found[key].types[oracleType(value)] = true
		}
	}
	return found
}

func oracleCandidates(want string, unknown map[string]*unknownKey) (keys []string) {
	types := map[string][]string{
		"a string": {"string"}, "a string or an integer": {"string", "number"}, "an integer of 32 bits": {"number"},
		"an integer of 64 bits": {"number"}, "an integer of 32 bits as a string": {"string", "number"}, "a number of gigabytes": {"number"},
		"true or false": {"boolean"}, "an object": {"object"}, "a list": {"array"},
	}[want]
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		fits := false
		for _, name := range types {
			fits = fits || unknown[key].types[name]
		}
		if fits && key != "(not shown)" && len(keys) < 8 {
			keys = append(keys, key)
		}
	}
	return keys
}

func oracleWant(member reflect.StructField) string {
	switch reflect.Zero(member.Type).Interface().(type) {
	case *string:
		if member.Tag.Get("wire") == "identifier" {
			return "a string or an integer"
		}
		return "a string"
	case *int32:
		if member.Tag.Get("wire") == "text" {
			return "an integer of 32 bits as a string"
		}
		if member.Tag.Get("wire") == "gigabytes" {
			return "a number of gigabytes"
		}
		return "an integer of 32 bits"
	case *int64:
		return "an integer of 64 bits"
	case bool, *bool:
		return "true or false"
	}
	if member.Type.Kind() == reflect.Slice {
		return "a list"
	}
	return "an object"
}

func oracleFits(want string, value any) bool {
	switch want {
	case "an integer of 32 bits as a string":
		_, ok := oracleIntegerText(value)
		return ok
	case "a number of gigabytes":
		_, ok := oracleMegabytes(value)
		return ok
	}
	n, isInteger := oracleInteger(value)
	switch value.(type) {
	case string:
		return want == "a string" || want == "a string or an integer"
	case json.Number:
		return isInteger && (want == "an integer of 32 bits" && n == int64(int32(n)) || want == "an integer of 64 bits" || want == "a string or an integer")
	case bool:
		return want == "true or false"
	case []any:
		return want == "a list"
	case map[string]any:
		return want == "an object"
	}
	return false
}

func oracleType(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

func oracleObjectsOf(values []any) (objects []map[string]any) {
	for _, value := range values {
		objects = append(objects, value.(map[string]any))
	}
	return objects
}
