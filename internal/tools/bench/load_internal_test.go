package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLoad_credentials(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		ownCredentials bool
		want           int
	}{
		"own credentials":   {ownCredentials: true, want: 4},
		"shared credential": {ownCredentials: false, want: 1},
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
			p := loadOptions{callers: 4, ownCredentials: tt.ownCredentials, duration: 500 * time.Millisecond}
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
