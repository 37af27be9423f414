package graph_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/testing/faulty"
)

// failingLater is an upstream that serves pages until fault has the name of a fault.
type failingLater struct {
	*faulty.Upstream
	fault atomic.Pointer[string]
}

func (u *failingLater) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := u.fault.Load(); name != nil {
		u.Fail(w, r, *name)
		return
	}
	u.Upstream.ServeHTTP(w, r)
}

// refusals are responses of the upstream with an error status, by the name of the fault.
var refusals = map[string]struct {
	code string
	says string // in the message
	// keeps is set if the response does not concern the credential, so that its cached pages stay.
	keeps bool
}{
	"400":            {code: "BAD_USER_INPUT", says: "--api-version", keeps: true},
	"400-html":       {code: "UPSTREAM_ERROR", says: "in front of the upstream's API", keeps: true},
	"400-empty":      {code: "UPSTREAM_ERROR", says: "in front of the upstream's API", keeps: true},
	"401":            {code: "UNAUTHENTICATED", says: "send an API key (phak_…) as X-API-Key"},
	"401-html":       {code: "UNAUTHENTICATED", says: "something in front of the API"},
	"401-empty":      {code: "UNAUTHENTICATED", says: "send an API key (phak_…) as X-API-Key"},
	"403":            {code: "FORBIDDEN", says: "nodeId and userId are for administrators"},
	"403-structured": {code: "FORBIDDEN", says: "nodeId and userId are for administrators"},
	"403-text":       {code: "UPSTREAM_ERROR", says: "such as a CDN or a firewall, refused the call (HTTP status 403)", keeps: true},
	"403-html":       {code: "UPSTREAM_ERROR", says: "which says nothing about the credential: the gateway's operator can find the cause with cvmgraph check", keeps: true},
	"403-json":       {code: "UPSTREAM_ERROR", says: "in front of the upstream's API", keeps: true},
	"403-empty":      {code: "UPSTREAM_ERROR", says: "in front of the upstream's API", keeps: true},
	"400-version":    {code: "UPSTREAM_INVALID_RESPONSE", says: "the upstream refuses the gateway's API version (HTTP status 400); the gateway's operator must check --api-version: cvmgraph check", keeps: true},
	"404-version":    {code: "UPSTREAM_INVALID_RESPONSE", says: "refuses the gateway's API version (HTTP status 404)", keeps: true},
	"410":            {code: "UPSTREAM_ERROR", says: "HTTP status 410: the gateway's operator must check --api-version", keeps: true},
	"404":            {code: "NOT_FOUND", says: "--upstream-url", keeps: true},
	"404-html":       {code: "NOT_FOUND", says: "--upstream-url", keeps: true},
	"422-validation": {code: "BAD_USER_INPUT", says: "this nodeId", keeps: true},
	"422-html":       {code: "UPSTREAM_ERROR", says: "(HTTP status 422)", keeps: true},
	"429-html":       {code: "RATE_LIMITED", says: "rate limit", keeps: true},
	"451-html":       {code: "UPSTREAM_ERROR", says: "HTTP status 451", keeps: true},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const query = `{ cvms(first: 20) { nodes { id } } }`
	for name, want := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := &failingLater{Upstream: faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")}
			g := cachingGateway(t, upstream, pages.CacheOptions{TTL: time.Hour})
			g.post(t, query, nil, nil).cvms(t)

			upstream.fault.Store(&name)
			a := g.post(t, query, nil, http.Header{"Authorization": {"Bearer " + tenant().Bearer}, "Cache-Control": {"no-cache"}})
			got := a.onlyError(t)
			if got.code() != want.code || !strings.Contains(got.Message, want.says) || strings.Contains(a.raw, "s3cret") || strings.Contains(a.raw, "1010") {
				t.Errorf("got %+v, want %s with %q", got, want.code, want.says)
			}
			if admin := strings.Contains(got.Message, "administrators"); admin != (want.code == "FORBIDDEN") {
				t.Errorf("got %s, want administrators in it: %t", got.Message, !admin)
			}

			upstream.fault.Store(nil)
			g.takeCalls()
			g.post(t, query, nil, nil).cvms(t)
			if calls := g.takeCalls(); len(calls) == 0 != want.keeps {
				t.Errorf("got the calls %q, want none: %t", calls, want.keeps)
			}
		})
	}
}

// TestRefusals_keyAsToken sends an API key as a bearer token to an upstream that accepts none.
func TestRefusals_keyAsToken(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fail(http.StatusUnauthorized, `{"detail":"Invalid or expired token"}`))
	for name, test := range map[string]struct {
		header http.Header
		want   string
	}{
		"a key as a token": {
			header: http.Header{"Authorization": {"Bearer phak_s3cret"}},
			want:   "the upstream does not accept an API key (phak_…) as a bearer token: send it as X-API-Key, without Authorization",
		},
		"a key in both headers": {
			header: http.Header{"Authorization": {"Bearer phak_s3cret"}, "X-Api-Key": {"phak_s3cret"}},
			want:   "the upstream does not accept an API key (phak_…) as a bearer token: send it as X-API-Key, without Authorization",
		},
		"a key": {
			header: http.Header{"X-Api-Key": {"phak_s3cret"}},
			want:   "the upstream does not accept this credential: send an API key (phak_…) as X-API-Key; only an access token is sent as Authorization: Bearer",
		},
		"a token": {
			header: http.Header{"Authorization": {"Bearer s3cret"}},
			want:   "the upstream does not accept this credential: send an API key (phak_…) as X-API-Key; only an access token is sent as Authorization: Bearer",
		},
	} {
		a := g.post(t, `{ cvms(first: 1) { totalCount } }`, nil, test.header)
		if got := a.onlyError(t); got.code() != "UNAUTHENTICATED" || got.Message != test.want || strings.Contains(a.raw, "s3cret") {
			t.Errorf("%s: got %+v, want UNAUTHENTICATED: %s", name, got, test.want)
		}
	}
}

// TestInvalidResponse_advice compares what clients read about responses that are not a page.
func TestInvalidResponse_advice(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"other-shape":       "its items have the format of another API version; the gateway's operator must check --api-version: cvmgraph check finds the versions that work",
		"no-total":          "items, total, page or page_size is missing or wrong; the gateway's operator must check --api-version: cvmgraph check finds the versions that work",
		"renamed-items":     "items, total, page or page_size is missing or wrong; the gateway's operator must check --api-version: cvmgraph check finds the versions that work",
		"nested-page":       "items, total, page or page_size is missing or wrong; the gateway's operator must check --api-version: cvmgraph check finds the versions that work",
		"bare-list":         "items, total, page or page_size is missing or wrong; the gateway's operator must check --api-version: cvmgraph check finds the versions that work",
		"string-in-items":   "an entry of items is not an object; the gateway's operator must check --api-version: cvmgraph check finds the versions that work",
		"html":              "it is not JSON; the gateway's operator can find the cause with cvmgraph check",
		"another-page-size": "it is another page than requested; the gateway's operator can find the cause with cvmgraph check",
	} {
		upstream := &failingLater{Upstream: faulty.New(demo.New(demo.Options{}), "http://elsewhere.example")}
		upstream.fault.Store(&name)
		got := newGateway(t, upstream).post(t, `{ cvms(first: 3) { nodes { id } } }`, nil, nil).onlyError(t)
		if want = "the upstream's response is not a valid page: " + want; got.code() != "UPSTREAM_INVALID_RESPONSE" || got.Message != want {
			t.Errorf("%s: got %+v, want UPSTREAM_INVALID_RESPONSE: %s", name, got, want)
		}
	}
}
