package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCallersApartHaveCredentialsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		apart bool
		want  int
	}{
		"apart":    {true, 4},
		"together": {false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen sync.Map
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Store(r.Header.Get("Authorization"), true)
				w.Write([]byte("yes"))
			}))
			t.Cleanup(server.Close)
			addr := strings.TrimPrefix(server.URL, "http://")
			p := pressure{callers: 4, apart: tt.apart, duration: 500 * time.Millisecond}
			if _, err := load(t.Context(), addr, request{method: "GET", path: "/"}, []byte("yes"), p); err != nil {
				t.Fatal(err)
			}
			n := 0
			seen.Range(func(any, any) bool {
				n++
				return true
			})
			if n != tt.want {
				t.Errorf("got %d credentials, want %d", n, tt.want)
			}
		})
	}
}
