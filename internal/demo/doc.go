// Package demo simulates the REST API that lists confidential VMs: GET /api/v1/cvms/paginated, with
// the credentials, parameters, versions and error bodies of the real API, and invented data.
//
// The API versions since 2026-01-21 show the same CVMs in another shape, which is called flat: the
// parts of hosted are at the top level. An item of the flat shape follows from the hosted one, and
// from a few values that the hosted shape does not have.
//
// Each credential has its own list. Some credentials are special:
//
//   - "invalid", and those with the prefix "invalid-", are rejected.
//   - Those with the prefix "changing-" have a list of about 80 CVMs, which fits on one page of
//     100. The list does not change by the clock. Instead it changes five times before each
//     response: a change adds a CVM, removes one, or moves one to the next stage of its lifecycle.
//     The responses must not be cached (no-store). These lists are for tests of clients that page
//     through a changing list.
//
// The package lets users try the gateway without an account, and serves as an independent upstream
// for tests and benchmarks. So it shares no code with the client of the API: if a key is misspelled
// on one side, a value is missing.
package demo
