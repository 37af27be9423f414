package graph_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

// fail answers with a status and a body.
func fail(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestAnUpstreamThatIsGone(t *testing.T) {
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

func TestOneFailedFieldLeavesTheOthers(t *testing.T) {
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
