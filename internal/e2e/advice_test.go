package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

// TestFaults_advice compares what callers and operators read about failures that only an operator
// can repair.
func TestFaults_advice(t *testing.T) {
	t.Parallel()
	upstream := startFaulty(t)
	for fault, test := range map[string]struct {
		message string   // part of the error's message
		logged  []string // parts of the log
	}{
		"403-text": {
			message: "something in front of the upstream's API, such as a CDN or a firewall, refused the call (HTTP status 403)",
			logged:  []string{"run cvmgraph check", `"outcome":"server_error"`, `"status":403`, `"upstream_request_id":"8f1c2d3e4f5a6b7c-FRA"`, `"sent_by":"intermediary"`},
		},
		"other-shape": {
			message: "must check --api-version: cvmgraph check finds the versions that work",
			logged:  []string{"run cvmgraph check to diagnose it, and check --api-version", `"outcome":"invalid"`, "the format of another API version"},
		},
		"400-version": {
			message: "the upstream refuses the gateway's API version (HTTP status 400); the gateway's operator must check --api-version",
			logged:  []string{"run cvmgraph check to diagnose it, and check --api-version", `"outcome":"invalid"`, `"status":400`},
		},
		"404": {
			message: "the gateway's --upstream-url and --api-version",
			logged:  []string{"if it refuses all, run cvmgraph check, and check --api-version", `"outcome":"client_error"`, `"status":404`},
		},
		"nested-page": {
			message: "must check --api-version: cvmgraph check finds the versions that work",
			logged:  []string{"run cvmgraph check to diagnose it, and check --api-version", "items, total, page or page_size is missing or wrong"},
		},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			token := upstream.Token(fault, faulty.Always, "advice")
			p := start(t, "--upstream-url", upstream.url+demo.BasePath)
			got := p.list(t, token, mediaTypes[0], 30, http.Header{})
			if len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Message, test.message) {
				t.Errorf("got %s, want an error with %q", got.raw, test.message)
			}
			for _, part := range test.logged {
				t.Logf("waiting for %s in the log", part)
				waitFor(t, func() bool { return strings.Contains(p.logged(), part) }) // the log arrives later than the response
			}
			p.checkLeaks(t, got.raw, upstream.url, token)
		})
	}
}
