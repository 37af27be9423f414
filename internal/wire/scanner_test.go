package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"cvmgraph/internal/wire"
)

// skipDocument skips a document, and returns the failure or 0.
func skipDocument(document string) wire.Failure {
	s := wire.Scanner{Data: []byte(document)}
	if s.Skip() && s.End() {
		return 0
	}
	return s.Failure
}

func TestScanner_skip(t *testing.T) {
	t.Parallel()
	const depth = 512
	for name, test := range map[string]struct {
		document string
		want     wire.Failure
	}{
		"an object":                   {document: ` { "a" : [ 1 , -2.5e+3 , null ] , "b" : { } } `},
		"a string with escapes":       {document: `"\" \\ \/ \u00e9 \ud83d\ude00 é"`},
		"a long string":               {document: `"` + strings.Repeat("0123456789", 10) + `\n"`},
		"the maximum depth":           {document: strings.Repeat("[", depth) + strings.Repeat("]", depth)},
		"one level too deep":          {document: strings.Repeat("[", depth+1) + strings.Repeat("]", depth+1), want: wire.TooDeep},
		"nothing":                     {document: ``, want: wire.Truncated},
		"a list without its end":      {document: `[1, 2`, want: wire.Truncated},
		"a key without its value":     {document: `{"a":`, want: wire.Truncated},
		"a string without its end":    {document: `"a`, want: wire.Truncated},
		"a literal without its end":   {document: `tru`, want: wire.Truncated},
		"an escape without its end":   {document: `"\u00e`, want: wire.Truncated},
		"a number without its digits": {document: `-`, want: wire.Truncated},
		"a second document":           {document: `{} {}`, want: wire.NotJSON},
		"a comma before the end":      {document: `[1,]`, want: wire.NotJSON},
		"a key without quotes":        {document: `{a: 1}`, want: wire.NotJSON},
		"another literal":             {document: `nil`, want: wire.NotJSON},
		"a leading zero":              {document: `01`, want: wire.NotJSON},
		"an unknown escape":           {document: `"\x"`, want: wire.NotJSON},
		"a control character":         {document: "\"a\nb\"", want: wire.NotJSON},
		"a wrong UTF-8 sequence":      {document: "\"\xff\"", want: wire.NotJSON},
	} {
		if got := skipDocument(test.document); got != test.want {
			t.Errorf("%s: got failure %d, want %d", name, got, test.want)
		}
	}
}

// FuzzScanner_skip compares the documents that a Scanner accepts with those of encoding/json.
func FuzzScanner_skip(f *testing.F) {
	for _, document := range []string{
		`{"a":[1,-2.5e+3,null,true,false],"b":{}}`, `"\ud83d\ude00 \n é"`, ` [ ] `, `[1,]`, `01`, `1.`, `"\x"`, `"\u12"`, "\"\xff\"", `{"a"}`, ``,
	} {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		got := skipDocument(document)
		if got == wire.TooDeep {
			return // encoding/json has a higher limit
		}
		if want := json.Valid([]byte(document)) && utf8.ValidString(document); (got == 0) != want {
			t.Errorf("%q: got failure %d, want valid: %v", document, got, want)
		}
	})
}
