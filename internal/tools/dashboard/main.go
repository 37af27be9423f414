// Command dashboard writes deploy/monitoring/dashboard.json, the Grafana dashboard of a gateway, below the current directory: run it
// from the root of the repository. What it shows is in rows.go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() { os.Exit(run(os.Stderr)) }

func run(errs io.Writer) int {
	text, err := encoded()
	if err == nil {
		err = os.WriteFile(filepath.Join("deploy", "monitoring", "dashboard.json"), text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(errs, "dashboard:", err)
		return 1
	}
	return 0
}

func encoded() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // queries have < and >
	encoder.SetIndent("", "  ")
	err := encoder.Encode(dashboard(rows()))
	return text.Bytes(), err
}
