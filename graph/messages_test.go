package graph_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestMessages_sayWhatToDo compares the messages that users see first.
func TestMessages_sayWhatToDo(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	over, unreachable := newGateway(t, failingAs()), newGatewayAt(t, closed.URL)
	const page = `{ cvms(first: 1) { totalCount } }`
	for name, test := range map[string]struct {
		gateway *gateway
		request vars
		token   string
		want    string
	}{
		"no credential": {
			over,
			vars{"query": page},
			"",
			`UNAUTHENTICATED: the request has no credential: send "Authorization: Bearer …" or "X-API-Key: …"`,
		},
		"an upstream that cannot be reached": {
			unreachable,
			vars{"query": page},
			"tester",
			"UPSTREAM_ERROR: the gateway cannot reach the upstream (refused): try again; who runs the gateway finds the cause with cvmgraph check",
		},
		"a wrong path of the upstream": {
			over,
			vars{"query": page},
			"status-404",
			"NOT_FOUND: the upstream has no such list for this credential: check X-Phala-Workspace, if it is sent, and the gateway's --upstream-url",
		},
		"a number in quotes": {
			over,
			vars{"query": `query($n: Int) { cvms(first: $n) { totalCount } }`, "variables": vars{"n": "2"}},
			"tester",
			"BAD_USER_INPUT: first must be a whole number, without quotes, from -2147483648 to 2147483647",
		},
		"several operations": {
			over,
			vars{"query": `query A { __typename } query B { __typename }`},
			"tester",
			"GRAPHQL_VALIDATION_FAILED: the document has several operations: choose one with operationName",
		},
		"another operation": {
			over,
			vars{"query": `query A { __typename }`, "operationName": "B"},
			"tester",
			"GRAPHQL_VALIDATION_FAILED: the document has no operation of this operationName",
		},
		"an id of no document": {
			over, vars{"documentId": "none"}, "tester", "PERSISTED_QUERY_NOT_FOUND: the gateway has no document of this documentId",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(test.request)
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			if test.token != "" {
				request.Header.Set("Authorization", "Bearer "+test.token)
			}
			w := httptest.NewRecorder()
			test.gateway.handler.ServeHTTP(w, request)
			var a response
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			e := a.onlyError(t)
			if code, _ := e.code().(string); code+": "+e.Message != test.want {
				t.Errorf("got %v: %s, want %s", e.code(), e.Message, test.want)
			}
		})
	}
}
