package httpserver_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"cvmgraph/internal/httpserver"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	const sdl = "type Query { ok: Boolean }\n"
	const jsonType, textType = "application/json; charset=utf-8", "text/plain; charset=utf-8"
	for name, test := range map[string]struct {
		method, target string
		status         int
		contentType    string
		allow          string
		body           string
	}{
		"POST /graphql is GraphQL's":        {"POST", "/graphql", 200, textType, "", "POST hello"},
		"GET /graphql is GraphQL's":         {"GET", "/graphql?query=x", 200, textType, "", "GET hello"},
		"HEAD /graphql is a GET":            {"HEAD", "/graphql?query=x", 200, textType, "", "GET hello"}, // net/http drops the body
		"PUT /graphql is refused":           {"PUT", "/graphql", 405, jsonType, "GET, HEAD, POST", "BAD_REQUEST"},
		"OPTIONS /graphql is refused":       {"OPTIONS", "/graphql", 405, jsonType, "GET, HEAD, POST", "BAD_REQUEST"},
		"GET /schema.graphql is the SDL":    {"GET", "/schema.graphql", 200, textType, "", sdl},
		"HEAD /schema.graphql has no body":  {"HEAD", "/schema.graphql", 200, textType, "", ""},
		"POST /schema.graphql is refused":   {"POST", "/schema.graphql", 405, jsonType, "GET, HEAD", "BAD_REQUEST"},
		"GET /healthz is alive":             {"GET", "/healthz", 200, jsonType, "", `{"status":"ok"}`},
		"HEAD /healthz is alive":            {"HEAD", "/healthz", 200, jsonType, "", ""},
		"DELETE /healthz is refused":        {"DELETE", "/healthz", 405, jsonType, "GET, HEAD", "BAD_REQUEST"},
		"GET /readyz before Run is not":     {"GET", "/readyz", 503, jsonType, "", `{"status":"starting"}`},
		"POST /readyz is refused":           {"POST", "/readyz", 405, jsonType, "GET, HEAD", "BAD_REQUEST"},
		"an unknown path is not found":      {"GET", "/nothing", 404, jsonType, "", "NOT_FOUND"},
		"the root is not found":             {"GET", "/", 404, jsonType, "", "NOT_FOUND"},
		"a path below GraphQL is not found": {"POST", "/graphql/x", 404, jsonType, "", "NOT_FOUND"},
		"an odd spelling is not redirected": {"GET", "//graphql?query=x", 404, jsonType, "", "NOT_FOUND"},
		"nor is a path with dots":           {"PUT", "/x/../graphql?query=x", 404, jsonType, "", "NOT_FOUND"},
		"nor is no path":                    {"GET", "http://gateway.example?query=x", 404, jsonType, "", "NOT_FOUND"},
		"an unknown method is refused":      {"BREW", "/healthz", 405, jsonType, "GET, HEAD", "BAD_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(httpserver.Options{GraphQL: echo(), SDL: sdl}, request(test.method, test.target, "hello"))
			if test.body == "GET hello" || test.body == "POST hello" {
				got.header.Set("Content-Type", textType) // net/http finds it, a recorder does not
			}
			if got.status != test.status || got.header.Get("Content-Type") != test.contentType || got.header.Get("Allow") != test.allow {
				t.Errorf("got status %d, type %q, allow %q, want %d, %q, %q", got.status, got.header.Get("Content-Type"),
					got.header.Get("Allow"), test.status, test.contentType, test.allow)
			}
			if !strings.Contains(got.body, test.body) {
				t.Errorf("got body %q, want %q in it", got.body, test.body)
			}
		})
	}
}

func TestSchemaIsValidatedByItsTag(t *testing.T) {
	t.Parallel()
	o := httpserver.Options{GraphQL: echo(), SDL: "type Query { ok: Boolean }\n"}
	first := serve(o, request("GET", "/schema.graphql", ""))
	if got, want := first.header.Get("Content-Length"), strconv.Itoa(len(o.SDL)); got != want {
		t.Errorf("Content-Length: got %q, want %q", got, want)
	}
	req := request("GET", "/schema.graphql", "")
	req.Header.Set("If-None-Match", first.header.Get("ETag"))
	if got := serve(o, req); got.status != http.StatusNotModified || got.body != "" {
		t.Errorf("the same tag: got status %d and %q, want 304 and nothing", got.status, got.body)
	}
	o.SDL += "type New { ok: Boolean }\n"
	if got := serve(o, req); got.status != http.StatusOK {
		t.Errorf("the tag of another text: got status %d, want 200", got.status)
	}
}
