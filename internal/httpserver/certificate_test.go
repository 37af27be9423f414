package httpserver_test

import (
	"bytes"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/httpserver"
)

// setEqual makes the files have the same sizes and times for every certificate.
func (f files) setEqual(t *testing.T) {
	t.Helper()
	for _, name := range []string{f.cert, f.key} {
		content := must(os.ReadFile(name))
		f.write(t, name, append(content, bytes.Repeat([]byte("\n"), 2000-len(content))...), 0)
		at := time.Unix(1e9, 0)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// Configuration management sets the times of files, and certificates of one kind have equal sizes.
func TestCertificate_equalSizeAndTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(t)
		f.replace(t, 1)
		f.setEqual(t)
		c := must(httpserver.OpenCertificate(f.cert, f.key, nil))
		f.replace(t, 2)
		f.setEqual(t)
		<-time.After(2 * time.Second)
		if got := must(c.Get(nil)).Leaf.SerialNumber.Int64(); got != 2 {
			t.Errorf("got number %d, want 2", got)
		}
	})
}

// A missing file is logged once each time that it disappears.
func TestCertificate_missing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(t)
		f.replace(t, 1)
		cert := must(os.ReadFile(f.cert))
		var book logBook
		c := must(httpserver.OpenCertificate(f.cert, f.key, book.logger()))
		for want := 1; want <= 2; want++ {
			if err := os.Remove(f.cert); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				<-time.After(2 * time.Second)
				must(c.Get(nil))
			}
			if got := book.lines("TLS certificate not reloaded; using the previous one"); len(got) != want {
				t.Errorf("got %d lines, want %d", len(got), want)
			}
			f.write(t, f.cert, cert, 0)
			<-time.After(2 * time.Second)
			must(c.Get(nil))
		}
		if got := book.lines("TLS certificate reloaded"); len(got) != 0 {
			t.Errorf("got %v for the same certificate, want no line", got)
		}
	})
}
