// Package demo is a stand-in for the REST API that lists confidential VMs:
// GET /api/v1/cvms/paginated with the credentials, parameters, versions and
// error bodies of the real one, over invented data.
//
// It serves two purposes: a gateway that can be tried without an account, and
// an honest upstream for tests and benchmarks. It therefore shares no code
// with the client of that API: a misspelt key on either side shows up as a
// missing value instead of agreeing with itself.
package demo
