// Command leaves updates the table in docs/versions.md: each field of a CVM, with its source and
// its value in each shape. The values are those of the same CVM in both shapes. Run it in the root
// of the repository. Its output is deterministic.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() { os.Exit(run(os.Stderr)) }

func run(stderr io.Writer) int {
	if err := generate("."); err != nil {
		fmt.Fprintln(stderr, "leaves:", err)
		return 1
	}
	return 0
}

// generate updates the document in a clone of the repository.
func generate(root string) error {
	path := filepath.Join(root, "docs", "versions.md")
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document, err := updated(root, string(old))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(document), 0o644)
}

const (
	tableBegin = "<!-- leaves by version -->\n"
	tableEnd   = "<!-- end -->"
)

// updated returns the document with the current table.
func updated(root, document string) (string, error) {
	before, rest, hasBegin := strings.Cut(document, tableBegin)
	_, after, hasEnd := strings.Cut(rest, tableEnd)
	if !hasBegin || !hasEnd {
		return "", fmt.Errorf("the lines %q and %q are missing", strings.TrimSpace(tableBegin), tableEnd)
	}
	table, err := table(root)
	if err != nil {
		return "", err
	}
	return before + tableBegin + "\n" + table + "\n" + tableEnd + after, nil
}
