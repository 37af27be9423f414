package restclient_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

func TestTimeout_attempts(t *testing.T) {
	t.Parallel()
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				start := time.Now()
				_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
				wantTimeout(t, err, 3*time.Second)
				wantAfter(t, start, 9*time.Second, 9600*time.Millisecond)
			})
		})
	}
}

func TestTimeout_callersDeadline(t *testing.T) {
	t.Parallel()
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
				wantTimeout(t, err, 0)
				if got := time.Since(start); got != time.Second {
					t.Errorf("got an error after %v, want 1s", got)
				}
			})
		})
	}
}

// wantTimeout checks that err is a *TimeoutError of that limit.
func wantTimeout(t *testing.T, err error, limit time.Duration) {
	t.Helper()
	var timeout *restclient.TimeoutError
	if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || !timeout.Timeout() {
		t.Fatalf("got error %#v, want a *TimeoutError", err)
	}
	if timeout.Limit != limit {
		t.Errorf("got limit %v, want %v", timeout.Limit, limit)
	}
}

func TestListCvms_canceled(t *testing.T) {
	t.Parallel()
	errLeft := errors.New("left")
	for name, stall := range stalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
				t.Helper()
				ctx, cancel := context.WithCancelCause(t.Context())
				result := make(chan error)
				go func() {
					_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
					result <- err
				}()
				synctest.Wait()
				cancel(errLeft)
				err := <-result
				if !errors.Is(err, context.Canceled) || !errors.Is(err, errLeft) {
					t.Errorf("got error %v, want one of cancellation and its cause", err)
				}
				if got, want := err.Error(), "upstream call canceled by its caller"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want no timeout", err)
				}
			})
		})
	}
}

func TestTimeout_stalledErrorBody(t *testing.T) {
	t.Parallel()
	stall := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	inMemory(t, stall, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		start := time.Now()
		_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
		wantStatus(t, err, http.StatusBadGateway)
		wantAfter(t, start, 9*time.Second, 9600*time.Millisecond)
	})
}

func TestTimeout_realSockets(t *testing.T) {
	t.Parallel()
	server := quiet(t, stalls["inside the body"])
	server.Start()
	client := newClient(t, restclient.Options{BaseURL: server.URL, Timeout: 50 * time.Millisecond})
	_, err := client.ListCvms(t.Context(), restclient.Credential{}, onePage)
	wantTimeout(t, err, 50*time.Millisecond)
}
