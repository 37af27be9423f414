// Command drift measures how many items a traversal of a changing list loses and repeats, and how
// many upstream calls it takes, with offset cursors and with cvmgraph's cursors. It writes
// docs/drift.md and docs/drift.svg. Run it in the root of the repository. Its output is
// deterministic.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

func main() { os.Exit(run(os.Stdout, os.Stderr)) }

// run returns the exit code.
func run(stdout, stderr io.Writer) int {
	rows, err := generate()
	if err != nil {
		fmt.Fprintln(stderr, "drift:", err)
		return 1
	}
	for _, c := range rows {
		if n := len(c.cvmgraph.inexact); n > 0 {
			fmt.Fprintf(stdout, "cvmgraph: %d %s between two pages: %d of %d traversals were not exact, the first with seed %d\n",
				c.rate, c.churn.name, n, c.cvmgraph.traversals, c.cvmgraph.inexact[0])
		}
	}
	return 0
}

// generate measures, writes the files, and returns all measurements.
func generate() ([]comparison, error) {
	table, err := measureTable()
	if err != nil {
		return nil, err
	}
	moves, err := measureReorders()
	if err != nil {
		return nil, err
	}
	curve, err := measureCurve()
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{"drift.md": document(table, moves, curve), "drift.svg": chart(curve).SVG()} {
		if err := os.WriteFile(filepath.Join("docs", name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	return slices.Concat(table, moves, curve), nil
}
