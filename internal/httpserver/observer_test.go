package httpserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/httpserver"
)

// seen records the calls of an Observer.
type seen struct {
	mu    sync.Mutex
	begun int
	ended []ended
}

type ended struct {
	method, route string
	status        int
	took          time.Duration
}

func (s *seen) observer() httpserver.Observer {
	return httpserver.Observer{
		Begun: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.begun++
		},
		Ended: func(method, route string, status int, took time.Duration) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended = append(s.ended, ended{method, route, status, took})
		},
	}
}

func TestObserver_requests(t *testing.T) {
	t.Parallel()
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("late") })
	for name, test := range map[string]struct {
		graphql        http.Handler
		method, target string
		want           ended
	}{
		"query":            {graphql: echo(), method: "POST", target: "/graphql?query=secret", want: ended{"POST", "/graphql", 200, 0}},
		"a HEAD stays one": {graphql: echo(), method: "HEAD", target: "/graphql", want: ended{"HEAD", "/graphql", 200, 0}},
		"a slow query":     {graphql: slow(3 * time.Second), method: "GET", target: "/graphql", want: ended{"GET", "/graphql", 200, 3 * time.Second}},
		"a panic":          {graphql: panics, method: "GET", target: "/graphql", want: ended{"GET", "/graphql", 500, 0}},
		"a health check":   {graphql: echo(), method: "GET", target: "/healthz", want: ended{"GET", "/healthz", 200, 0}},
		"unknown path":     {graphql: echo(), method: "GET", target: "/secret", want: ended{"GET", "other", 404, 0}},
		"unknown method":   {graphql: echo(), method: "SECRET", target: "/readyz", want: ended{"other", "/readyz", 405, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var s seen
				serve(httpserver.Options{GraphQL: test.graphql, Observer: s.observer()}, request(test.method, test.target, "secret"))
				if s.begun != 1 || !slices.Equal(s.ended, []ended{test.want}) {
					t.Errorf("got %d begun and %v, want 1 and %v", s.begun, s.ended, test.want)
				}
			})
		})
	}
}

func TestObserver_abortedRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		graphql http.HandlerFunc
		want    int
	}{
		"before the response": {graphql: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"during the response": {graphql: func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "half"); panic("late") }, want: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s seen
			server := httptest.NewServer(httpserver.New(httpserver.Options{GraphQL: test.graphql, Observer: s.observer()}))
			defer server.Close()
			resp, err := server.Client().Do(must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", nil)))
			if err == nil {
				resp.Body.Close()
			}
			server.Close() // waits for the handler
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.begun != 1 || len(s.ended) != 1 || s.ended[0].status != test.want {
				t.Errorf("got %d begun and %v, want 1 and one with status %d", s.begun, s.ended, test.want)
			}
		})
	}
}

func TestObserver_nilFuncs(t *testing.T) {
	t.Parallel()
	var s seen
	for name, o := range map[string]httpserver.Observer{
		"both": {}, "Ended": {Begun: s.observer().Begun}, "Begun": {Ended: s.observer().Ended},
	} {
		if got := serve(httpserver.Options{GraphQL: echo(), Observer: o}, request("POST", "/graphql", "x")).status; got != http.StatusOK {
			t.Errorf("without %s: got status %d, want 200", name, got)
		}
	}
	if s.begun != 1 || len(s.ended) != 1 {
		t.Errorf("got %d begun and %v, want each function called once", s.begun, s.ended)
	}
}

func TestObserver_spans(t *testing.T) {
	t.Parallel()
	type key struct{}
	for name, test := range map[string]struct {
		graphql        http.Handler
		method, target string
		want           []string
	}{
		"query":                    {graphql: echo(), method: "POST", target: "/graphql", want: []string{"POST", "served within", "200"}},
		"a body that is too large": {graphql: echo(), method: "POST", target: "/graphql", want: []string{"POST", "413"}},
		"unknown method":           {graphql: echo(), method: "SECRET", target: "/graphql", want: []string{"other", "405"}},
		"a health check":           {graphql: echo(), method: "GET", target: "/healthz"},
		"the page":                 {graphql: echo(), method: "GET", target: "/"},
	} {
		var got []string
		within := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Context().Value(key{}) == "traced" {
				got = append(got, "served within")
			}
			test.graphql.ServeHTTP(w, r)
		})
		asked := request(test.method, test.target, "secret")
		asked.Header.Set("Traceparent", "the caller's")
		if strings.Contains(name, "large") {
			asked.ContentLength = 1 << 30
		}
		serve(httpserver.Options{GraphQL: within, Observer: httpserver.Observer{
			StartSpan: func(ctx context.Context, header http.Header, method string) context.Context {
				if header.Get("Traceparent") != "the caller's" {
					t.Errorf("%s: the header is not the request's: %v", name, header)
				}
				got = append(got, method)
				return context.WithValue(ctx, key{}, "traced")
			},
			EndSpan: func(ctx context.Context, status int) {
				if ctx.Value(key{}) != "traced" {
					t.Errorf("%s: the context is not the one that StartSpan returned", name)
				}
				got = append(got, fmt.Sprint(status))
			},
		}}, asked)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
