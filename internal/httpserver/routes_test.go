package httpserver_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"cvmgraph/internal/httpserver"
)

func TestRoutes_responses(t *testing.T) {
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
		"POST /graphql is GraphQL's":       {method: "POST", target: "/graphql", status: 200, contentType: textType, body: "POST hello"},
		"GET /graphql is GraphQL's":        {method: "GET", target: "/graphql?query=x", status: 200, contentType: textType, body: "GET hello"},
		"HEAD /graphql is a GET":           {method: "HEAD", target: "/graphql?query=x", status: 200, contentType: textType, body: "GET hello"}, // net/http drops the body
		"PUT /graphql is rejected":         {method: "PUT", target: "/graphql", status: 405, contentType: jsonType, allow: "GET, HEAD, POST", body: "BAD_REQUEST"},
		"OPTIONS /graphql is rejected":     {method: "OPTIONS", target: "/graphql", status: 405, contentType: jsonType, allow: "GET, HEAD, POST", body: "BAD_REQUEST"},
		"GET /schema.graphql is the SDL":   {method: "GET", target: "/schema.graphql", status: 200, contentType: textType, body: sdl},
		"HEAD /schema.graphql has no body": {method: "HEAD", target: "/schema.graphql", status: 200, contentType: textType},
		"POST /schema.graphql is rejected": {method: "POST", target: "/schema.graphql", status: 405, contentType: jsonType, allow: "GET, HEAD", body: "BAD_REQUEST"},
		"GET /healthz is alive":            {method: "GET", target: "/healthz", status: 200, contentType: jsonType, body: `{"status":"ok"}`},
		"HEAD /healthz is alive":           {method: "HEAD", target: "/healthz", status: 200, contentType: jsonType},
		"DELETE /healthz is rejected":      {method: "DELETE", target: "/healthz", status: 405, contentType: jsonType, allow: "GET, HEAD", body: "BAD_REQUEST"},
		"GET /readyz before Run is not":    {method: "GET", target: "/readyz", status: 503, contentType: jsonType, body: `{"status":"starting"}`},
		"POST /readyz is rejected":         {method: "POST", target: "/readyz", status: 405, contentType: jsonType, allow: "GET, HEAD", body: "BAD_REQUEST"},
		"unknown path":                     {method: "GET", target: "/nothing", status: 404, contentType: jsonType, body: "NOT_FOUND"},
		"root without a page":              {method: "GET", target: "/", status: 404, contentType: jsonType, body: "NOT_FOUND"},
		"path below /graphql":              {method: "POST", target: "/graphql/x", status: 404, contentType: jsonType, body: "NOT_FOUND"},
		"path that is not canonical":       {method: "GET", target: "//graphql?query=x", status: 404, contentType: jsonType, body: "NOT_FOUND"},
		"path with dots":                   {method: "PUT", target: "/x/../graphql?query=x", status: 404, contentType: jsonType, body: "NOT_FOUND"},
		"no path":                          {method: "GET", target: "http://gateway.example?query=x", status: 404, contentType: jsonType, body: "NOT_FOUND"},
		"unknown method":                   {method: "BREW", target: "/healthz", status: 405, contentType: jsonType, allow: "GET, HEAD", body: "BAD_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(httpserver.Options{GraphQL: echo(), SDL: sdl}, request(test.method, test.target, "hello"))
			if test.body == "GET hello" || test.body == "POST hello" {
				got.header.Set("Content-Type", textType) // net/http detects the type, a recorder does not
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

func TestSchema_etag(t *testing.T) {
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

func TestServer_playground(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page " + r.URL.Path)) })
	for target, want := range map[string]string{"/": "page /", "/assets/x.js": "page /assets/x.js"} {
		if got := serve(httpserver.Options{GraphQL: echo(), Playground: page}, request("GET", target, "")); got.status != 200 || got.body != want {
			t.Errorf("with a page, %s: got %d %s, want 200 %s", target, got.status, got.body, want)
		}
		if got := serve(httpserver.Options{GraphQL: echo()}, request("GET", target, "")); got.status != 404 {
			t.Errorf("without a page, %s: got %d, want 404", target, got.status)
		}
	}
	if got := serve(httpserver.Options{GraphQL: echo(), Playground: page}, request("GET", "/assets?query=x", "")); got.status != 404 {
		t.Errorf("/assets: got %d and Location %q, want 404", got.status, got.header.Get("Location"))
	}
	if got := serve(httpserver.Options{GraphQL: echo(), Playground: page}, request("POST", "/", "")); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: got %d, want 405", got.status)
	}
}
