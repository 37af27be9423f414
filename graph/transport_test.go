package graph_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cvmgraph/graph"
	"cvmgraph/internal/demo"
	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// send sends a request as it stands, with the credential of the tests.
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

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	tests := map[string]struct {
		accept, want string // want "": not acceptable
	}{
		"no Accept":                          {"", mediaJSON},
		"anything":                           {"*/*", mediaJSON},
		"anything of application":            {"application/*", mediaJSON},
		"the new type":                       {mediaGraphQL, mediaGraphQL},
		"the old type":                       {mediaJSON, mediaJSON},
		"both":                               {mediaGraphQL + ", " + mediaJSON, mediaGraphQL},
		"both, the old one first":            {mediaJSON + "," + mediaGraphQL, mediaGraphQL},
		"the old one weighs more":            {mediaGraphQL + ";q=0.8, " + mediaJSON + ";q=0.9", mediaJSON},
		"what Apollo Client sends":           {"application/graphql-response+json,application/json;q=0.9", mediaGraphQL},
		"what urql sends":                    {"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", mediaGraphQL},
		"a browser's":                        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", mediaJSON},
		"with a charset":                     {"application/json; charset=utf-8", mediaJSON},
		"the charset in capitals":            {"application/json;charset=UTF-8", mediaJSON},
		"another charset":                    {"application/json; charset=iso-8859-1", ""},
		"another charset, or anything":       {"application/json; charset=iso-8859-1, */*;q=0.1", mediaJSON},
		"HTML alone":                         {"text/html", ""},
		"anything but the old one":           {"*/*, application/json;q=0", mediaGraphQL},
		"neither":                            {"application/json;q=0, application/graphql-response+json;q=0", ""},
		"a weight that is none":              {"application/json;q=2", ""},
		"a weight that is no number":         {"application/json;q=NaN", ""},
		"letters of any case":                {"Application/JSON", mediaJSON},
		"a broken element beside a good one": {";;;, application/json", mediaJSON},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := g.send(t, http.MethodPost, "/graphql", `{"query":"{ __typename }"}`, "Accept", test.accept)
			wantStatus, want := http.StatusOK, test.want
			if want == "" {
				wantStatus, want = http.StatusNotAcceptable, mediaJSON
			}
			if got := w.Header().Get("Content-Type"); w.Code != wantStatus || got != want+"; charset=utf-8" {
				t.Errorf("got %d %s, want %d %s", w.Code, got, wantStatus, want)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const secret = "s3cret-text-of-the-body"
	tests := map[string]struct {
		method, target, body string
		headers              []string
		wantJSON, wantNew    int // statuses by media type
		wantCode             string
	}{
		"a query":                      {"POST", "/graphql", `{"query":"{ __typename }"}`, nil, 200, 200, ""},
		"a query by GET":               {"GET", get("{ __typename }"), "", nil, 200, 200, ""},
		"nulls":                        {"POST", "/graphql", `{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}`, nil, 200, 200, ""},
		"a parameter of another name":  {"POST", "/graphql", `{"query":"{ __typename }","Query":7,"id":"x","` + secret + `":1}`, nil, 200, 200, ""},
		"a field's error":              {"POST", "/graphql", `{"query":"{ cvms(first: -1) { totalCount } }"}`, nil, 200, 200, "BAD_USER_INPUT"},
		"a document that is none":      {"POST", "/graphql", `{"query":"{"}`, nil, 200, 400, "GRAPHQL_PARSE_FAILED"},
		"no document":                  {"POST", "/graphql", `{"query":"# nothing"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"an unknown field":             {"POST", "/graphql", `{"query":"{ cvm }"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"an unknown operation":         {"POST", "/graphql", `{"query":"query A { __typename }","operationName":"B"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"several operations, no name":  {"POST", "/graphql", `{"query":"query A { __typename } query B { __typename }"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"a variable that is missing":   {"POST", "/graphql", `{"query":"query($n: Int!) { cvms(first: $n) { totalCount } }"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"a mutation":                   {"POST", "/graphql", `{"query":"mutation { x }"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"a subscription":               {"POST", "/graphql", `{"query":"subscription { x }"}`, nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"a mutation by GET":            {"GET", get("mutation { x }"), "", nil, 405, 405, "BAD_REQUEST"},
		"a subscription by GET":        {"GET", get("subscription { x }"), "", nil, 405, 405, "BAD_REQUEST"},
		"a named mutation by GET":      {"GET", get("query A { __typename } mutation B { x }", "operationName", "B"), "", nil, 405, 405, "BAD_REQUEST"},
		"a query beside a mutation":    {"GET", get("query A { __typename } mutation B { x }", "operationName", "A"), "", nil, 200, 400, "GRAPHQL_VALIDATION_FAILED"},
		"no body":                      {"POST", "/graphql", ``, nil, 400, 400, "BAD_REQUEST"},
		"no query":                     {"POST", "/graphql", `{"qeury":"{ __typename }"}`, nil, 400, 400, "BAD_REQUEST"},
		"no query by GET":              {"GET", "/graphql", "", nil, 400, 400, "BAD_REQUEST"},
		"half a body":                  {"POST", "/graphql", `{"query":"{ __typename }", "` + secret, nil, 400, 400, "BAD_REQUEST"},
		"a body and more":              {"POST", "/graphql", `{"query":"{ __typename }"} ` + secret, nil, 400, 400, "BAD_REQUEST"},
		"two bodies":                   {"POST", "/graphql", `{"query":"{ __typename }"}{"query":"{ __typename }"}`, nil, 400, 400, "BAD_REQUEST"},
		"a body that is a string":      {"POST", "/graphql", `"` + secret + `"`, nil, 400, 400, "BAD_REQUEST"},
		"a body that is null":          {"POST", "/graphql", `null`, nil, 400, 400, "BAD_REQUEST"},
		"a body of words":              {"POST", "/graphql", secret, nil, 400, 400, "BAD_REQUEST"},
		"a body with a trailing comma": {"POST", "/graphql", `{"query":"{ __typename }",}`, nil, 400, 400, "BAD_REQUEST"},
		"a body that is not UTF-8":     {"POST", "/graphql", "{\"query\":\"{ __typename }\",\"x\":\"\xff\"}", nil, 400, 400, "BAD_REQUEST"},
		"a body nested without end":    {"POST", "/graphql", `{"variables":` + strings.Repeat(`{"a":`, 100_000), nil, 400, 400, "BAD_REQUEST"},
		"lists nested far":             {"POST", "/graphql", `{"query":"{ __typename }","variables":{"a":` + strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000) + `}}`, nil, 400, 400, "BAD_REQUEST"},
		"a batch":                      {"POST", "/graphql", `[{"query":"{ __typename }"}]`, nil, 400, 400, "BAD_REQUEST"},
		"an empty batch":               {"POST", "/graphql", ` []`, nil, 400, 400, "BAD_REQUEST"},
		"two queries in one body":      {"POST", "/graphql", `{"query":"{ __typename }","query":"{ a: __typename }"}`, nil, 400, 400, "BAD_REQUEST"},
		"two queries in one URL":       {"GET", get("{ __typename }", "query", "{ a: __typename }"), "", nil, 400, 400, "BAD_REQUEST"},
		"a URL that is malformed":      {"GET", "/graphql?query=%7B__typename%7D&x=%zz", "", nil, 400, 400, "BAD_REQUEST"},
		"a URL with a semicolon":       {"GET", "/graphql?query=%7B__typename%7D;variables=1", "", nil, 400, 400, "BAD_REQUEST"},
		"a URL that is not UTF-8":      {"GET", "/graphql?query=%ff", "", nil, 400, 400, "BAD_REQUEST"},
		"variables that are a list":    {"POST", "/graphql", `{"query":"{ __typename }","variables":[]}`, nil, 400, 400, "BAD_REQUEST"},
		"variables in words in a URL":  {"GET", get("{ __typename }", "variables", secret), "", nil, 400, 400, "BAD_REQUEST"},
		"a list of variables in a URL": {"GET", get("{ __typename }", "variables", `[]`), "", nil, 400, 400, "BAD_REQUEST"},
		"two objects in a URL":         {"GET", get("{ __typename }", "variables", `{}{}`), "", nil, 400, 400, "BAD_REQUEST"},
		"a form":                       {"POST", "/graphql", `query=%7B__typename%7D`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, 415, "BAD_REQUEST"},
		"multipart":                    {"POST", "/graphql", `--x`, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, 415, "BAD_REQUEST"},
		"text":                         {"POST", "/graphql", `{"query":"{ __typename }"}`, []string{"Content-Type", "text/plain"}, 415, 415, "BAD_REQUEST"},
		"a bare document":              {"POST", "/graphql", `{ __typename }`, []string{"Content-Type", "application/graphql"}, 415, 415, "BAD_REQUEST"},
		"no type":                      {"POST", "/graphql", `{"query":"{ __typename }"}`, []string{"Content-Type", ""}, 415, 415, "BAD_REQUEST"},
		"another charset":              {"POST", "/graphql", `{"query":"{ __typename }"}`, []string{"Content-Type", "application/json; charset=latin1"}, 415, 415, "BAD_REQUEST"},
		"the charset said":             {"POST", "/graphql", `{"query":"{ __typename }"}`, []string{"Content-Type", "application/json; charset=UTF-8"}, 200, 200, ""},
		"a compressed body":            {"POST", "/graphql", "\x1f\x8b", []string{"Content-Encoding", "gzip"}, 415, 415, "BAD_REQUEST"},
		"another method":               {"PUT", "/graphql", `{}`, nil, 405, 405, "BAD_REQUEST"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for media, wantStatus := range map[string]int{mediaJSON: test.wantJSON, mediaGraphQL: test.wantNew} {
				w := g.send(t, test.method, test.target, test.body, append([]string{"Accept", media}, test.headers...)...)
				var body map[string]json.RawMessage
				if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
					t.Fatalf("%s: got %.200q, want JSON", media, w.Body)
				}
				if w.Code != wantStatus || w.Header().Get("Content-Type") != media+"; charset=utf-8" {
					t.Errorf("%s: got %d %s, want %d of the same type: %s", media, w.Code, w.Header().Get("Content-Type"), wantStatus, w.Body)
				}
				if test.wantCode == "" {
					if body["errors"] != nil {
						t.Errorf("%s: got errors %s, want none", media, body["errors"])
					}
					continue
				}
				if want := fmt.Sprintf(`"code":%q`, test.wantCode); !strings.Contains(string(body["errors"]), want) {
					t.Errorf("%s: got errors %s, want %s", media, body["errors"], want)
				}
				if _, hasData := body["data"]; hasData != (test.wantCode == "BAD_USER_INPUT") {
					t.Errorf("%s: got data %v in %s", media, hasData, w.Body)
				}
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s: got the body back: %s", media, w.Body)
				}
				if got := w.Header().Get("Cache-Control"); got != "no-store" {
					t.Errorf("%s: got Cache-Control %q, want no-store", media, got)
				}
			}
		})
	}
}

func TestABodyBeyondItsBound(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ __typename }","x":"`+strings.Repeat("x", 1000)+`"}`))
	r.Header.Set("Content-Type", mediaJSON)
	w := httptest.NewRecorder()
	r.Body = http.MaxBytesReader(w, r.Body, 500)
	g.handler.ServeHTTP(w, r)
	if want := `{"errors":[{"message":"the request body is too large","extensions":{"code":"QUERY_TOO_COMPLEX","limit":500}}]}`; w.Code != 413 || w.Body.String() != want {
		t.Errorf("got %d %s, want 413 %s", w.Code, w.Body, want)
	}
}

func TestAnswersAreCachedOnlyWhereTheyMay(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
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

func TestAnswersAreCompressedWhereAsked(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const large, small = `{"query":"{ cvms(first: 50) { nodes { id name } } }"}`, `{"query":"{ __typename }"}`
	plain := g.send(t, http.MethodPost, "/graphql", large)
	tests := map[string]struct {
		body, accept string
		want         bool
	}{
		"not asked":           {large, "", false},
		"asked":               {large, "gzip, deflate, br", true},
		"asked with a weight": {large, "br;q=1.0, gzip; q=0.5", true},
		"refused":             {large, "gzip;q=0", false},
		"another only":        {large, "br", false},
		"not worth it":        {small, "gzip", false},
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
				t.Errorf("got %.80s, %v, want the plain answer", got, err)
			}
		})
	}
}

func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	const query = "{ __typename }"
	sum := sha256.Sum256([]byte(query))
	hash := hex.EncodeToString(sum[:])
	known := fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":%q,"miss":true}}`, hash)
	tests := map[string]struct {
		register func(*testing.T, *gateway) *httptest.ResponseRecorder
	}{
		"registered by POST": {func(t *testing.T, g *gateway) *httptest.ResponseRecorder {
			t.Helper()
			return g.send(t, http.MethodPost, "/graphql", fmt.Sprintf(`{"query":%q,"extensions":%s}`, query, known))
		}},
		"registered by GET": {func(t *testing.T, g *gateway) *httptest.ResponseRecorder {
			t.Helper()
			return g.send(t, http.MethodGet, get(query, "extensions", known), "")
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{}))
			ask := map[string]func() *httptest.ResponseRecorder{
				"POST": func() *httptest.ResponseRecorder {
					return g.send(t, http.MethodPost, "/graphql", fmt.Sprintf(`{"extensions":%s}`, known))
				},
				"GET": func() *httptest.ResponseRecorder {
					return g.send(t, http.MethodGet, "/graphql?"+url.Values{"extensions": {known}}.Encode(), "")
				},
			}
			for method, ask := range ask {
				w := ask()
				if want := `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`; w.Body.String() != want {
					t.Errorf("%s, unknown: got %s, want %s", method, w.Body, want)
				}
			}
			if w := test.register(t, g); w.Body.String() != `{"data":{"__typename":"Query"}}` {
				t.Fatalf("register: got %s, want data", w.Body)
			}
			for method, ask := range ask {
				if w := ask(); w.Body.String() != `{"data":{"__typename":"Query"}}` {
					t.Errorf("%s, known: got %s, want data", method, w.Body)
				}
			}
		})
	}
	g := newGateway(t, demo.New(demo.Options{}))
	for name, body := range map[string]string{
		"another query's hash": fmt.Sprintf(`{"query":"{ a: __typename }","extensions":%s}`, known),
		"another version":      fmt.Sprintf(`{"query":%q,"extensions":{"persistedQuery":{"version":2,"sha256Hash":%q}}}`, query, hash),
		"a hash that is none":  `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		"no object":            `{"extensions":{"persistedQuery":"x"}}`,
	} {
		if w := g.send(t, http.MethodPost, "/graphql", body); !strings.Contains(w.Body.String(), `"code":"BAD_REQUEST"`) {
			t.Errorf("%s: got %s, want BAD_REQUEST", name, w.Body)
		}
	}
}

// hostile is a document that would cost much, and the code of what refuses it, empty where it is answered.
type hostile struct{ query, wantCode string }

func hostileDocuments() map[string]hostile {
	fragments := func(n int) string { // each spreads the next one twice
		var b strings.Builder
		b.WriteString("{ ...f0 }")
		for i := range n {
			fmt.Fprintf(&b, " fragment f%d on Query { ...f%d ...f%d }", i, i+1, i+1)
		}
		fmt.Fprintf(&b, " fragment f%d on Query { __typename }", n)
		return b.String()
	}
	nest := func(n int) string {
		return "{ __schema { types " + strings.Repeat("{ fields { type ", n) + "{ name }" + strings.Repeat(" } }", n) + " } }"
	}
	return map[string]hostile{
		"88 KB of __typename":            {"{" + strings.Repeat(" __typename", 8000) + "}", "QUERY_TOO_COMPLEX"},
		"1,900 times __typename":         {"{" + strings.Repeat(" __typename", 1900) + "}", "QUERY_TOO_COMPLEX"},
		"1,900 times __typename, nested": {"{ cvms {" + strings.Repeat(" __typename", 1900) + "} }", "QUERY_TOO_COMPLEX"},
		"300 times __typename, nested":   {"{ cvms {" + strings.Repeat(" __typename", 300) + "} }", ""},
		"sets that have to be merged":    {"{ cvms {" + strings.Repeat(" nodes { id name }", 300) + "} }", ""},
		"sets within sets":               {"{" + strings.Repeat(" cvms { nodes { hosted { configuration { composeFile { name } } } } }", 30) + "}", ""},
		"4 KB of @a":                     {"{ __typename " + strings.Repeat("@a", 2000) + " }", "QUERY_TOO_COMPLEX"},
		"900 unknown directives":         {"{ __typename " + strings.Repeat("@a", 900) + " }", "QUERY_TOO_COMPLEX"},
		"80 KB of unknown directives":    {"{ __typename " + strings.Repeat("@abcdefg ", 9000) + " }", "QUERY_TOO_COMPLEX"},
		"31 aliases":                     {"{" + aliases(31) + "}", "QUERY_TOO_COMPLEX"},
		"30 aliases":                     {"{" + aliases(30) + "}", ""},
		"16 levels":                      {nest(7), "QUERY_TOO_COMPLEX"},
		"fragments that double 30 times": {fragments(30), "QUERY_TOO_COMPLEX"},
		"fragments that double 90 times": {fragments(90), "QUERY_TOO_COMPLEX"},
		"fragments in a circle":          {"{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "GRAPHQL_VALIDATION_FAILED"},
		"unknown fields":                 {"{ cvms { " + strings.Repeat("nope ", 290) + "} }", "GRAPHQL_VALIDATION_FAILED"},
		"many unknown fields, deep":      {"{" + strings.Repeat(" cvms { nodes { hosted { no nope nopenope }}}", 30) + "}", "GRAPHQL_VALIDATION_FAILED"},
		"a name of 200 KB":               {"{ " + strings.Repeat("a", 200<<10) + " }", "QUERY_TOO_COMPLEX"},
		"a string of 200 KB":             {`{ cvms(after: "` + strings.Repeat("a", 200<<10) + `") { totalCount } }`, "BAD_USER_INPUT"},
		"a comment of 200 KB":            {"{ __typename } #" + strings.Repeat("a", 200<<10), ""},
		"unknown arguments":              {"{ cvms(" + strings.Repeat("a: 1 ", 400) + ") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"},
		"a list in a list":               {"{ cvms(first: " + strings.Repeat("[", 900) + strings.Repeat("]", 900) + ") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"},
		"many operations":                {strings.Repeat("query A { __typename } ", 300), "GRAPHQL_VALIDATION_FAILED"},
		"many variables":                 {"query(" + strings.Repeat("$a: Int ", 400) + ") { __typename }", "GRAPHQL_VALIDATION_FAILED"},
		"bytes of control":               {"{ \x01\x02 }", "GRAPHQL_PARSE_FAILED"},
		"opening braces":                 {strings.Repeat("{a", 900), "GRAPHQL_PARSE_FAILED"},
	}
}

func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range hostileDocuments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{Items: 3}))
			body, err := json.Marshal(map[string]string{"query": test.query})
			if err != nil {
				t.Fatal(err)
			}
			w := g.send(t, http.MethodPost, "/graphql", string(body))
			if w.Body.Len() > 64<<10 {
				t.Errorf("answer: got %d bytes, want at most 64 KiB", w.Body.Len())
			}
			if test.wantCode == "" {
				if strings.Contains(w.Body.String(), `"errors"`) {
					t.Errorf("got %.300s, want data", w.Body)
				}
				return
			}
			var got answer
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) == 0 || got.Errors[0].code() != test.wantCode {
				t.Fatalf("got %.300s, want %s", w.Body, test.wantCode)
			}
			if test.wantCode == "QUERY_TOO_COMPLEX" {
				limit, _ := got.Errors[0].Extensions["limit"].(float64)
				actual, _ := got.Errors[0].Extensions["actual"].(float64)
				if limit <= 0 || actual <= limit {
					t.Errorf("got limit %v and actual %v, want the one above the other", limit, actual)
				}
			}
			if len(got.Errors) > 101 {
				t.Errorf("got %d errors, want at most 100 and their rest", len(got.Errors))
			}
		})
	}
}

// TestHostileRequestsTakeLittleCPU holds that no request takes more than 150 ms of CPU time. Documents are new each time.
func TestHostileRequestsTakeLittleCPU(t *testing.T) { //nolint:paralleltest // what others use would count
	if testmode.Race {
		t.Skip("the race detector takes most of the time")
	}
	const most = 150 * time.Millisecond
	list := cost.NewList(0)
	cursors, err := list.Cursors(1000)
	if err != nil {
		t.Fatal(err)
	}
	documents := hostileDocuments()
	documents["seven sets of 270 fields"] = hostile{query: denseDocument(270)}
	thirty := func(name, head, format string, argument func(i int) any) {
		var b strings.Builder
		for i := range 30 {
			fmt.Fprintf(&b, " f%d: "+format, i, argument(i))
		}
		documents[name] = hostile{query: head + " {" + b.String() + " }"}
	}
	behind := func(i int) any { return cursors[i*20+19] }
	thirty("30 windows that touch", "query", "cvms(first: 20, after: %q) { nodes { id } }", behind)
	thirty("30 long windows that overlap", "query", "cvms(first: 1000, after: %q) { pageInfo { hasNextPage } }", behind)
	thirty("30 long windows from the front", "query", "cvms(first: %d) { pageInfo { hasNextPage } }", func(i int) any { return 1000 - i })
	thirty("30 long windows from the back", "query", "cvms(last: %d) { pageInfo { hasNextPage } }", func(i int) any { return 1000 - i })
	thirty("30 long windows of 30 lists", "query", "cvms(first: 1000, nodeId: %d) { pageInfo { hasNextPage } }", func(i int) any { return i + 1 })
	thirty("1000 ids, 30 times", "query($ids: [ID!]!)", "nodes(ids: $ids) { id ... on Cvm @skip(if: %v) { name } }", func(int) any { return true })
	thirty("60,000 ids, 30 times", "query($many: [ID!]!)", "nodes(ids: $many) { id ... on Cvm @skip(if: %v) { name } }", func(int) any { return true })
	thirty("the schema, 30 times", "query", "__schema { types { name description fields { name description type { name kind } } } } #%d\n", func(i int) any { return i })
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = relay.Identity{VMID: fmt.Sprint("none ", i)}.NodeID()
	}
	g := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages = list.Cached() })
	for name, document := range documents {
		took := time.Hour
		for i := range 3 {
			variables := vars{"ids": ids}
			if strings.Contains(document.query, "$many") {
				variables = vars{"many": slices.Repeat([]string{"a"}, 60_000)}
			}
			body, err := json.Marshal(map[string]any{"query": fmt.Sprintf("%s\n#%d", document.query, i), "variables": variables})
			if err != nil {
				t.Fatal(err)
			}
			begun := cost.CPU()
			answer := serve(t.Context(), g.handler, "Bearer x", body)
			took = min(took, cost.CPU()-begun)
			if document.wantCode == "" && !bytes.Contains(answer, []byte(`"data":{`)) && !bytes.Contains(answer, []byte("QUERY_TOO_COMPLEX")) {
				t.Fatalf("%s: got %.300s, want data or a refusal", name, answer)
			}
		}
		t.Logf("%s: %v", name, took)
		if took > most {
			t.Errorf("%s: took %v of CPU time, want at most %v", name, took, most)
		}
	}
}

// denseDocument returns a document of seven sets of n fields.
func denseDocument(n int) string {
	repeated := func(field string) string { return strings.Repeat(" "+field, n) }
	return "{ cvms(first: 1) { nodes {" + repeated("name") + " node {" + repeated("name") + " } kmsInfo {" + repeated("chainId") + " } hosted {" +
		repeated("status") + " configuration {" + repeated("image") + " composeFile {" + repeated("name") + " } gpus { gpus {" + repeated("slot") + " } } } } } } }"
}

// TestDocumentsTakeBoundedMemory sends documents of 40 KB, which are not all kept.
func TestDocumentsTakeBoundedMemory(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector takes memory")
	}
	const most = 16 << 20 // where each takes half a megabyte, and is taken for one of 3 MB
	g := newGateway(t, http.NotFoundHandler(), func(r *graph.Resolver) { r.Pages = cost.NewList(0).Cached() })
	text := denseDocument(250)
	text += strings.Repeat(" ", 40<<10-len(text))
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // what finalizers held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range testmode.Count(60, 1000) {
		query := fmt.Sprintf("query q%d %s", i, text)
		body, err := json.Marshal(map[string]any{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		if answer := serve(t.Context(), g.handler, "Bearer x", body); !bytes.HasPrefix(answer, []byte(`{"data":`)) {
			t.Fatalf("got %.300s, want data", answer)
		}
	}
	after := heap()
	t.Logf("%d MB more", int64(after-before)>>20)
	if after > before+most {
		t.Errorf("got %d bytes more, want at most %d", after-before, most)
	}
	runtime.KeepAlive(g)
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d: __typename", i)
	}
	return b.String()
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	on := newGateway(t, demo.New(demo.Options{}))
	off := newGateway(t, demo.New(demo.Options{}), func(r *graph.Resolver) { r.Introspection = false })
	for _, query := range []string{"{ __schema { types { name } } }", `{ __type(name: "Cvm") { fields { name } } }`, "{ ...f } fragment f on Query { __schema { types { name } } }"} {
		if a := on.post(t, query, nil, nil); len(a.Errors) > 0 {
			t.Errorf("on, %s: got %+v, want data", query, a.Errors)
		}
		if a := off.post(t, query, nil, nil); len(a.Errors) == 0 || a.Errors[0].code() != "GRAPHQL_VALIDATION_FAILED" || a.Data != nil {
			t.Errorf("off, %s: got %s, want GRAPHQL_VALIDATION_FAILED", query, a.raw)
		}
	}
	for _, query := range []string{
		"{ cvm { totalCount } }", "{ cvms { totalCont } }", "{ cvms(frist: 1) { totalCount } }", "{ ... on Qery { cvms { totalCount } } }",
		"{ cvms }", "query($a: Itn) { cvms(first: $a) { totalCount } }", "{ cvms @skp(if: true) { totalCount } }", "{ cvms @skip(fi: true) { totalCount } }",
	} {
		if a := off.post(t, query, nil, nil); strings.Contains(strings.ToLower(a.raw), "did you mean") || len(a.Errors) == 0 {
			t.Errorf("off, %s: got %s, want an error without suggestions", query, a.raw)
		}
	}
	if a := on.post(t, "{ cvms { totalCont } }", nil, nil); !strings.Contains(a.raw, "Did you mean") {
		t.Errorf("on: got %s, want a suggestion", a.raw)
	}
	if a := off.post(t, "{ __typename }", nil, nil); len(a.Errors) > 0 {
		t.Errorf("off, __typename: got %+v, want data", a.Errors)
	}
}

// TestMessagesRepeatNoText puts a text into places where GraphQL does not want it.
func TestMessagesRepeatNoText(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	const secret = "phak_s3cret!"
	for query, want := range map[string]string{
		`{ cvms(first: "` + secret + `") { totalCount } }`:                    "Int cannot represent non-integer value: a string",
		`{ cvms(first: ["` + secret + `"]) { totalCount } }`:                  "Int cannot represent non-integer value: a list",
		`{ cvms(after: {a: "` + secret + `"}) { totalCount } }`:               `Field "a" is not defined by type "String".`,
		`query($a: Int = """` + secret + `""") { cvms(first: $a) { nodes } }`: "Int cannot represent non-integer value: a string",
		`{ "` + secret + `" }`:                           "Expected Name, found String",
		`{ cvms(first: 1 """` + secret + `""") }`:        "Expected Name, found BlockString",
		`query "` + secret + `" { cvms { totalCount } }`: "Expected {, found String",
		`{ cvms(first: true) { totalCount } }`:           "Int cannot represent non-integer value: true",
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
			t.Errorf("%s: got %s, want an error without the text", body, w.Body)
		}
	}
	lines := "{ cvms(user\"\"\"a\nb\"\"\": 1) }"
	if a := g.post(t, lines, nil, nil); a.onlyError(t).code() != "GRAPHQL_PARSE_FAILED" || strings.Contains(a.raw, `"column":-`) {
		t.Errorf("%q: got %s, want GRAPHQL_PARSE_FAILED, and no column below 1", lines, a.raw)
	}
}

// graphiQLIntrospection is the query by which graphql-js, and so GraphiQL, asks for a schema.
const graphiQLIntrospection = `query IntrospectionQuery {
  __schema { queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType } directives { name description locations args { ...InputValue } isRepeatable } } }
fragment FullType on __Type { kind name description specifiedByURL
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

func TestGraphiQLsIntrospectionPasses(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	if a := g.post(t, graphiQLIntrospection, nil, http.Header{}); len(a.Errors) > 0 {
		t.Errorf("got %+v, want the schema", a.Errors)
	}
}

func TestEveryErrorHasACode(t *testing.T) {
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
		t.Errorf("got the codes %v, want five kinds at least", got)
	}
}
