// Command scaling compares the formulas of docs/scaling.md with a simulation. It updates the table
// in docs/scaling.md and writes docs/scaling.svg. Run it in the root of the repository. Its output
// is deterministic.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Stderr)) }

func run(stderr io.Writer) int {
	if err := generate("docs"); err != nil {
		fmt.Fprintln(stderr, "scaling:", err)
		return 1
	}
	return 0
}

// generate runs the simulation and updates the files in a directory.
func generate(dir string) error {
	path := filepath.Join(dir, "scaling.md")
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document, err := withTable(string(old), scenarios())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(document), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "scaling.svg"), []byte(chart(curves()).SVG()), 0o644)
}
