package restclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"cvmgraph/restclient"
)

func TestFetch_largeBodies(t *testing.T) {
	t.Parallel()
	page := string(pageOf(1, exampleItem(t)))
	large := page + strings.Repeat(" ", restclient.LargeBody+2-len(page))
	client := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-Api-Key") {
		case "small":
			_, _ = w.Write([]byte(page))
		case "large":
			_, _ = w.Write([]byte(large))
		case "broken":
			w.Header().Set("Content-Length", "9000000")
			_, _ = w.Write([]byte(large))
		}
	})
	fetch := func(ctx context.Context, key string) (restclient.RawPage, error) {
		return client.Fetch(ctx, restclient.NewCredential(restclient.Headers{APIKey: key}), onePage)
	}
	// Failed and released bodies free their slots.
	for range restclient.LargeBodies + 1 {
		if _, err := fetch(t.Context(), "broken"); reasonOf(t, err) != restclient.ReasonTruncated {
			t.Fatalf("got error %v, want a truncated body", err)
		}
		d, err := fetch(t.Context(), "large")
		if err != nil {
			t.Fatal(err)
		}
		d.Release()
		d.Release()
	}
	var held []restclient.RawPage
	for range restclient.LargeBodies {
		d, err := fetch(t.Context(), "large")
		if err != nil || len(d.Body) != len(large) {
			t.Fatalf("got %d bytes, %v, want %d", len(d.Body), err, len(large))
		}
		held = append(held, d)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := fetch(short, "large"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one beyond the limit: got error %v, want one of time", err)
	}
	if _, err := client.ListCvms(t.Context(), restclient.NewCredential(restclient.Headers{APIKey: "small"}), onePage); err != nil {
		t.Errorf("a small body: got error %v, want none", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := fetch(t.Context(), "large")
		waiting <- err
	}()
	held[0].Release()
	if err := <-waiting; err != nil {
		t.Errorf("a waiting call: got error %v, want none", err)
	}
}

func TestFetch_noLargeBodySlot(t *testing.T) {
	t.Parallel()
	body := strings.Repeat(" ", restclient.LargeBody+2) + "{}"
	server := quiet(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	server.Start()
	client := newClient(t, restclient.Options{BaseURL: server.URL, Timeout: 500 * time.Millisecond})
	for range restclient.LargeBodies {
		if _, err := client.Fetch(t.Context(), restclient.Credential{}, onePage); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.Fetch(t.Context(), restclient.Credential{}, onePage)
	var unavailable *restclient.UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Cause != restclient.CauseOverload || unavailable.RetryAfter <= 0 {
		t.Errorf("got error %v, want an *UnavailableError", err)
	}
}
