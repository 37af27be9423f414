// Command dashboard writes deploy/monitoring/dashboard.json, the Grafana dashboard. Run it in the
// root of the repository. Its panels are in rows.go.
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

func run(stderr io.Writer) int {
	body, err := encode(newBoard(rows()))
	if err == nil {
		err = os.WriteFile(filepath.Join("deploy", "monitoring", "dashboard.json"), body, 0o644)
	}
	if err != nil {
		fmt.Fprintln(stderr, "dashboard:", err)
		return 1
	}
	return 0
}

// encode returns the dashboard as JSON.
func encode(b board) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // queries contain < and >
	encoder.SetIndent("", "  ")
	err := encoder.Encode(b)
	return body.Bytes(), err
}
