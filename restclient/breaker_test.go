package restclient_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

const notCalled = "upstream was not called: breaker"

func TestBreaker_opensAndCloses(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	var calls atomic.Int64
	upstream := func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		onePageResponse(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		call := func() error {
			_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
			return err
		}
		want := func(state string, made int64) {
			t.Helper()
			if got := client.State().Breaker; got != state || calls.Load() != made {
				t.Errorf("got state %s after %d attempts, want %s after %d", got, calls.Load(), state, made)
			}
			calls.Store(0)
		}
		for range 6 {
			_ = call()
		}
		want(restclient.BreakerClosed, 6)
		broken.Store(true)
		for range 8 {
			wantStatus(t, call(), 500)
		}
		want(restclient.BreakerOpen, 24) // 24 of 30 attempts have failed
		var unavailable *restclient.UnavailableError
		if err := call(); !errors.As(err, &unavailable) || unavailable.Cause != restclient.CauseBreaker || unavailable.RetryAfter > 5*time.Second || unavailable.RetryAfter < 4*time.Second {
			t.Errorf("got error %#v, want a *UnavailableError for some 5 s", err)
		}
		want(restclient.BreakerOpen, 0)

		<-time.After(unavailable.RetryAfter)
		wantStatus(t, call(), 500)
		want(restclient.BreakerOpen, 2) // two failed probes open it again

		broken.Store(false)
		<-time.After(5 * time.Second)
		if err := call(); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		want(restclient.BreakerHalfOpen, 1)
		if err := call(); err != nil {
			t.Errorf("got error %v, want a page", err)
		}
		want(restclient.BreakerClosed, 1)
	})
}

// TestBreaker_probeLimit opens the breaker and stalls the calls after its delay.
func TestBreaker_probeLimit(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	broken.Store(true)
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		<-r.Context().Done()
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		callAll(t.Context(), client, 40)()
		if got := client.State().Breaker; got != restclient.BreakerOpen {
			t.Fatalf("got state %s, want open", got)
		}
		broken.Store(false)
		<-time.After(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		wait := callAll(ctx, client, 10)
		synctest.Wait()
		if got := client.State(); got.Breaker != restclient.BreakerHalfOpen || got.InFlight != 3 {
			t.Errorf("got %+v, want 3 probes", got)
		}
		cancel() // canceled probes show no recovery
		if got := wait(); got[notCalled] != 7 || got["upstream call canceled by its caller"] != 3 {
			t.Errorf("got %v, want 3 canceled calls and the others suppressed", got)
		}
		if got := client.State(); got.Breaker != restclient.BreakerOpen || got.InFlight != 0 {
			t.Errorf("got %+v, want no attempt in flight, and an open breaker", got)
		}
	})
}

func TestBreaker_failures(t *testing.T) {
	t.Parallel()
	tooLarge := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", strconv.Itoa(17<<20)) }
	for name, tt := range map[string]struct {
		upstream http.HandlerFunc
		want     string
	}{
		"500":                        {upstream: status(500, ""), want: restclient.BreakerOpen},
		"503 for an hour":            {upstream: status(503, "3600"), want: restclient.BreakerOpen},
		"501":                        {upstream: status(501, ""), want: restclient.BreakerOpen},
		"closed connections":         {upstream: abort, want: restclient.BreakerOpen},
		"truncated bodies":           {upstream: cut, want: restclient.BreakerOpen},
		"timeouts":                   {upstream: stalls["inside the body"], want: restclient.BreakerOpen},
		"401":                        {upstream: status(401, ""), want: restclient.BreakerClosed},
		"403":                        {upstream: status(403, ""), want: restclient.BreakerClosed},
		"404":                        {upstream: status(404, ""), want: restclient.BreakerClosed},
		"422":                        {upstream: status(422, ""), want: restclient.BreakerClosed},
		"429":                        {upstream: status(429, ""), want: restclient.BreakerClosed},
		"429 for an hour":            {upstream: status(429, "3600"), want: restclient.BreakerClosed},
		"redirects":                  {upstream: status(302, ""), want: restclient.BreakerClosed},
		"HTML":                       {upstream: write("<html></html>"), want: restclient.BreakerClosed},
		"bodies too large":           {upstream: tooLarge, want: restclient.BreakerClosed},
		"short deadlines of callers": {upstream: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, want: restclient.BreakerClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, tt.upstream, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				ctx := t.Context()
				if name == "short deadlines of callers" {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second)
					defer cancel()
				}
				callAll(ctx, client, 60)()
				if got := client.State().Breaker; got != tt.want {
					t.Errorf("got state %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestBreaker_failureRateBelowThreshold(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	upstream := func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%4 != 0 { // 75 %
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		onePageResponse(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		for range 300 {
			if _, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage); err != nil && err.Error() == notCalled {
				t.Fatalf("got %v after %d attempts, want no suppressed attempt", err, calls.Load())
			}
		}
	})
}
