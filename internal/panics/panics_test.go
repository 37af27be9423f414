package panics_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"cvmgraph/internal/panics"
)

// s3cret panics with its argument, so that a stack has seen it.
func s3cret(value any) { panic(value) }

func caught(f func()) (err *panics.Error) {
	defer func() { err = panics.FromRecover(recover()) }()
	f()
	return nil
}

func TestCaughtShowsTheKindAlone(t *testing.T) {
	t.Parallel()
	var none map[string]int
	for name, test := range map[string]struct {
		raise func()
		want  string
	}{
		"a text":               {func() { s3cret("phak_s3cret") }, "a value of type string"},
		"an error":             {func() { s3cret(errors.New("phak_s3cret")) }, "a value of type *errors.errorString"},
		"a struct":             {func() { s3cret(struct{ key string }{"phak_s3cret"}) }, "a value of type struct { key string }"},
		"bytes":                {func() { s3cret([]byte("phak_s3cret")) }, "a value of type []uint8"},
		"nil":                  {func() { s3cret(nil) }, "panic called with nil argument"},
		"an index":             {func() { _ = "phak_s3cret"[len(none)+20:] }, "runtime error: slice bounds out of range [20:11]"},
		"a nil map":            {func() { none["phak_s3cret"] = 1 }, "assignment to entry in nil map"},
		"a wrong type":         {func() { _ = any("phak_s3cret").(int) }, "interface conversion: interface {} is string, not int"},
		"a key without a hash": {func() { _ = map[any]int{}[[]string{"phak_s3cret"}] }, "hash of unhashable type: []string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := caught(test.raise)
			if err.Kind != test.want || err.Error() != "panic: "+test.want {
				t.Errorf("got %q and %q, want %q", err.Kind, err, test.want)
			}
			if !strings.Contains(err.Stack, "TestCaughtShowsTheKindAlone") {
				t.Errorf("got the stack %s, want where it was raised", err.Stack)
			}
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", err)
			for _, text := range []string{err.Error(), err.Stack, log.String(), fmt.Sprintf("%+v %#v", err, err)} {
				if strings.Contains(text, "phak_s3cret") {
					t.Errorf("got the value in %s", text)
				}
			}
			if !strings.Contains(log.String(), "error.panic=") || !strings.Contains(log.String(), "error.stack=") {
				t.Errorf("got %s in the log, want the kind and the stack", log.String())
			}
		})
	}
}
