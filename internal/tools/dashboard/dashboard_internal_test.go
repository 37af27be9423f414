// The test is in the package itself: nobody else can use what a command holds.
package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheDashboardIsCommitted(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile("../../../deploy/monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := encoded()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, want) {
		t.Error("deploy/monitoring/dashboard.json is not what this package has: make dashboard")
	}
}
