// Package demo is a stand-in for the REST API that lists confidential VMs:
// GET /api/v1/cvms/paginated with the credentials, parameters, versions and
// error bodies of the real one, over invented data.
//
// Any credential is welcome and has a list of its own, but for these:
//
//   - "invalid", and what begins with "invalid-", is refused.
//   - What begins with "changing-" has a list of about 80 CVMs, so that one
//     page of 100 shows all of it, that changes five times before each answer
//     instead of by the clock: a CVM more, one fewer, or one in its next stage
//     of life. Its answers forbid that anybody keeps them. It is for tests of
//     those who walk a list while it changes.
//
// It serves two purposes: a gateway that can be tried without an account, and
// an honest upstream for tests and benchmarks. It therefore shares no code
// with the client of that API: a misspelt key on either side shows up as a
// missing value instead of agreeing with itself.
package demo
