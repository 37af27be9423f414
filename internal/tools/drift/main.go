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
)

func main() { os.Exit(run(os.Stdout, os.Stderr)) }

// run returns the exit code.
func run(stdout, stderr io.Writer) int {
	table, curve, err := generate()
	if err != nil {
		fmt.Fprintln(stderr, "drift:", err)
		return 1
	}
	for _, c := range append(table, curve...) {
		if n := len(c.cvmgraph.inexact); n > 0 {
			fmt.Fprintf(stdout, "cvmgraph: %d %s between two pages: %d of %d traversals were not exact, the first with seed %d\n",
				c.rate, c.churn.name, n, c.cvmgraph.traversals, c.cvmgraph.inexact[0])
		}
	}
	return 0
}

// generate measures and writes the files.
func generate() (table, curve []comparison, err error) {
	if table, err = measureTable(); err != nil {
		return nil, nil, err
	}
	if curve, err = measureCurve(); err != nil {
		return nil, nil, err
	}
	for name, content := range map[string]string{"drift.md": document(table, curve), "drift.svg": chart(curve).SVG()} {
		if err := os.WriteFile(filepath.Join("docs", name), []byte(content), 0o644); err != nil {
			return nil, nil, err
		}
	}
	return table, curve, nil
}
