package graphqlhttp_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/buffers"
	"cvmgraph/internal/graphqlhttp"
)

const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// stubSchema is an executable schema whose operations all have the same data.
type stubSchema struct{ data string }

func (stubSchema) Schema() *ast.Schema {
	return gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { list(n: Int): [Int] }"})
}

func (stubSchema) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s stubSchema) Exec(context.Context) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Data: []byte(s.data)})
}

// stubOperation is an operation of the caller that the header Authorization names.
type stubOperation struct {
	caller  string
	current *atomic.Bool // whether cached responses may be used
}

func (o stubOperation) CacheScope() (scope [32]byte, ok bool) {
	copy(scope[:], o.caller)
	return scope, o.caller != ""
}

func (stubOperation) WithDocument(ctx context.Context, _ string) context.Context { return ctx }

func (stubOperation) MaxAge() (time.Duration, bool) { return graphqlhttp.MaxAge, true }

func (stubOperation) AppendData(_ *buffers.Buffer, dst, data []byte) ([]byte, *gqlerror.Error) {
	return append(dst, data...), nil
}

func (stubOperation) Extensions() map[string]any { return nil }

func (o stubOperation) Sources() (graphqlhttp.Sources, bool) { return o, true }

func (stubOperation) FreshFor() time.Duration { return graphqlhttp.MaxAge }

func (o stubOperation) Current() bool { return o.current.Load() }

func (stubOperation) MemorySize() int { return 8 }

// endpoint is a handler over a stub, and the events that it reports.
type endpoint struct {
	*graphqlhttp.Handler
	current atomic.Bool
	events  []string
}

func newEndpoint(data string, change ...func(*graphqlhttp.Options)) *endpoint {
	e := &endpoint{}
	e.current.Store(true)
	options := graphqlhttp.Options{
		Executor: executor.New(stubSchema{data}),
		NewOperation: func(header http.Header) graphqlhttp.Operation {
			return stubOperation{header.Get("Authorization"), &e.current}
		},
		PresentError: func(context.Context, error) *gqlerror.Error { return &gqlerror.Error{Message: "it failed"} },
		Observer: graphqlhttp.Observer{
			Executed: func(_ context.Context, _ *graphql.OperationContext, errs gqlerror.List) {
				e.events = append(e.events, fmt.Sprint("executed, errors: ", len(errs)))
			},
			CacheHit: func(_ context.Context, name string) { e.events = append(e.events, "cache hit of "+name) },
			Rejected: func(_ context.Context, code string) { e.events = append(e.events, "rejected: "+code) },
		},
	}
	for _, c := range change {
		c(&options)
	}
	e.Handler = graphqlhttp.New(options)
	return e
}

// send sends a request and returns the response.
func (e *endpoint) send(t *testing.T, method, target, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaJSON)
	for name, values := range header {
		if r.Header.Del(name); values[0] != "" {
			r.Header.Set(name, values[0])
		}
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
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

func TestHandler_mediaType(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		accept string
		want   string // empty if no type is acceptable
	}{
		"no header":                           {accept: "", want: mediaJSON},
		"any type":                            {accept: "*/*", want: mediaJSON},
		"any type of application":             {accept: "application/*", want: mediaJSON},
		"the new type":                        {accept: mediaGraphQL, want: mediaGraphQL},
		"the old type":                        {accept: mediaJSON, want: mediaJSON},
		"both":                                {accept: mediaGraphQL + ", " + mediaJSON, want: mediaGraphQL},
		"both, the old type first":            {accept: mediaJSON + "," + mediaGraphQL, want: mediaGraphQL},
		"a higher weight of the old type":     {accept: mediaGraphQL + ";q=0.8, " + mediaJSON + ";q=0.9", want: mediaJSON},
		"Apollo Client":                       {accept: "application/graphql-response+json,application/json;q=0.9", want: mediaGraphQL},
		"urql":                                {accept: "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", want: mediaGraphQL},
		"a browser":                           {accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", want: mediaJSON},
		"with a charset":                      {accept: "application/json; charset=utf-8", want: mediaJSON},
		"the charset in capitals":             {accept: "application/json;charset=UTF-8", want: mediaJSON},
		"another charset":                     {accept: "application/json; charset=iso-8859-1", want: ""},
		"another charset, or any type":        {accept: "application/json; charset=iso-8859-1, */*;q=0.1", want: mediaJSON},
		"only HTML":                           {accept: "text/html", want: ""},
		"any type except the old one":         {accept: "*/*, application/json;q=0", want: mediaGraphQL},
		"both rejected":                       {accept: "application/json;q=0, application/graphql-response+json;q=0", want: ""},
		"a weight above 1":                    {accept: "application/json;q=2", want: ""},
		"a weight that is not a number":       {accept: "application/json;q=NaN", want: ""},
		"upper case":                          {accept: "Application/JSON", want: mediaJSON},
		"a malformed element and a valid one": {accept: ";;;, application/json", want: mediaJSON},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(`{"list":[]}`)
			w := e.send(t, http.MethodPost, "/graphql", `{"query":"{ list }"}`, http.Header{"Accept": {test.accept}})
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

// TestHandler_malformedRequest also checks that no part of a malformed request is in the response.
func TestHandler_malformedRequest(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-text-of-the-body"
	tests := map[string]struct {
		method string // POST if empty
		target string // /graphql if empty
		body   string
		header http.Header
		status int // 400 if 0
	}{
		"no body":                      {},
		"no query":                     {body: `{"qeury":"{ __typename }"}`},
		"no query by GET":              {method: "GET"},
		"half a body":                  {body: `{"query":"{ __typename }", "` + secret},
		"a body and more":              {body: `{"query":"{ __typename }"} ` + secret},
		"two bodies":                   {body: `{"query":"{ __typename }"}{"query":"{ __typename }"}`},
		"a body that is a string":      {body: `"` + secret + `"`},
		"a body that is null":          {body: `null`},
		"a body of words":              {body: secret},
		"a body with a trailing comma": {body: `{"query":"{ __typename }",}`},
		"a body that is not UTF-8":     {body: "{\"query\":\"{ __typename }\",\"x\":\"\xff\"}"},
		"a body nested without end":    {body: `{"variables":` + strings.Repeat(`{"a":`, 100_000)},
		"lists nested far":             {body: `{"query":"{ __typename }","variables":{"a":` + strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000) + `}}`},
		"a batch":                      {body: `[{"query":"{ __typename }"}]`},
		"an empty batch":               {body: ` []`},
		"two queries in one body":      {body: `{"query":"{ __typename }","query":"{ a: __typename }"}`},
		"two queries in one URL":       {method: "GET", target: get("{ __typename }", "query", "{ a: __typename }")},
		"a URL that is malformed":      {method: "GET", target: "/graphql?query=%7B__typename%7D&x=%zz"},
		"a URL with a semicolon":       {method: "GET", target: "/graphql?query=%7B__typename%7D;variables=1"},
		"a URL that is not UTF-8":      {method: "GET", target: "/graphql?query=%ff"},
		"variables that are a list":    {body: `{"query":"{ __typename }","variables":[]}`},
		"variables in words in a URL":  {method: "GET", target: get("{ __typename }", "variables", secret)},
		"a list of variables in a URL": {method: "GET", target: get("{ __typename }", "variables", `[]`)},
		"two objects in a URL":         {method: "GET", target: get("{ __typename }", "variables", `{}{}`)},
		"a form":                       {body: `query=%7B__typename%7D`, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, status: 415},
		"multipart":                    {body: `--x`, header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, status: 415},
		"text":                         {body: `{"query":"{ __typename }"}`, header: http.Header{"Content-Type": {"text/plain"}}, status: 415},
		"a bare document":              {body: `{ __typename }`, header: http.Header{"Content-Type": {"application/graphql"}}, status: 415},
		"no type":                      {body: `{"query":"{ __typename }"}`, header: http.Header{"Content-Type": {""}}, status: 415},
		"another charset":              {body: `{"query":"{ __typename }"}`, header: http.Header{"Content-Type": {"application/json; charset=latin1"}}, status: 415},
		"a compressed body":            {body: "\x1f\x8b", header: http.Header{"Content-Encoding": {"gzip"}}, status: 415},
		"another method":               {method: "PUT", body: `{}`, status: 405},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, media := range []string{mediaJSON, mediaGraphQL} {
				header := http.Header{"Accept": {media}}
				maps.Copy(header, test.header)
				e := newEndpoint(`{"list":[]}`)
				w := e.send(t, cmp.Or(test.method, "POST"), cmp.Or(test.target, "/graphql"), test.body, header)
				if want := cmp.Or(test.status, 400); w.Code != want || w.Header().Get("Content-Type") != media+"; charset=utf-8" {
					t.Errorf("%s: got %d %s, want %d of the same type: %s", media, w.Code, w.Header().Get("Content-Type"), want, w.Body)
				}
				checkRejected(t, w, "BAD_REQUEST")
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s: got the body back: %s", media, w.Body)
				}
				if want := []string{"rejected: BAD_REQUEST"}; !slices.Equal(e.events, want) {
					t.Errorf("%s: got the events %q, want %q", media, e.events, want)
				}
			}
		})
	}
}

// checkRejected checks that a response has one error, with the code, and nothing else.
func checkRejected(t *testing.T, w *httptest.ResponseRecorder, code string) {
	t.Helper()
	var body map[string][]struct {
		Message    string
		Extensions map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("got %.200q, want JSON with errors alone", w.Body)
	}
	if errs := body["errors"]; len(errs) != 1 || errs[0].Message == "" || errs[0].Extensions["code"] != code || len(body) != 1 {
		t.Errorf("got %s, want an error with the code %s and no data", w.Body, code)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
}

func TestHandler_bodyTooLarge(t *testing.T) {
	t.Parallel()
	e := newEndpoint(`{}`)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ list }","x":"`+strings.Repeat("x", 1000)+`"}`))
	r.Header.Set("Content-Type", mediaJSON)
	w := httptest.NewRecorder()
	r.Body = http.MaxBytesReader(w, r.Body, 500)
	e.ServeHTTP(w, r)
	if want := `{"errors":[{"message":"the request body is too large","extensions":{"code":"QUERY_TOO_COMPLEX","limit":500}}]}`; w.Code != 413 || w.Body.String() != want {
		t.Errorf("got %d %s, want 413 %s", w.Code, w.Body, want)
	}
}

func TestHandler_bodyTruncated(t *testing.T) {
	t.Parallel()
	e := newEndpoint(`{}`)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ list }"}`))
	r.Header.Set("Content-Type", mediaJSON)
	r.ContentLength = 100
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if want := `{"errors":[{"message":"request body was truncated","extensions":{"code":"BAD_REQUEST"}}]}`; w.Code != 400 || w.Body.String() != want {
		t.Errorf("got %d %s, want 400 %s", w.Code, w.Body, want)
	}
}

func TestHandler_panic(t *testing.T) {
	t.Parallel()
	e := newEndpoint(`{}`, func(o *graphqlhttp.Options) {
		o.NewOperation = func(http.Header) graphqlhttp.Operation { panic("s3cret") }
	})
	w := e.send(t, http.MethodPost, "/graphql", `{"query":"{ list }"}`, nil)
	if want := `{"errors":[{"message":"it failed"}]}`; w.Code != 500 || w.Body.String() != want {
		t.Errorf("got %d %s, want 500 %s", w.Code, w.Body, want)
	}
	if want := []string{"rejected: INTERNAL_SERVER_ERROR"}; !slices.Equal(e.events, want) {
		t.Errorf("got the events %q, want %q", e.events, want)
	}
}

func TestHandler_contextEnded(t *testing.T) {
	t.Parallel()
	e := newEndpoint(`{}`, func(o *graphqlhttp.Options) {
		newOperation := o.NewOperation
		o.NewOperation = func(header http.Header) graphqlhttp.Operation { return endedOperation{newOperation(header)} }
	})
	w := e.send(t, http.MethodPost, "/graphql", `{"query":"{ list }"}`, nil)
	want := `{"errors":[{"message":"the request timed out before it was executed: try again","extensions":{"code":"UNAVAILABLE","retryAfter":1}}]}`
	if w.Code != 503 || w.Body.String() != want {
		t.Errorf("got %d %s, want 503 %s", w.Code, w.Body, want)
	}
}

// endedOperation is an operation whose context has ended.
type endedOperation struct{ graphqlhttp.Operation }

func (endedOperation) WithDocument(ctx context.Context, _ string) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func TestHandler_manyErrors(t *testing.T) {
	t.Parallel()
	e := newEndpoint(`{}`)
	query := "{" + strings.Repeat(" "+strings.Repeat("é", 300), 150) + " }"
	w := e.send(t, http.MethodPost, "/graphql", `{"query":"`+query+`"}`, nil)
	checkRejected(t, w, "GRAPHQL_PARSE_FAILED")
	query = "{" + strings.Repeat(" "+strings.Repeat("x", 300), 150) + " }"
	w = e.send(t, http.MethodPost, "/graphql", `{"query":"`+query+`"}`, nil)
	var body struct{ Errors []struct{ Message string } }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if n := len(body.Errors); n != 101 || body.Errors[100].Message != "there are more errors" {
		t.Errorf("got %d errors, want 100 and one that says so", n)
	}
}

func TestResponseCache_hit(t *testing.T) {
	t.Parallel()
	e := newEndpoint(`{"list":[1]}`, func(o *graphqlhttp.Options) {
		o.ResponseCache = graphqlhttp.ResponseCacheOptions{MaxBytes: 1 << 20, TTL: time.Hour}
	})
	const executed, hit = "executed, errors: 0", "cache hit of List"
	for i, step := range []struct {
		caller, query string
		changed       bool // whether the sources have changed
		want          string
	}{
		{caller: "a", query: "query List { list }", want: executed},
		{caller: "a", query: "query List { list }", want: executed}, // the second response is stored
		{caller: "a", query: "query List { list }", want: hit},
		{caller: "a", query: "query List { list }", changed: true, want: executed},
		{caller: "a", query: "query List { list }", want: hit},
		{caller: "b", query: "query List { list }", want: executed},
		{caller: "a", query: "query List { list } ", want: executed},
		{caller: "", query: "query List { list }", want: executed},
	} {
		e.events = nil
		e.current.Store(!step.changed)
		w := e.send(t, http.MethodPost, "/graphql", `{"query":"`+step.query+`"}`, http.Header{"Authorization": {step.caller}})
		if want := `{"data":{"list":[1]}}`; w.Body.String() != want || !slices.Equal(e.events, []string{step.want}) {
			t.Errorf("step %d: got %s and the events %q, want %s and %q", i, w.Body, e.events, want, step.want)
		}
	}
}
