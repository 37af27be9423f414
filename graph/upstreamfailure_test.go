package graph_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"cvmgraph/internal/demo"
)

// fail responds with a status and a body.
func fail(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestUpstreamFailure_unreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	g := newGatewayAt(t, fmt.Sprintf("http://%s/api/v1", address))
	if got := g.post(t, `{ cvms { totalCount } }`, nil, nil).onlyError(t); got.code() != "UPSTREAM_ERROR" || strings.Contains(got.Message, address) {
		t.Errorf("got %+v, want UPSTREAM_ERROR without the address", got)
	}
}

func TestUpstreamFailure_oneField(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("teepod_id") {
			fail(403, `{"detail":"Admin only"}`)(w, r)
			return
		}
		upstream.ServeHTTP(w, r)
	}))
	a := g.post(t, `{ cvms(first: 3) { nodes { id } } node: cvms(nodeId: 18) { nodes { id } } }`, nil, nil)
	if got := a.onlyError(t); got.code() != "FORBIDDEN" || dotted(got.Path) != "node" {
		t.Errorf("got %+v, want FORBIDDEN at node", got)
	}
	if a.Errors = nil; len(a.cvms(t).Nodes) != 3 {
		t.Errorf("got %s, want 3 CVMs beside the error", a.raw)
	}
}

func TestUpstreamFailure_details(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status  int
		body    string
		message string
		want    map[string]any // the extensions
	}{
		"the upstream's error code and request ID": {
			404,
			`{"error_code":"ERR-03-001","message":"s3cret","request_id":"req_1"}`,
			"the upstream has no such list for this credential: check X-Phala-Workspace, if it is sent, and the gateway's --upstream-url",
			map[string]any{"code": "NOT_FOUND", "upstreamCode": "ERR-03-001", "upstreamRequestId": "req_1"},
		},
		"a code and an ID that could be anything": {
			404,
			`{"error_code":"s3cret","request_id":"s3cret.internal"}`,
			"the upstream has no such list for this credential: check X-Phala-Workspace, if it is sent, and the gateway's --upstream-url and --api-version",
			map[string]any{"code": "NOT_FOUND"},
		},
		"a CDN that cannot reach the API": {
			522,
			"<html>s3cret</html>",
			"the CDN in front of the API cannot reach it (HTTP status 522): try again later",
			map[string]any{"code": "UPSTREAM_ERROR"},
		},
		"a wait that is the body": {
			429,
			"90",
			"the upstream's rate limit is reached: wait and try again",
			map[string]any{"code": "RATE_LIMITED", "retryAfter": 90.0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, fail(test.status, test.body))
			a := g.post(t, `{ cvms { totalCount } }`, nil, nil)
			got := a.onlyError(t)
			if got.Message != test.message || !reflect.DeepEqual(got.Extensions, test.want) || strings.Contains(a.raw, "s3cret") {
				t.Errorf("got %s, want %q with %v", a.raw, test.message, test.want)
			}
		})
	}
}

// TestUpstreamFailure_lasting lets the list of a credential fail until its calls are paused. The
// calls of another credential are not.
func TestUpstreamFailure_lasting(t *testing.T) {
	t.Parallel()
	g := newGateway(t, fail(502, ""))
	for range 7 { // of three calls each, and it takes 20
		if got := g.post(t, `{ cvms { totalCount } }`, nil, nil).onlyError(t); got.code() != "UPSTREAM_ERROR" {
			t.Errorf("got %+v, want UPSTREAM_ERROR", got)
		}
	}
	g.takeCalls()
	a := g.post(t, `{ cvms { totalCount } }`, nil, http.Header{"Authorization": {"Bearer " + tenant().Bearer}, "X-Cvmgraph-Explain": {"1"}})
	got := a.onlyError(t)
	if retry, _ := got.Extensions["retryAfter"].(float64); got.code() != "UNAVAILABLE" || retry < 1 || retry > 5 || dotted(got.Path) != "cvms" {
		t.Errorf("got %+v, want UNAVAILABLE at cvms, for at most 5 s", got)
	}
	if calls := g.takeCalls(); len(calls) > 0 || strings.Contains(a.raw, `"attempts"`) {
		t.Errorf("got %d calls and %s, want none", len(calls), a.raw)
	}
	another := g.post(t, `{ cvms { totalCount } }`, nil, http.Header{"Authorization": {"Bearer another"}}).onlyError(t)
	if calls := g.takeCalls(); another.code() != "UPSTREAM_ERROR" || len(calls) != 3 {
		t.Errorf("another credential: got %+v after %d calls, want UPSTREAM_ERROR after 3", another, len(calls))
	}
}

func TestUpstreamFailure_attempts(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	var calls atomic.Int64
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		list.ServeHTTP(w, r)
	}))
	header := http.Header{"Authorization": {"Bearer " + tenant().Bearer}, "X-Cvmgraph-Explain": {"1"}}
	a := g.post(t, `{ cvms(first: 3) { nodes { id } } }`, nil, header)
	if got := a.cvms(t); len(got.Nodes) != 3 || strings.Count(a.raw, `"reason"`) != 1 || !strings.Contains(a.raw, `"attempts":3`) {
		t.Errorf("got %s, want one call of three attempts", a.raw)
	}
	if a := g.post(t, `{ cvms(first: 3) { nodes { id } } }`, nil, header); strings.Contains(a.raw, `"attempts"`) {
		t.Errorf("got %s, want nothing of the one attempt", a.raw)
	}
	g = newGateway(t, fail(503, ""))
	if a := g.post(t, `{ cvms(first: 3) { nodes { id } } }`, nil, header); !strings.Contains(a.raw, `"status":503`) || !strings.Contains(a.raw, `"attempts":3`) {
		t.Errorf("got %s, want a failed call of three attempts", a.raw)
	}
}
