// The tests are in package main because a command cannot be imported.
package main

import (
	"os"
	"strings"
	"testing"
)

func TestDocument_hasAllTables(t *testing.T) {
	t.Parallel()
	sdl, err := os.ReadFile("../../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := newTables(string(sdl))
	if err != nil {
		t.Fatal(err)
	}
	markdown := document(tables, thisMachine())
	for _, table := range tables {
		if !strings.Contains(markdown, "## "+table.title+"\n") || len(table.rows) < 6 {
			t.Errorf("%s: got %d rows, want at least 6, in %.3000s", table.title, len(table.rows), markdown)
		}
	}
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 11 {
			t.Errorf("got %q, want 10 columns", line)
		}
	}
}

func TestNumber_precision(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0.194: "0.19", 9.996: "10.0", 99.96: "100", 999.6: "1,000", 5492: "5,492"} {
		if got := number(v); got != want {
			t.Errorf("number(%v): got %s, want %s", v, got, want)
		}
	}
}
