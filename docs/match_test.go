package docs_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// In the expected output of a command, … matches output that differs between runs. In JSON, it
// matches any value, the rest of an object, any elements of an array, or a part of a string or
// number; white space does not matter. In text, it matches a part of a line, or any lines if it is
// alone on a line.

// anything is the JSON string that replaces ….
const anything = "\x00…"

// matches returns an error that describes how the printed output differs from the expected output,
// or nil if it matches.
func matches(expected *block, printed string) error {
	if expected.language == "text" {
		return matchesText(expected.code, printed)
	}
	var want any
	if err := decode(withAnything(expected.code), &want); err != nil {
		return fmt.Errorf("the expected output is not JSON: %w", err)
	}
	var got any
	if err := decode(printed, &got); err != nil {
		return fmt.Errorf("the printed output is not JSON: %w", err)
	}
	return matchesValue("", want, got)
}

// decode decodes exactly one JSON document.
func decode(document string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return fmt.Errorf("got more than one JSON document")
	}
	return nil
}

// matchesText compares text line by line.
func matchesText(want, got string) error {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(partly(strings.TrimRight(line, " ")) + ` *\n`)
	}
	pattern.WriteString(`\z`)
	if !regexp.MustCompile(pattern.String()).MatchString(strings.TrimSpace(got) + "\n") {
		return fmt.Errorf("the lines differ")
	}
	return nil
}

// partly returns a pattern in which … matches any part of a line.
func partly(expected string) string {
	parts := strings.Split(expected, "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return strings.Join(parts, ".*")
}

// withAnything replaces … in a document, so that the result is valid JSON.
func withAnything(document string) string {
	var out strings.Builder
	var inside []rune // open braces and brackets
	quoted, escaped, value := false, false, false
	runes := []rune(document)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quoted:
			quoted = escaped || r != '"'
			escaped = !escaped && r == '\\'
			out.WriteRune(r)
			continue
		case r == '"':
			quoted = true
		case r == '{' || r == '[':
			inside, value = append(inside, r), false
		case r == '}' || r == ']':
			inside, value = inside[:max(len(inside)-1, 0)], false
		case r == ':':
			value = true
		case r == ',':
			value = false
		case r == '…' || r == '-' || '0' <= r && r <= '9':
			end := i
			for end < len(runes) && strings.ContainsRune("…-+.eE0123456789", runes[end]) {
				end++
			}
			token := string(runes[i:end])
			i = end - 1
			switch {
			case token == "…" && len(inside) > 0 && inside[len(inside)-1] == '{' && !value:
				out.WriteString(`"\u0000…": null`)
			case token == "…":
				out.WriteString(`"\u0000…"`)
			case strings.Contains(token, "…"):
				out.WriteString(`"\u0000` + token + `"`)
			default:
				out.WriteString(token)
			}
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// matchesValue compares JSON values. at is the path of the value, for errors.
func matchesValue(at string, want, got any) error {
	switch want := want.(type) {
	case string:
		if want == anything {
			return nil
		}
		text, ok := got.(string)
		if number, isNumber := got.(json.Number); isNumber && strings.HasPrefix(want, "\x00") {
			text, ok, want = number.String(), true, want[1:]
		}
		if ok && regexp.MustCompile(`(?s)\A`+partly(want)+`\z`).MatchString(text) {
			return nil
		}
	case map[string]any:
		if object, ok := got.(map[string]any); ok {
			return matchesObject(at, want, object)
		}
	case []any:
		if array, ok := got.([]any); ok {
			return matchesArray(at, want, array)
		}
	default:
		if reflect.DeepEqual(want, got) {
			return nil
		}
	}
	return fmt.Errorf("at %s: got %v, want %v", at+"/", got, want)
}

// matchesObject compares JSON objects.
func matchesObject(at string, want, got map[string]any) error {
	for name, value := range want {
		if name == anything {
			continue
		}
		if _, ok := got[name]; !ok {
			return fmt.Errorf("at %s: got no %s", at+"/", name)
		}
		if err := matchesValue(at+"/"+name, value, got[name]); err != nil {
			return err
		}
	}
	_, more := want[anything]
	for name := range got {
		if _, ok := want[name]; !ok && !more {
			return fmt.Errorf("at %s: got %s, which is not in the expected output", at+"/", name)
		}
	}
	return nil
}

// matchesArray compares JSON arrays. … matches as few elements as possible.
func matchesArray(at string, want, got []any) error {
	i := 0
	for ; i < len(want) && want[i] != anything; i++ {
		if i == len(got) {
			return fmt.Errorf("at %s: got %d elements, want more", at+"/", len(got))
		}
		if err := matchesValue(fmt.Sprintf("%s/%d", at, i), want[i], got[i]); err != nil {
			return err
		}
	}
	if i == len(want) {
		if i < len(got) {
			return fmt.Errorf("at %s: got %d elements, want %d", at+"/", len(got), len(want))
		}
		return nil
	}
	var err error
	for next := i; next <= len(got); next++ {
		if err = matchesArray(at+"/…", want[i+1:], got[next:]); err == nil {
			return nil
		}
	}
	return err
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		language, expected, printed string
		want                        bool
	}{
		"JSON with other line breaks":            {language: "json", expected: "{\n  \"a\": [1, 2]\n}", printed: `{"a":[1,2]}`, want: true},
		"another number":                         {language: "json", expected: `{"a": 1}`, printed: `{"a":2}`},
		"another string":                         {language: "json", expected: `{"a": "b"}`, printed: `{"a":"c"}`},
		"a string instead of a number":           {language: "json", expected: `{"a": 1}`, printed: `{"a":"1"}`},
		"a missing member":                       {language: "json", expected: `{"a": 1, "b": 2}`, printed: `{"a":1}`},
		"an extra member":                        {language: "json", expected: `{"a": 1}`, printed: `{"a":1,"b":2}`},
		"an extra element":                       {language: "json", expected: `[1]`, printed: `[1,2]`},
		"a missing element":                      {language: "json", expected: `[1, 2]`, printed: `[1]`},
		"any value":                              {language: "json", expected: `{"a": …, "b": 1}`, printed: `{"a":{"c":[]},"b":1}`, want: true},
		"any value for a missing member":         {language: "json", expected: `{"a": …}`, printed: `{}`},
		"the rest of an object":                  {language: "json", expected: `{"a": 1, …}`, printed: `{"a":1,"b":2}`, want: true},
		"the rest of another object":             {language: "json", expected: `{"a": 1, …}`, printed: `{"a":2,"b":2}`},
		"the rest of an array":                   {language: "json", expected: `[{"a": 1}, …]`, printed: `[{"a":1},2,3]`, want: true},
		"the rest of an array, too short":        {language: "json", expected: `[1, 2, …]`, printed: `[1]`},
		"elements in between":                    {language: "json", expected: `[1, …, 4, …]`, printed: `[1,2,3,4]`, want: true},
		"elements in between, one missing":       {language: "json", expected: `[1, …, 5, …]`, printed: `[1,2,3,4]`},
		"a part of a string":                     {language: "json", expected: `{"a": "Ax…"}`, printed: `{"a":"AxAb"}`, want: true},
		"a part of another string":               {language: "json", expected: `{"a": "Ax…"}`, printed: `{"a":"BxAb"}`},
		"a part of a number":                     {language: "json", expected: `{"a": 3…}`, printed: `{"a":301}`, want: true},
		"a part of another number":               {language: "json", expected: `{"a": 3…}`, printed: `{"a":299}`},
		"a part of a number instead of a string": {language: "json", expected: `{"a": 3…}`, printed: `{"a":"30"}`},
		"brackets in strings":                    {language: "json", expected: `{"a": "{[\"", "b": …}`, printed: `{"a":"{[\"","b":0}`, want: true},
		"two documents":                          {language: "json", expected: `1`, printed: `1 2`},
		"not JSON":                               {language: "json", expected: `1`, printed: `<html>`},
		"lines":                                  {language: "text", expected: "a\nb", printed: "a\nb\n", want: true},
		"other lines":                            {language: "text", expected: "a\nb", printed: "a\nc\n"},
		"an extra line":                          {language: "text", expected: "a", printed: "a\nb\n"},
		"a part of a line":                       {language: "text", expected: "took … ms", printed: "took 12 ms\n", want: true},
		"a part of a line with a line break":     {language: "text", expected: "took … ms", printed: "took\n12 ms\n"},
		"any lines":                              {language: "text", expected: "a\n…\nz", printed: "a\nb\nc\nz\n", want: true},
		"any lines at the end":                   {language: "text", expected: "a\n…", printed: "a\nb\nc\n", want: true},
		"regular expression syntax":              {language: "text", expected: "a.c (x)", printed: "abc (x)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := matches(&block{language: test.language, code: test.expected}, test.printed); (err == nil) != test.want {
				t.Errorf("got %v, want match %t", err, test.want)
			}
		})
	}
}
