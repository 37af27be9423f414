package graph_test

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
)

const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// send sends a request with the credential of the tests. Headers are pairs of a name and a value;
// an empty value removes the header.
func (g *gateway) send(t *testing.T, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+tenant().Bearer)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", mediaJSON)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options: got %q, want nosniff", got)
	}
	return w
}

func get(query string, more ...string) string {
	values := url.Values{"query": {query}}
	for i := 0; i < len(more); i += 2 {
		values.Add(more[i], more[i+1])
	}
	return "/graphql?" + values.Encode()
}

// TestHandler_status sends operations whose response depends on the schema.
func TestHandler_status(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const secret = "s3cret-text-of-the-body"
	tests := map[string]struct {
		method        string // POST if empty
		target        string // /graphql if empty
		body          string
		header        http.Header
		status        int
		graphQLStatus int    // with the new media type; status if 0
		code          string // of the error; empty for success
	}{
		"a query":                     {body: `{"query":"{ __typename }"}`, status: 200},
		"a query by GET":              {method: "GET", target: get("{ __typename }"), status: 200},
		"nulls":                       {body: `{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}`, status: 200},
		"a parameter of another name": {body: `{"query":"{ __typename }","Query":7,"id":"x","` + secret + `":1}`, status: 200},
		"a field's error":             {body: `{"query":"{ cvms(first: -1) { totalCount } }"}`, status: 200, code: "BAD_USER_INPUT"},
		"an invalid document":         {body: `{"query":"{"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_PARSE_FAILED"},
		"no document":                 {body: `{"query":"# nothing"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_PARSE_FAILED"},
		"an unknown field":            {body: `{"query":"{ cvm }"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"an unknown operation":        {body: `{"query":"query A { __typename }","operationName":"B"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"several operations, no name": {body: `{"query":"query A { __typename } query B { __typename }"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"a variable that is missing":  {body: `{"query":"query($n: Int!) { cvms(first: $n) { totalCount } }"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"a mutation":                  {body: `{"query":"mutation { x }"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"a subscription":              {body: `{"query":"subscription { x }"}`, status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"a mutation by GET":           {method: "GET", target: get("mutation { x }"), status: 405, code: "BAD_REQUEST"},
		"a subscription by GET":       {method: "GET", target: get("subscription { x }"), status: 405, code: "BAD_REQUEST"},
		"a named mutation by GET":     {method: "GET", target: get("query A { __typename } mutation B { x }", "operationName", "B"), status: 405, code: "BAD_REQUEST"},
		"a query beside a mutation":   {method: "GET", target: get("query A { __typename } mutation B { x }", "operationName", "A"), status: 200, graphQLStatus: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		"the charset said":            {body: `{"query":"{ __typename }"}`, header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, status: 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for media, wantStatus := range map[string]int{mediaJSON: test.status, mediaGraphQL: cmp.Or(test.graphQLStatus, test.status)} {
				headers := []string{"Accept", media}
				for name, values := range test.header {
					headers = append(headers, name, values[0])
				}
				w := g.send(t, cmp.Or(test.method, "POST"), cmp.Or(test.target, "/graphql"), test.body, headers...)
				if w.Code != wantStatus || w.Header().Get("Content-Type") != media+"; charset=utf-8" {
					t.Errorf("%s: got %d %s, want %d of the same type: %s", media, w.Code, w.Header().Get("Content-Type"), wantStatus, w.Body)
				}
				checkErrors(t, w, test.code)
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s: got the body back: %s", media, w.Body)
				}
			}
		})
	}
}

// checkErrors checks that a response has an error with the code and no data, or no error if the
// code is empty. Only BAD_USER_INPUT comes with data.
func checkErrors(t *testing.T, w *httptest.ResponseRecorder, code string) {
	t.Helper()
	var body map[string]json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("got %.200q, want JSON", w.Body)
	}
	if code == "" {
		if body["errors"] != nil {
			t.Errorf("got errors %s, want none", body["errors"])
		}
		return
	}
	if want := fmt.Sprintf(`"code":%q`, code); !strings.Contains(string(body["errors"]), want) {
		t.Errorf("got errors %s, want %s", body["errors"], want)
	}
	if _, hasData := body["data"]; hasData != (code == "BAD_USER_INPUT") {
		t.Errorf("got data %v in %s", hasData, w.Body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
}

func TestHandler_cacheHeaders(t *testing.T) {
	t.Parallel()
	g := cachingGateway(t, demo.New(demo.Options{}), pages.CacheOptions{TTL: time.Hour})
	query := get("{ cvms(first: 2) { nodes { id } } }")
	first := g.send(t, http.MethodGet, query, "")
	tag := first.Header().Get("ETag")
	if tag == "" || first.Header().Get("Cache-Control") != "private, max-age=2" {
		t.Errorf("GET: got ETag %q and Cache-Control %q, want a tag and private, max-age=2", tag, first.Header().Get("Cache-Control"))
	}
	for _, name := range []string{"Accept", "Accept-Encoding", "Authorization", "X-API-Key", "X-Phala-Workspace"} {
		if !strings.Contains(first.Header().Get("Vary"), name) {
			t.Errorf("Vary: got %q, want %s in it", first.Header().Get("Vary"), name)
		}
	}
	for _, condition := range []string{tag, `"x", ` + tag, strings.TrimPrefix(tag, "W/"), "*"} {
		if w := g.send(t, http.MethodGet, query, "", "If-None-Match", condition); w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header().Get("ETag") != tag {
			t.Errorf("If-None-Match %s: got %d with %d bytes, want 304 with none", condition, w.Code, w.Body.Len())
		}
	}
	if w := g.send(t, http.MethodGet, query, "", "If-None-Match", `"another"`); w.Code != http.StatusOK {
		t.Errorf("another tag: got %d, want 200", w.Code)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"POST":                 g.send(t, http.MethodPost, "/graphql", `{"query":"{ cvms { totalCount } }"}`),
		"GET with errors":      g.send(t, http.MethodGet, get("{ cvms(first: -1) { totalCount } }"), ""),
		"GET with a bad token": g.send(t, http.MethodGet, query, "", "Authorization", "Bearer invalid"),
	} {
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("ETag") != "" {
			t.Errorf("%s: got Cache-Control %q and ETag %q, want no-store and none", name, w.Header().Get("Cache-Control"), w.Header().Get("ETag"))
		}
	}
}

func TestHandler_gzip(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const large, small = `{"query":"{ cvms(first: 50) { nodes { id name } } }"}`, `{"query":"{ __typename }"}`
	plain := g.send(t, http.MethodPost, "/graphql", large)
	tests := map[string]struct {
		body, accept string
		want         bool
	}{
		"not requested":           {large, "", false},
		"requested":               {large, "gzip, deflate, br", true},
		"requested with a weight": {large, "br;q=1.0, gzip; q=0.5", true},
		"rejected":                {large, "gzip;q=0", false},
		"only another encoding":   {large, "br", false},
		"a small response":        {small, "gzip", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := g.send(t, http.MethodPost, "/graphql", test.body, "Accept-Encoding", test.accept)
			if got := w.Header().Get("Content-Length"); got != fmt.Sprint(w.Body.Len()) {
				t.Errorf("Content-Length: got %s, want %d", got, w.Body.Len())
			}
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != test.want {
				t.Fatalf("compressed: got %v, want %v", got, test.want)
			}
			if !test.want {
				return
			}
			zip, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(zip); err != nil || string(got) != plain.Body.String() {
				t.Errorf("got %.80s, %v, want the uncompressed response", got, err)
			}
		})
	}
}
