package httpserver_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/httpserver"
)

func TestHealth_ready(t *testing.T) {
	t.Parallel()
	l := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- httpserver.New(httpserver.Options{GraphQL: echo()}).Run(ctx, l) }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, addr := range []string{l.Addr().String(), ":" + port, "0.0.0.0:" + port, "[::]:" + port, "localhost:" + port} {
		if err := httpserver.Health(t.Context(), addr, "", false); err != nil {
			t.Errorf("Health(%q): got error %v, want none", addr, err)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run: got error %v, want none", err)
	}
	if err := httpserver.Health(t.Context(), l.Addr().String(), "", false); err == nil || strings.Contains(err.Error(), "http://") {
		t.Errorf("after Run: got error %v, want one without a URL", err)
	}
}

func TestHealth_otherStatus(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{
		"not ready": 503, "another 2xx": 204, "a redirect": 302, "not found": 404,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/readyz" {
					return // target of the redirect
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			defer server.Close()
			if err := httpserver.Health(t.Context(), server.Listener.Addr().String(), "", false); err == nil {
				t.Errorf("status %d: got no error, want one", status)
			}
		})
	}
}

func TestHealth_invalidAddress(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"", "localhost", "a b:80", "::1:80", "localhost:x"} {
		if err := httpserver.Health(t.Context(), addr, "", false); err == nil {
			t.Errorf("Health(%q): got no error, want one", addr)
		}
	}
}

func TestHealth_timeout(t *testing.T) {
	t.Parallel()
	silent := must(new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")) // accepts, but does not respond
	t.Cleanup(func() { silent.Close() })
	for name, test := range map[string]struct {
		callers time.Duration // 0 if the caller has no deadline
		atMost  time.Duration
	}{
		"its own timeout":       {atMost: 5 * time.Second},
		"its caller's deadline": {callers: 20 * time.Millisecond, atMost: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if test.callers > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.callers)
				defer cancel()
			}
			begun := time.Now()
			err := httpserver.Health(ctx, silent.Addr().String(), "", false)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > test.atMost {
				t.Errorf("got %v after %s, want a deadline within %s", err, time.Since(begun), test.atMost)
			}
		})
	}
}
