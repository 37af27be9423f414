// The test is in package main because a command cannot be imported.
package main

import (
	"bytes"
	"os"
	"testing"
)

func TestDashboard_isUpToDate(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile("../../../deploy/monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := encode(newBoard(rows()))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, want) {
		t.Error("deploy/monitoring/dashboard.json is out of date: run make dashboard")
	}
}
