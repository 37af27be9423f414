package restclient_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

func TestCredentialIsNeverPrinted(t *testing.T) {
	t.Parallel()
	short := restclient.Credential{Authorization: "s3cret", APIKey: "s3cret", Workspace: "s3cret"}
	long := restclient.Credential{Authorization: strings.Repeat("s3cret", 100)}
	type holder struct {
		Cred    restclient.Credential
		Pointer *restclient.Credential
	}
	for name, render := range map[string]func(any) string{
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
				t.Error(err)
			}
			return string(encoded)
		},
		"slog text": func(v any) string { return logged(v, false) },
		"slog JSON": func(v any) string { return logged(v, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, values := range [][2]any{
				{short, long},
				{&short, &long},
				{[]restclient.Credential{short}, []restclient.Credential{long}},
				{map[string]restclient.Credential{"a": short}, map[string]restclient.Credential{"a": long}},
				{holder{Cred: short}, holder{Cred: long}},
			} {
				first, second := render(values[0]), render(values[1])
				if strings.Contains(first, "s3cret") || strings.Contains(first, "733363726574") {
					t.Errorf("got %s of a %T, want it redacted", first, values[0])
				}
				if first != second {
					t.Errorf("got %s and %s of two %T, want the same", first, second, values[0])
				}
			}
		})
	}
	if got := short.String() + short.GoString() + short.LogValue().String(); got != strings.Repeat("[redacted]", 3) {
		t.Errorf("got %s, want three times [redacted]", got)
	}
	if got, err := json.Marshal(map[restclient.Credential]int{short: 1}); err != nil || string(got) != `{"[redacted]":1}` {
		t.Errorf("got %s (%v), want the key redacted", got, err)
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

func TestCredentialIsZero(t *testing.T) {
	t.Parallel()
	for cred, want := range map[restclient.Credential]bool{
		{}:                          true,
		{Workspace: "team"}:         true,
		{Authorization: "Bearer t"}: false,
		{APIKey: "phak_x"}:          false,
	} {
		if got := cred.IsZero(); got != want {
			t.Errorf("got %t, want %t", got, want)
		}
	}
}
