package graph_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// difference describes how two responses differ in values, order or errors. It returns an empty
// string if they are equal.
func difference(got, want []byte) string {
	if sameJSON(got, want) {
		return ""
	}
	var g, w struct {
		Data, Extensions json.RawMessage
		Errors           []json.RawMessage
	}
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w)); err != nil {
		return fmt.Sprintf("a response is not JSON: %v: got %q, want %q", err, got, want)
	}
	switch {
	case !sameJSON(g.Data, w.Data):
		return fmt.Sprintf("data: got %s, want %s", g.Data, w.Data)
	case !sameJSON(g.Extensions, w.Extensions):
		return fmt.Sprintf("extensions: got %s, want %s", g.Extensions, w.Extensions)
	default:
		return fmt.Sprintf("errors: got %s, want %s", g.Errors, w.Errors)
	}
}

// sameJSON reports whether two JSON documents have the same tokens in the same order. Strings are
// compared after decoding. A malformed document is not equal to any other.
func sameJSON(a, b []byte) bool {
	if len(a)+len(b) > 0 && (!json.Valid(a) || !json.Valid(b)) {
		return false
	}
	for {
		a, b = bytes.TrimLeft(a, " \t\r\n"), bytes.TrimLeft(b, " \t\r\n")
		if len(a) == 0 || len(b) == 0 {
			return len(a) == len(b)
		}
		if a[0] != b[0] {
			return false
		}
		if a[0] != '"' {
			a, b = a[1:], b[1:]
			continue
		}
		endA, endB := stringEnd(a), stringEnd(b)
		if !bytes.Equal(a[:endA], b[:endB]) && !slices.Equal(codeUnits(a[1:endA-1]), codeUnits(b[1:endB-1])) {
			return false
		}
		a, b = a[endA:], b[endB:]
	}
}

// stringEnd returns the length of the string at the beginning of JSON.
func stringEnd(text []byte) int {
	i := 1
	for text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return i + 1
}

// codeUnits decodes a string to UTF-16, in which half of a surrogate pair differs from the
// replacement character.
func codeUnits(text []byte) []uint16 {
	var units []uint16
	for len(text) > 0 {
		switch {
		case text[0] != '\\':
			r, size := utf8.DecodeRune(text)
			units = utf16.AppendRune(units, r)
			text = text[size:]
		case text[1] == 'u':
			unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
			units = append(units, uint16(unit))
			text = text[6:]
		default:
			unit := uint16(text[1])
			if at := strings.IndexByte("bfnrt", text[1]); at >= 0 {
				unit = uint16("\b\f\n\r\t"[at])
			}
			units = append(units, unit)
			text = text[2:]
		}
	}
	return units
}

func TestSameJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b string
		want bool
	}{
		"equal bytes":                {a: `{"a":[1,"x"]}`, b: `{"a":[1,"x"]}`, want: true},
		"white space":                {a: ` { "a" : [ ] } `, b: `{"a":[]}`, want: true},
		"another spelling":           {a: `["\u0061/\u2028\ud83d\ude00"]`, b: "[\"a\\/\u2028😀\"]", want: true},
		"escapes":                    {a: `"\b\f\n\r\t\"\\\/"`, b: `"\u0008\u000c\u000a\u000d\u0009\u0022\u005C\u002f"`, want: true},
		"half of a surrogate pair":   {a: `"\ud83d"`, b: `"\ufffd"`},
		"another order of keys":      {a: `{"a":1,"b":2}`, b: `{"b":2,"a":1}`},
		"another string":             {a: `"a"`, b: `"b"`},
		"a shorter string":           {a: `["a"]`, b: `["ab"]`},
		"another spelling of a key":  {a: `{"\u0061":1}`, b: `{"a":1}`, want: true},
		"a number of equal value":    {a: `1.0`, b: `1`},
		"a longer list":              {a: `[1]`, b: `[1,1]`},
		"null and an empty document": {a: `null`, b: ``},
		"two empty documents":        {a: ``, b: ``, want: true},
		"malformed JSON":             {a: `{"a":}`, b: `{"a":}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sameJSON([]byte(test.a), []byte(test.b)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
