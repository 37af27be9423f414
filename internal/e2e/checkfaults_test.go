package e2e_test

import "cvmgraph/internal/check"

// faultyChecks are the expected reports for faults of package faulty; see checkCase.
var faultyChecks = map[string]struct{ want, step, says string }{
	"403": {
		want: "oo-of--", step: check.StepCredential,
		says: "does not allow it",
	},
	"403-html": {
		want: "oo-of--", step: check.StepCredential,
		says: "something in front of the API, such as a CDN or a firewall, refuses this machine's calls (status 403), which says nothing about the credential",
	},
	"403-text": {
		want: "oo-of--", step: check.StepCredential,
		says: "refuses this machine's calls (status 403)",
	},
	"403-json": {
		want: "oo-of--", step: check.StepCredential,
		says: "refuses this machine's calls (status 403)",
	},
	"403-structured": {
		want: "oo-of--", step: check.StepCredential,
		says: "does not allow it to list CVMs (status 403)",
	},
	"400-html": {
		want: "oo-o-f-", step: check.StepContract,
		says: "something in front of the API rejects the request (status 400",
	},
	"429-text": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 429: there were too many calls",
	},
	"522-text": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 522: the CDN in front of the API cannot reach it",
	},
	"nested-page": {
		want: "oo-oofw", step: check.StepContract,
		says: "the gateway rejects the page: it differs from API version 2025-10-28 (keys missing: 5, of another type: 0, unknown: 1); check --api-version",
	},
	"bare-list": {
		want: "oo-oofw", step: check.StepContract,
		says: "check --api-version",
	},
	"empty-vm-id": {
		want: "oo-oooo", step: check.StepContract,
		says: "matches API version",
	},
	"422-validation": {
		want: "oo-o-f-", step: check.StepContract,
		says: "status 422",
	},
	"301-elsewhere": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 301: the gateway does not follow redirects",
	},
	"400-version": {
		want: "oo-o-fw", step: check.StepContract,
		says: "the upstream refuses API version 2025-10-28 (status 400): set another --api-version",
	},
	"404-version": {
		want: "oo-o-fw", step: check.StepVersions,
		says: "no known API version works without differences, so the version is probably not the cause",
	},
	"410": {
		want: "oo-o-fw", step: check.StepContract,
		says: "check that it has API version 2025-10-28",
	},
	"404": {
		want: "oo-f--w", step: check.StepHTTP,
		says: "/api/v1",
	},
	"407": {
		want: "oo-f---", step: check.StepHTTP,
		says: "a proxy requires authentication",
	},
	"418": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 418: the API does not use this status",
	},
	"429": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 429: there were too many calls; try again later",
	},
	"429-after-7": {
		want: "oo-f---", step: check.StepHTTP,
		says: "try again in 7s",
	},
	"502-html": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 502: the upstream, or a proxy in front of it, fails",
	},
	"204": {
		want: "oo-f---", step: check.StepHTTP,
		says: "status 204",
	},
	"empty": {
		want: "oo-f---", step: check.StepHTTP,
		says: "an empty or truncated body: check for a proxy that truncates responses",
	},
	"html": {
		want: "oo-f---", step: check.StepHTTP,
		says: "a body that is not JSON, such as a web page: --upstream-url",
	},
	"half-json": {
		want: "oo-f---", step: check.StepHTTP,
		says: "truncated body: check for a proxy that truncates",
	},
	"truncated": {
		want: "oo-f---", step: check.StepHTTP,
		says: "truncated body: check for a proxy that truncates",
	},
	"flood": {
		want: "oo-f---", step: check.StepHTTP,
		says: "a body of more than 16 MiB: --upstream-url",
	},
	"deep-lists": {
		want: "oo-f---", step: check.StepHTTP,
		says: "nests deeper than a page: --upstream-url",
	},
	"wrong-checksum": {
		want: "oo-f---", step: check.StepHTTP,
		says: "a body with broken compression: check for a proxy that changes responses",
	},
	"reset": {
		want: "oo-f---", step: check.StepHTTP,
		says: "the connection ended without a response",
	},
	"closed": {
		want: "oo-f---", step: check.StepHTTP,
		says: "the connection ended without a response",
	},
	"not-http": {
		want: "oo-f---", step: check.StepHTTP,
		says: "the connection ended without a response",
	},
	"hang": {
		want: "oo-f---", step: check.StepHTTP,
		says: "does not respond within 1s: raise --upstream-timeout",
	},
	"hang-in-body": {
		want: "oo-f---", step: check.StepHTTP,
		says: "does not respond within 1s: raise --upstream-timeout",
	},
	"other-shape": {
		want: "oo-oofw", step: check.StepContract,
		says: "the items have the format of another API version",
	},
	"no-total": {
		want: "oo-oofw", step: check.StepContract,
		says: "missing total (an integer of 64 bits; 1 of 1)",
	},
	"string-in-items": {
		want: "oo-oofw", step: check.StepContract,
		says: "changed items[] (should be an object, is string; 1 of 100)",
	},
	"wrong-types": {
		want: "oo-oofw", step: check.StepContract,
		says: "changed items[].vcpu (should be an integer of 32 bits, is string; 1 of 100)",
	},
	"unknown-keys": {
		want: "oo-oowo", step: check.StepContract,
		says: "unknown items[].new (object; 1 of 100)",
	},
	"another-page": {
		want: "oo-oofw", step: check.StepContract,
		says: "rejects the page: it is another page than requested",
	},
	"too-few-items": {
		want: "oo-oowo", step: check.StepContract,
		says: "the page has 7 items, but not those that its total of 300 implies",
	},
}
