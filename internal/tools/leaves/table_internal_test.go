// The tests are in package main because a command cannot be imported.
package main

import (
	"os"
	"strings"
	"testing"
)

const root = "../../.."

func TestUpdated_documentIsCurrent(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile(root + "/docs/versions.md")
	if err != nil {
		t.Fatal(err)
	}
	got, err := updated(root, string(document))
	if err != nil {
		t.Fatal(err)
	}
	if got != string(document) {
		t.Error("docs/versions.md is not current: run make leaves")
	}
}

func TestUpdated_missingMarkers(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"", tableBegin, tableEnd, tableEnd + tableBegin} {
		if got, err := updated(root, document); err == nil || !strings.Contains(err.Error(), "leaves by version") {
			t.Errorf("%q: got %q, %v, want an error that names the lines", document, got, err)
		}
	}
}
