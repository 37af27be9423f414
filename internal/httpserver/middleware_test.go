package httpserver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/httpserver"
	"cvmgraph/internal/telemetry"
)

func TestRequestID_header(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		offered string
		taken   bool
	}{
		"valid":             {offered: "trace-1.a_B", taken: true},
		"invalid character": {offered: "a b"},
		"too long":          {offered: strings.Repeat("a", 65)},
		"none":              {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inContext := ""
			graphql := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				inContext = telemetry.RequestIDFrom(r.Context())
			})
			req := request("POST", "/graphql", "")
			req.Header.Set("X-Request-Id", test.offered)
			got := serve(httpserver.Options{GraphQL: graphql}, req).header.Get("X-Request-Id")
			if got == "" || got != inContext || (got == test.offered) != test.taken {
				t.Errorf("offered %q: got header %q and context %q, want the same, taken: %v", test.offered, got, inContext, test.taken)
			}
		})
	}
}

func TestAccessLog_requests(t *testing.T) {
	t.Parallel()
	silent := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, test := range map[string]struct {
		graphql                     http.Handler
		method, target              string
		wantLevel, wantVerb, wantTo string
		wantStatus, wantBytes       float64
	}{
		"query":                      {graphql: echo(), method: "POST", target: "/graphql?query=secret", wantLevel: "INFO", wantVerb: "POST", wantTo: "/graphql", wantStatus: 200, wantBytes: 11},
		"HEAD":                       {graphql: echo(), method: "HEAD", target: "/graphql", wantLevel: "INFO", wantVerb: "HEAD", wantTo: "/graphql", wantStatus: 200},
		"handler without a response": {graphql: silent, method: "GET", target: "/graphql", wantLevel: "INFO", wantVerb: "GET", wantTo: "/graphql", wantStatus: 200},
		"liveness check":             {graphql: echo(), method: "GET", target: "/healthz", wantLevel: "DEBUG", wantVerb: "GET", wantTo: "/healthz", wantStatus: 200, wantBytes: 15},
		"readiness check":            {graphql: echo(), method: "GET", target: "/readyz", wantLevel: "DEBUG", wantVerb: "GET", wantTo: "/readyz", wantStatus: 503, wantBytes: 21},
		"unknown path":               {graphql: echo(), method: "GET", target: "/secret", wantLevel: "INFO", wantVerb: "GET", wantTo: "other", wantStatus: 404, wantBytes: 90},
		"unknown method":             {graphql: echo(), method: "SECRET", target: "/secret", wantLevel: "INFO", wantVerb: "other", wantTo: "other", wantStatus: 404, wantBytes: 90},
		"encoded path":               {graphql: echo(), method: "GET", target: "/%73ecret%0a", wantLevel: "INFO", wantVerb: "GET", wantTo: "other", wantStatus: 404, wantBytes: 90},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var book logBook
			req := request(test.method, test.target, "secret")
			req.Header.Set("Authorization", "secret")
			got := serve(httpserver.Options{GraphQL: test.graphql, Logger: book.logger()}, req)
			lines := book.lines("request")
			if len(lines) != 1 {
				t.Fatalf("got %d lines, want 1", len(lines))
			}
			line := lines[0]
			if line["level"] != test.wantLevel || line["method"] != test.wantVerb || line["path"] != test.wantTo ||
				line["status"] != test.wantStatus || line["bytes"] != test.wantBytes ||
				line["request_id"] != got.header.Get("X-Request-Id") {
				t.Errorf("got %v, want %+v", line, test)
			}
			keys := slices.Sorted(maps.Keys(line))
			if want := []string{"bytes", "client", "duration_ms", "level", "method", "msg", "path", "request_id", "status", "time"}; !slices.Equal(keys, want) {
				t.Errorf("got keys %q, want %q", keys, want)
			}
			if strings.Contains(book.buf.String(), "secret") {
				t.Errorf("got a string of the caller in %s", book.buf.String())
			}
		})
	}
}

func TestPanic_beforeResponse(t *testing.T) {
	t.Parallel()
	var book logBook
	graphql := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", "9999")
		w.WriteHeader(http.StatusEarlyHints) // not a final response
		panic("out of cheese")
	})
	server := httptest.NewServer(httpserver.New(httpserver.Options{GraphQL: graphql, Logger: book.logger()}))
	defer server.Close()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", nil))
	req.Header.Set("X-Request-Id", "id1")
	got := roundTrip(t, server.Client(), req)
	want := `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"id1"}}]}`
	if got.status != http.StatusInternalServerError || got.body != want || got.header.Get("Content-Encoding") != "" {
		t.Errorf("got status %d, encoding %q, body %s, want 500, none, %s", got.status, got.header.Get("Content-Encoding"), got.body, want)
	}
	server.Close() // waits for the log lines
	panics, requests := book.lines("panic"), book.lines("request")
	if len(panics) != 1 || panics[0]["panic"] != "a value of type string" || panics[0]["request_id"] != "id1" || panics[0]["level"] != "ERROR" ||
		!strings.Contains(panics[0]["stack"].(string), "TestPanic_beforeResponse") {
		t.Errorf("got panic lines %v, want one with its type, id and stack", panics)
	}
	if len(requests) != 1 || requests[0]["status"] != 500.0 {
		t.Errorf("got request lines %v, want one with status 500", requests)
	}
	if strings.Contains(book.buf.String(), "cheese") {
		t.Errorf("got the value, which may be a secret, in %s", book.buf.String())
	}
}

func TestPanic_duringResponse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		graphql    http.HandlerFunc
		wantPanics int
		wantStatus float64
	}{
		"panic after a flush": {graphql: func(w http.ResponseWriter, _ *http.Request) {
			http.NewResponseController(w).Flush()
			panic("late")
		}, wantPanics: 1, wantStatus: 200},
		"panic after part of the body": {graphql: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			panic("late")
		}, wantPanics: 1, wantStatus: 200},
		"http.ErrAbortHandler before a response": {graphql: func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var book logBook
			server := httptest.NewServer(httpserver.New(httpserver.Options{GraphQL: test.graphql, Logger: book.logger()}))
			defer server.Close()
			resp, err := server.Client().Do(must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", nil)))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil {
				t.Error("got a whole response, want an error")
			}
			server.Close() // waits for the log lines
			panics, requests := book.lines("panic"), book.lines("request")
			if len(panics) != test.wantPanics || len(requests) != 1 || requests[0]["status"] != test.wantStatus {
				t.Errorf("got panic lines %v and request lines %v, want %d and one with status %v", panics, requests, test.wantPanics, test.wantStatus)
			}
		})
	}
}

func TestBody_tooLarge(t *testing.T) {
	t.Parallel()
	const limit = 10
	const rejected = `{"errors":[{"message":"the request body is larger than 10 bytes",` +
		`"extensions":{"actual":11,"code":"QUERY_TOO_COMPLEX","limit":10}}]}`
	for name, test := range map[string]struct {
		body    io.Reader // io.MultiReader hides the length, so that the body is chunked
		status  int
		want    string
		reaches bool // the handler
	}{
		"at the limit":            {body: strings.NewReader("0123456789"), status: 200, want: "0123456789", reaches: true},
		"over the limit":          {body: strings.NewReader("0123456789a"), status: 413, want: rejected},
		"chunked, at the limit":   {body: io.MultiReader(strings.NewReader("0123456789")), status: 200, want: "0123456789", reaches: true},
		"chunked, over the limit": {body: io.MultiReader(strings.NewReader("0123456789a")), status: 413, want: "limit 10", reaches: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reached := make(chan bool, 1)
			graphql := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached <- true
				body, err := io.ReadAll(r.Body)
				var tooLong *http.MaxBytesError
				if errors.As(err, &tooLong) {
					http.Error(w, "limit 10", http.StatusRequestEntityTooLarge)
					return
				}
				w.Write(body)
			})
			server := httptest.NewServer(httpserver.New(httpserver.Options{GraphQL: graphql, MaxBody: limit}))
			defer server.Close()
			got := roundTrip(t, server.Client(), must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", test.body)))
			if got.status != test.status || strings.TrimSpace(got.body) != test.want || len(reached) == 1 != test.reaches {
				t.Errorf("got status %d, %q, handler reached: %v, want %d, %q, %v", got.status, got.body, len(reached) == 1,
					test.status, test.want, test.reaches)
			}
		})
	}
}

func TestRequest_deadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		graphql := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			if err := context.Cause(r.Context()); !errors.Is(err, context.DeadlineExceeded) || err.Error() == context.DeadlineExceeded.Error() {
				t.Errorf("got cause %v, want one that wraps %v and says more", err, context.DeadlineExceeded)
			}
			io.WriteString(w, "late")
		})
		r := run(t, httpserver.Options{GraphQL: graphql, RequestTimeout: 20 * time.Second})
		for method, body := range map[string]io.Reader{http.MethodGet: nil, http.MethodPost: strings.NewReader("read in time")} {
			begun := time.Now()
			got := roundTrip(t, r.client, must(http.NewRequestWithContext(t.Context(), method, "http://server/graphql", body)))
			if got.status != http.StatusOK || got.body != "late" {
				t.Errorf("%s: got status %d and %q, want 200 and late: there is time to say so", method, got.status, got.body)
			}
			if got := time.Since(begun); got != 20*time.Second {
				t.Errorf("%s: got the response after %s, want 20s", method, got)
			}
		}
		r.end(t)
	})
}

func TestRequest_slowClient(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent string
		want time.Duration
	}{
		"incomplete header": {sent: "POST /graphql HTTP/1.1\r\nHost: x\r\n", want: 5 * time.Second},
		"incomplete body":   {sent: "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", want: 10 * time.Second},
		"idle connection":   {sent: "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", want: 90 * time.Second},
		"unused connection": {want: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := run(t, httpserver.Options{GraphQL: echo()})
				conn := must(r.listener.Dial(t.Context()))
				begun := time.Now()
				go io.WriteString(conn, test.sent)
				io.Copy(io.Discard, conn) // until the server closes it
				if got := time.Since(begun).Round(time.Second); got != test.want {
					t.Errorf("got the connection closed after %s, want %s", got, test.want)
				}
				conn.Close()
				r.end(t)
			})
		})
	}
}

func TestRequest_longHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, httpserver.Options{GraphQL: echo()})
		req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server/graphql", bytes.NewReader(nil)))
		req.Header.Set("X-Long", strings.Repeat("x", 32<<10))
		if got := roundTrip(t, r.client, req).status; got != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("got status %d, want 431", got)
		}
		r.end(t)
	})
}
