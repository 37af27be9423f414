package httpserver_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"cvmgraph/internal/httpserver"
)

// TestBody_sharedMemory holds large bodies until all memory for them is used.
func TestBody_sharedMemory(t *testing.T) {
	t.Parallel()
	const limit, holders = 256 << 10, 32<<20/(256<<10-8<<10) + 1
	held, release := make(chan struct{}, holders), make(chan struct{})
	graphql := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var none *httpserver.BodyMemoryError
		if errors.As(err, &none) {
			w.WriteHeader(http.StatusTeapot) // the response of the handler
			return
		}
		if r.Header.Get("X-Hold") != "" {
			held <- struct{}{}
			<-release
		}
		if len(body) == 0 || err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	server := httpserver.New(httpserver.Options{GraphQL: graphql, MaxBody: limit})
	send := func(size int, chunked, hold bool) *httptest.ResponseRecorder {
		var body io.Reader = strings.NewReader(strings.Repeat("x", size))
		if chunked {
			body = io.MultiReader(body) // hides the size
		}
		r := httptest.NewRequest(http.MethodPost, "/graphql", body)
		if hold {
			r.Header.Set("X-Hold", "1")
		}
		rec := httptest.NewRecorder()
		server.ServeHTTP(rec, r)
		return rec
	}
	var holding sync.WaitGroup
	for i := range holders - 1 {
		holding.Go(func() {
			if got := send(limit, i%2 == 0, true).Code; got != http.StatusOK {
				t.Errorf("a pending body: got status %d, want 200", got)
			}
		})
	}
	for range holders - 1 {
		<-held
	}
	for range 3 { // a rejected body must not keep memory
		got := send(limit, false, false)
		const want = `{"errors":[{"message":"other requests use all memory for large request bodies; try again later","extensions":{"code":"UNAVAILABLE","retryAfter":1}}]}`
		if got.Code != http.StatusServiceUnavailable || got.Body.String() != want || got.Header().Get("Retry-After") != "1" {
			t.Errorf("one more: got status %d, %s, want 503, %s", got.Code, got.Body, want)
		}
		if got := send(limit, true, false).Code; got != http.StatusTeapot {
			t.Errorf("one more, chunked: got status %d, want the handler's status for a BodyMemoryError", got)
		}
		for _, chunked := range []bool{false, true} {
			if got := send(8<<10, chunked, false).Code; got != http.StatusOK {
				t.Errorf("a small one, chunked %v: got status %d, want 200", chunked, got)
			}
		}
	}
	close(release)
	holding.Wait()
	for range 2 * holders {
		for _, chunked := range []bool{false, true} {
			if got := send(limit, chunked, false).Code; got != http.StatusOK {
				t.Fatalf("afterwards, chunked %v: got status %d, want 200", chunked, got)
			}
		}
	}
}
