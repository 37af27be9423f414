package e2e_test

import "cvmgraph/internal/check"

// faultyChecks are the expected reports for faults of package faulty; see checkCase.
var faultyChecks = map[string]struct{ want, step, says string }{
	"403": {
		want: "oo-of-", step: check.StepCredential,
		says: "does not allow it",
	},
	"403-html": {
		want: "oo-of-", step: check.StepCredential,
		says: "(status 403)",
	},
	"422-blaming": {
		want: "oo-o-f", step: check.StepContract,
		says: "status 422",
	},
	"301-elsewhere": {
		want: "oo-f--", step: check.StepHTTP,
		says: "status 301: it redirects, which is not followed",
	},
	"404": {
		want: "oo-f--", step: check.StepHTTP,
		says: "/api/v1",
	},
	"407": {
		want: "oo-f--", step: check.StepHTTP,
		says: "a proxy wants to know",
	},
	"418": {
		want: "oo-f--", step: check.StepHTTP,
		says: "status 418: that is not what the API answers",
	},
	"429": {
		want: "oo-f--", step: check.StepHTTP,
		says: "status 429: it is called too often; try again later",
	},
	"429-after-7": {
		want: "oo-f--", step: check.StepHTTP,
		says: "try again in 7s",
	},
	"502-html": {
		want: "oo-f--", step: check.StepHTTP,
		says: "status 502: it fails, or what stands in front of it does",
	},
	"204": {
		want: "oo-f--", step: check.StepHTTP,
		says: "status 204",
	},
	"empty": {
		want: "oo-f--", step: check.StepHTTP,
		says: "a body that is empty, or ends too soon (truncated): does something in the way cut it?",
	},
	"html": {
		want: "oo-f--", step: check.StepHTTP,
		says: "something else than a JSON document, such as a web page (not JSON): --upstream-url",
	},
	"half-json": {
		want: "oo-f--", step: check.StepHTTP,
		says: "ends too soon (truncated)",
	},
	"truncated": {
		want: "oo-f--", step: check.StepHTTP,
		says: "ends too soon (truncated)",
	},
	"flood": {
		want: "oo-f--", step: check.StepHTTP,
		says: "a body of more than 16 MiB (too large): --upstream-url",
	},
	"deep-lists": {
		want: "oo-f--", step: check.StepHTTP,
		says: "nests deeper than a page does (nested too deeply): --upstream-url",
	},
	"wrong-checksum": {
		want: "oo-f--", step: check.StepHTTP,
		says: "a body whose compression is broken (broken compression): does something in the way change it?",
	},
	"reset": {
		want: "oo-f--", step: check.StepHTTP,
		says: "the connection ended without an answer",
	},
	"closed": {
		want: "oo-f--", step: check.StepHTTP,
		says: "the connection ended without an answer",
	},
	"not-http": {
		want: "oo-f--", step: check.StepHTTP,
		says: "the connection ended without an answer",
	},
	"hang": {
		want: "oo-f--", step: check.StepHTTP,
		says: "does not answer within 1s: raise --upstream-timeout",
	},
	"hang-in-body": {
		want: "oo-f--", step: check.StepHTTP,
		says: "does not answer within 1s: raise --upstream-timeout",
	},
	"flat-shape": {
		want: "oo-oof", step: check.StepContract,
		says: "flat shape of another API version",
	},
	"no-total": {
		want: "oo-oof", step: check.StepContract,
		says: "missing total (an integer of 64 bits; 1 of 1)",
	},
	"text-in-items": {
		want: "oo-oof", step: check.StepContract,
		says: "changed items[] (should be an object, is string; 1 of 100)",
	},
	"wrong-types": {
		want: "oo-oof", step: check.StepContract,
		says: "changed items[].vcpu (should be an integer of 32 bits, is string; 1 of 100)",
	},
	"unknown-keys": {
		want: "oo-oow", step: check.StepContract,
		says: "unknown items[].new (object; 1 of 100)",
	},
	"another-page": {
		want: "oo-oof", step: check.StepContract,
		says: "refuses the page: another page than requested",
	},
	"short": {
		want: "oo-oof", step: check.StepContract,
		says: "refuses the page: fewer items than its total implies",
	},
}
