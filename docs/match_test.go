package docs_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// What a page says that a command prints has … for what differs from run to run. In JSON it stands for any value, for the rest of an
// object, for any elements of an array, or for a part of a text or of a number; white space does not count. In text it stands for a part of a line, and alone
// on a line for any lines.

// anything is what … becomes in JSON.
const anything = "\x00…"

// matches says how what was printed differs from what a page says, nil where it does not.
func matches(said *block, printed string) error {
	if said.language == "text" {
		return matchesText(said.code, printed)
	}
	var want any
	if err := decode(withAnything(said.code), &want); err != nil {
		return fmt.Errorf("what the page says is not JSON: %w", err)
	}
	var got any
	if err := decode(printed, &got); err != nil {
		return fmt.Errorf("what was printed is not JSON: %w", err)
	}
	return matchesValue("", want, got)
}

func decode(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return fmt.Errorf("there is more than one document")
	}
	return nil
}

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
		return fmt.Errorf("got other lines")
	}
	return nil
}

// partly returns the pattern of a text in which … is any part of a line.
func partly(text string) string {
	parts := strings.Split(text, "…")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return strings.Join(parts, ".*")
}

// withAnything makes JSON of JSON with … in it.
func withAnything(text string) string {
	var out strings.Builder
	var inside []rune // braces and brackets that are open
	quoted, escaped, value := false, false, false
	runes := []rune(text)
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
			return fmt.Errorf("at %s: got %s, which the page does not have", at+"/", name)
		}
	}
	return nil
}

// matchesArray takes … for any elements, as few as there may be.
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
		language, said, printed string
		want                    bool
	}{
		"JSON in other lines":             {"json", "{\n  \"a\": [1, 2]\n}", `{"a":[1,2]}`, true},
		"another number":                  {"json", `{"a": 1}`, `{"a":2}`, false},
		"another text":                    {"json", `{"a": "b"}`, `{"a":"c"}`, false},
		"a text for a number":             {"json", `{"a": 1}`, `{"a":"1"}`, false},
		"a member that is missing":        {"json", `{"a": 1, "b": 2}`, `{"a":1}`, false},
		"a member too many":               {"json", `{"a": 1}`, `{"a":1,"b":2}`, false},
		"an element too many":             {"json", `[1]`, `[1,2]`, false},
		"an element that is missing":      {"json", `[1, 2]`, `[1]`, false},
		"any value":                       {"json", `{"a": …, "b": 1}`, `{"a":{"c":[]},"b":1}`, true},
		"any value, but it is missing":    {"json", `{"a": …}`, `{}`, false},
		"the rest of an object":           {"json", `{"a": 1, …}`, `{"a":1,"b":2}`, true},
		"the rest of an object, wrong":    {"json", `{"a": 1, …}`, `{"a":2,"b":2}`, false},
		"the rest of an array":            {"json", `[{"a": 1}, …]`, `[{"a":1},2,3]`, true},
		"the rest of an array, too short": {"json", `[1, 2, …]`, `[1]`, false},
		"elements between":                {"json", `[1, …, 4, …]`, `[1,2,3,4]`, true},
		"elements between, one missing":   {"json", `[1, …, 5, …]`, `[1,2,3,4]`, false},
		"a part of a text":                {"json", `{"a": "Ax…"}`, `{"a":"AxAb"}`, true},
		"a part of a text, wrong":         {"json", `{"a": "Ax…"}`, `{"a":"BxAb"}`, false},
		"a part of a number":              {"json", `{"a": 3…}`, `{"a":301}`, true},
		"a part of a number, wrong":       {"json", `{"a": 3…}`, `{"a":299}`, false},
		"a part of a number, for a text":  {"json", `{"a": 3…}`, `{"a":"30"}`, false},
		"brackets in texts":               {"json", `{"a": "{[\"", "b": …}`, `{"a":"{[\"","b":0}`, true},
		"two documents":                   {"json", `1`, `1 2`, false},
		"no JSON":                         {"json", `1`, `<html>`, false},
		"lines":                           {"text", "a\nb", "a\nb\n", true},
		"other lines":                     {"text", "a\nb", "a\nc\n", false},
		"a line too many":                 {"text", "a", "a\nb\n", false},
		"a part of a line":                {"text", "took … ms", "took 12 ms\n", true},
		"a part of a line, not two":       {"text", "took … ms", "took\n12 ms\n", false},
		"any lines":                       {"text", "a\n…\nz", "a\nb\nc\nz\n", true},
		"any lines at the end":            {"text", "a\n…", "a\nb\nc\n", true},
		"signs of patterns":               {"text", "a.c (x)", "abc (x)\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := matches(&block{language: test.language, code: test.said}, test.printed); (err == nil) != test.want {
				t.Errorf("got %v, want a match: %t", err, test.want)
			}
		})
	}
}
