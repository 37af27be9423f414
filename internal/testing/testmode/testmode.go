// Package testmode reports how the tests run: with which counts, on what machine, and with or without the race detector.
package testmode

import "os"

// Full reports whether tests do all of their work, which takes many minutes: CVMGRAPH_TEST_FULL is 1. .ci/run sets it.
func Full() bool { return os.Getenv("CVMGRAPH_TEST_FULL") == "1" }

// Count returns full if [Full], and small otherwise.
func Count(small, full int) int {
	if Full() {
		return full
	}
	return small
}

// QuietMachine reports whether the machine runs nothing else, so that tests can compare times: CVMGRAPH_TEST_LATENCY is 1.
func QuietMachine() bool { return os.Getenv("CVMGRAPH_TEST_LATENCY") == "1" }
