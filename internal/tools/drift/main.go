// Command drift measures what paging through a changing list loses, repeats and costs, with cursors that are offsets and with
// ours. It writes docs/drift.md and docs/drift.svg below the current directory: run it from the root of the repository.
// The same program always writes the same files.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Stdout, os.Stderr)) }

// run writes the files. To out it tells where our traversals were not exact, with a seed to look into.
func run(out, errs io.Writer) int {
	table, err := measureTable()
	if err != nil {
		fmt.Fprintln(errs, "drift:", err)
		return 1
	}
	curve, err := measureCurve()
	if err != nil {
		fmt.Fprintln(errs, "drift:", err)
		return 1
	}
	for name, content := range map[string]string{"drift.md": document(table, curve), "drift.svg": plot(curve)} {
		if err := os.WriteFile(filepath.Join("docs", name), []byte(content), 0o644); err != nil {
			fmt.Fprintln(errs, "drift:", err)
			return 1
		}
	}
	for _, c := range append(table, curve...) {
		if n := len(c.ours.inexact); n > 0 {
			fmt.Fprintf(out, "cvmgraph: %s, %d a page: %d of %d traversals were not exact, the first with seed %d\n",
				c.churn.name, c.rate, n, c.ours.traversals, c.ours.inexact[0])
		}
	}
	return 0
}
