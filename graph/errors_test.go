package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
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
			"UPSTREAM_ERROR: the gateway cannot reach the upstream (refused): try again later; the gateway's operator can find the cause with cvmgraph check",
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
			`GRAPHQL_VALIDATION_FAILED: Variable "$n" got invalid value a string; Int cannot represent non-integer value: a string`,
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

// TestMessages_repeatNoString sends a string in places where it is not valid.
func TestMessages_repeatNoString(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const secret = "phak_s3cret!"
	for query, want := range map[string]string{
		`{ cvms(first: "` + secret + `") { totalCount } }`:                    "Int cannot represent non-integer value: a string",
		`{ cvms(first: ["` + secret + `"]) { totalCount } }`:                  "Int cannot represent non-integer value: a list",
		`{ cvms(after: {a: "` + secret + `"}) { totalCount } }`:               "String cannot represent a non string value: an object",
		`query($a: Int = """` + secret + `""") { cvms(first: $a) { nodes } }`: "Int cannot represent non-integer value: a string",
		`{ "` + secret + `" }`:                                 "Syntax Error: Expected Name, found String.",
		`{ cvms(first: 1 """` + secret + `""") }`:              "Syntax Error: Expected Name, found BlockString.",
		`query "` + secret + `" { cvms { totalCount } }`:       `Syntax Error: Expected "{", found String.`,
		`{ cvms(after: "` + secret + `\u12") { totalCount } }`: `Syntax Error: Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`,
		`{ cvms(after: "` + secret:                             "Syntax Error: Unterminated string.",
		`{ cvms(first: true) { totalCount } }`:                 "Int cannot represent non-integer value: true",
	} {
		a := g.post(t, query, nil, nil)
		if len(a.Errors) == 0 || a.Errors[0].Message != want || strings.Contains(a.raw, "s3cret") {
			t.Errorf("%s: got %s, want %q first", query, a.raw, want)
		}
	}
	for _, body := range []string{
		`{"query":"{ __typename }","operationName":"` + secret + `"}`,
		`{"query":"query($a: Int) { cvms(first: $a) { totalCount } }","variables":{"a":"` + secret + `"}}`,
		`{"query":"query($a: [ID!]!) { nodes(ids: $a) { id } }","variables":{"a":{"` + secret + `":[]}}}`,
	} {
		if w := g.send(t, http.MethodPost, "/graphql", body); strings.Contains(w.Body.String(), secret) || !strings.Contains(w.Body.String(), `"errors"`) {
			t.Errorf("%s: got %s, want an error without the string", body, w.Body)
		}
	}
}

func TestErrors_locations(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	for query, want := range map[string]string{
		"{ node(id: 'a') { id } }":                        "1:12",
		"{ cvms(user\"\"\"a\nb\"\"\": 1) }":               "1:12",
		"{\r\n  __typename\r\n  nope\r\n}":                "3:3",
		"{\r  __typename\r  nope\r}":                      "3:3",
		"\ufeff# é😀\r\n{\tnope }":                         "2:3",
		`{ a: cvm(vmId: "é😀") { id } nope }`:              "1:30",
		`{ cvms(after: """` + "\r\n\r\n" + `""") { x } }`: "3:8",
		"{\r\n\tcvms(first: -1) { totalCount }\r\n}":      "2:2",
		`{ cvms(first: "1") { totalCount } }`:             "1:15",
	} {
		a := g.post(t, query, nil, nil)
		if got := a.onlyError(t).Locations; len(got) != 1 || fmt.Sprintf("%d:%d", got[0].Line, got[0].Column) != want {
			t.Errorf("%q: got %s, want the location %s", query, a.raw, want)
		}
	}
}

func TestErrors_haveCode(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	codes := map[any]bool{}
	for _, query := range []string{"", "{", "{ x }", "mutation { x }", "{ cvms(first: -1) { totalCount } }", "{ cvms(first: 99999999999) { totalCount } }", "{" + aliases(40) + "}"} {
		for _, e := range g.post(t, query, nil, nil).Errors {
			if e.code() == nil || e.Message == "" {
				t.Errorf("%s: got %+v, want a code and a message", query, e)
			}
			codes[e.code()] = true
		}
	}
	if got := slices.Collect(maps.Keys(codes)); len(got) < 5 {
		t.Errorf("got the codes %v, want at least five", got)
	}
}
