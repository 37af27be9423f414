// Command table measures how the cost of an operation grows with what it asks for, and writes docs/cost.md below the current
// directory: run it from the root of the repository.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Stderr)) }

func run(errs io.Writer) int {
	err := write()
	if err != nil {
		fmt.Fprintln(errs, "table:", err)
		return 1
	}
	return 0
}

func write() error {
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
