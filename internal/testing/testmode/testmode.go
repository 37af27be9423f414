// Package testmode reports how the tests run: with which counts, on what machine, and with or
// without the race detector.
package testmode

import "os"

// Full reports whether CVMGRAPH_TEST_FULL is 1, and the race detector, which multiplies the time,
// is off. Then tests do all of their work, which takes many minutes. .ci/run sets the variable.
func Full() bool { return os.Getenv("CVMGRAPH_TEST_FULL") == "1" && !Race }

// Count returns full if [Full] is true, and small otherwise.
func Count(small, full int) int {
	if Full() {
		return full
	}
	return small
}

// QuietMachine reports whether CVMGRAPH_TEST_LATENCY is 1. It means that the machine runs nothing
// else, so tests can compare times.
func QuietMachine() bool { return os.Getenv("CVMGRAPH_TEST_LATENCY") == "1" }
