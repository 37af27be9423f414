// The tests are in the package itself: nobody else can use what a command holds.
package main

import (
	"os"
	"strings"
	"testing"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	sdl, err := os.ReadFile("../../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := newTables(string(sdl))
	if err != nil {
		t.Fatal(err)
	}
	text := document(tables, thisMachine())
	for _, table := range tables {
		if !strings.Contains(text, "## "+table.title+"\n") || len(table.rows) < 6 {
			t.Errorf("%s: got %d rows, in %.3000s", table.title, len(table.rows), text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 11 {
			t.Errorf("got %q, want ten columns", line)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0.194: "0.19", 9.996: "10.0", 99.96: "100", 999.6: "1,000", 5492: "5,492"} {
		if got := number(v); got != want {
			t.Errorf("number(%v): got %s, want %s", v, got, want)
		}
	}
}
