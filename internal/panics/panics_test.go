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

// s3cret panics with its argument, so that the stack contains a call with the secret.
func s3cret(value any) { panic(value) }

func recovered(f func()) (err *panics.Error) {
	defer func() { err = panics.FromRecover(recover()) }()
	f()
	return nil
}

func TestFromRecover_omitsValue(t *testing.T) {
	t.Parallel()
	var none map[string]int
	for name, test := range map[string]struct {
		raise func()
		want  string
	}{
		"a string":             {raise: func() { s3cret("phak_s3cret") }, want: "a value of type string"},
		"an error":             {raise: func() { s3cret(errors.New("phak_s3cret")) }, want: "a value of type *errors.errorString"},
		"a struct":             {raise: func() { s3cret(struct{ key string }{key: "phak_s3cret"}) }, want: "a value of type struct { key string }"},
		"bytes":                {raise: func() { s3cret([]byte("phak_s3cret")) }, want: "a value of type []uint8"},
		"nil":                  {raise: func() { s3cret(nil) }, want: "panic called with nil argument"},
		"an index":             {raise: func() { _ = "phak_s3cret"[len(none)+20:] }, want: "runtime error: slice bounds out of range [20:11]"},
		"a nil map":            {raise: func() { none["phak_s3cret"] = 1 }, want: "assignment to entry in nil map"},
		"a wrong type":         {raise: func() { _ = any("phak_s3cret").(int) }, want: "interface conversion: interface {} is string, not int"},
		"a key without a hash": {raise: func() { _ = map[any]int{}[[]string{"phak_s3cret"}] }, want: "hash of unhashable type: []string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := recovered(test.raise)
			if err.Kind != test.want || err.Error() != "panic: "+test.want {
				t.Errorf("got %q and %q, want %q", err.Kind, err, test.want)
			}
			if !strings.Contains(err.Stack, "TestFromRecover_omitsValue") {
				t.Errorf("got the stack %s, want the test in it", err.Stack)
			}
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", err)
			for _, output := range []string{err.Error(), err.Stack, log.String(), fmt.Sprintf("%+v %#v", err, err)} {
				if strings.Contains(output, "phak_s3cret") {
					t.Errorf("got the panic value in %s", output)
				}
			}
			if !strings.Contains(log.String(), "error.panic=") || !strings.Contains(log.String(), "error.stack=") {
				t.Errorf("got %s in the log, want the kind and the stack", log.String())
			}
		})
	}
}
