// Command costtable measures how the cost of an operation grows with its size, and writes
// docs/cost.md. Run it in the root of the repository.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Stderr)) }

func run(stderr io.Writer) int {
	if err := generate(); err != nil {
		fmt.Fprintln(stderr, "costtable:", err)
		return 1
	}
	return 0
}

// generate measures all tables and writes the document.
func generate() error {
	sdl, err := os.ReadFile("schema.graphqls")
	if err != nil {
		return err
	}
	tables, err := newTables(string(sdl))
	if err != nil {
		return err
	}
	for i := range tables {
		tables[i].measure()
	}
	return os.WriteFile(filepath.Join("docs", "cost.md"), []byte(document(tables, thisMachine())), 0o644)
}
