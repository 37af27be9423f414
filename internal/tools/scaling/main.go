// Command scaling compares the arithmetic of docs/scaling.md with a simulation. It writes the tables of that file, between marks,
// and docs/scaling.svg below the current directory: run it from the root of the repository. The same program always writes the
// same figures.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Stderr)) }

func run(errs io.Writer) int {
	if err := write("docs"); err != nil {
		fmt.Fprintln(errs, "scaling:", err)
		return 1
	}
	return 0
}

// write measures, and writes what it measured into the files of a directory.
func write(dir string) error {
	path := filepath.Join(dir, "scaling.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document, err := withTable(string(text), scenarios())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(document), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "scaling.svg"), []byte(plot(curves())), 0o644)
}
