package restclient_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"cvmgraph/restclient"
)

// renderings are ways to print a value.
var renderings = map[string]func(any) string{
	"%v":   func(v any) string { return fmt.Sprintf("%v", v) },
	"%+v":  func(v any) string { return fmt.Sprintf("%+v", v) },
	"%#v":  func(v any) string { return fmt.Sprintf("%#v", v) },
	"%s":   func(v any) string { return fmt.Sprintf("%s", v) },
	"%q":   func(v any) string { return fmt.Sprintf("%q", v) },
	"%x":   func(v any) string { return fmt.Sprintf("%x", v) },
	"%99d": func(v any) string { return fmt.Sprintf("%99d", v) },
	"json": func(v any) string {
		encoded, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(encoded)
	},
	"gob": func(v any) string {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(v); err != nil {
			return "" // a struct with unexported fields only
		}
		return b.String()
	},
	"xml": func(v any) string {
		encoded, err := xml.Marshal(v)
		if err != nil {
			return "" // a map
		}
		return string(encoded)
	},
	"yaml": func(v any) string {
		encoded, err := yaml.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(encoded)
	},
	"slog text": func(v any) string { return logged(v, false) },
	"slog JSON": func(v any) string { return logged(v, true) },
}

func TestCredential_neverPrinted(t *testing.T) {
	t.Parallel()
	short := restclient.NewCredential(restclient.Headers{Authorization: "s3cret", APIKey: "s3cret", Workspace: "s3cret"})
	long := restclient.NewCredential(restclient.Headers{Authorization: strings.Repeat("s3cret", 100)})
	type holder struct {
		Cred    restclient.Credential
		Pointer *restclient.Credential
		Any     any
	}
	type hiding struct { // fmt does not call the methods of values in unexported fields
		cred    restclient.Credential
		pointer *restclient.Credential
		any     any
		inner   struct{ list []restclient.Credential }
	}
	hide := func(c restclient.Credential) *hiding {
		h := &hiding{cred: c, pointer: &c, any: c}
		h.inner.list = []restclient.Credential{c}
		return h
	}
	for name, render := range renderings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, values := range [][2]any{
				{short, long},
				{&short, &long},
				{[]restclient.Credential{short}, []restclient.Credential{long}},
				{map[string]restclient.Credential{"a": short}, map[string]restclient.Credential{"a": long}},
				{holder{short, &short, short}, holder{long, &long, long}},
				{hide(short)},
				{*hide(short)},
				{map[string]any{"a": hide(short)}},
			} {
				first, second := render(values[0]), render(values[1])
				if strings.Contains(first, "s3cret") || strings.Contains(strings.ToLower(first), "733363726574") {
					t.Errorf("got %s of a %T, want it redacted", first, values[0])
				}
				if values[1] != nil && first != second {
					t.Errorf("got %s and %s of two %T, want the same", first, second, values[0])
				}
			}
		})
	}
	if got := short.String() + short.GoString() + short.LogValue().String(); got != strings.Repeat("[redacted]", 3) {
		t.Errorf("got %s, want three times [redacted]", got)
	}
}

func TestCredential_headers(t *testing.T) {
	t.Parallel()
	for _, want := range []restclient.Headers{{}, {Workspace: "team"}, {Authorization: "Bearer t", APIKey: "phak_x", Workspace: "team"}} {
		if got := restclient.NewCredential(want).Headers(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func logged(v any, asJSON bool) string {
	var b bytes.Buffer
	options := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	var handler slog.Handler = slog.NewTextHandler(&b, options)
	if asJSON {
		handler = slog.NewJSONHandler(&b, options)
	}
	slog.New(handler).Info("call", "credential", v)
	return b.String()
}

func TestCredential_isZero(t *testing.T) {
	t.Parallel()
	for headers, want := range map[restclient.Headers]bool{
		{}:                          true,
		{Workspace: "team"}:         true,
		{Authorization: "Bearer t"}: false,
		{APIKey: "phak_x"}:          false,
	} {
		if got := restclient.NewCredential(headers).IsZero(); got != want {
			t.Errorf("got %t, want %t", got, want)
		}
	}
}
