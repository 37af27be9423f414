// The tests are in package main because a command cannot be imported.
package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"cvmgraph/internal/demo"
)

func TestProxy_returnsThePage(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(demo.New(demo.Options{Items: 3}))
	t.Cleanup(upstream.Close)
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(newProxy(target))
	t.Cleanup(proxy.Close)
	path := demo.ListPath + "?page=1&page_size=3"
	status, body := get(t, proxy.URL+path)
	wantStatus, want := get(t, upstream.URL+path)
	if status != http.StatusOK || status != wantStatus || body != want {
		t.Errorf("got %d and %d bytes, want %d and %d", status, len(body), wantStatus, len(want))
	}
}

func TestConstant_sameBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(constant([]byte("always")))
	t.Cleanup(server.Close)
	for range 2 {
		if status, body := get(t, server.URL); status != http.StatusOK || body != "always" {
			t.Errorf("got %d, %q, want 200 and the constant body", status, body)
		}
	}
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer test")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
