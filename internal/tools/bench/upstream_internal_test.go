package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"
)

func newUpstream(t *testing.T, latency time.Duration) *upstream {
	t.Helper()
	u, err := startUpstream(newItems(), latency)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-u.closed:
		default:
			u.Close()
		}
	})
	return u
}

func TestTheUpstreamAnswersPages(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, 0)
	for name, tt := range map[string]struct {
		query string
		items int
		first int // of the list
	}{
		"the first":           {"page=1&page_size=20", 20, 0},
		"a later one":         {"page=3&page_size=100", 100, 200},
		"one that is cut off": {"page_size=70&page=5", 20, 280},
		"one behind the list": {"page=4&page_size=100", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := ask(t.Context(), u.addr(), request{method: "GET", path: "/api/v1/cvms/paginated?" + tt.query})
			if err != nil {
				t.Fatal(err)
			}
			var page struct {
				Items []json.RawMessage
				Total int
			}
			if err := json.Unmarshal(body, &page); err != nil {
				t.Fatal(err)
			}
			if len(page.Items) != tt.items || page.Total != listSize {
				t.Fatalf("got %d items of %d, want %d of %d", len(page.Items), page.Total, tt.items, listSize)
			}
			if tt.items > 0 && string(page.Items[0]) != string(u.items[tt.first]) {
				t.Errorf("got %.80s first, want %.80s", page.Items[0], u.items[tt.first])
			}
		})
	}
}

func TestTheUpstreamRefuses(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, 0)
	for name, tt := range map[string]struct {
		path, credential string
		status           int
	}{
		"no credential":         {"/api/v1/cvms/paginated?page=1&page_size=20", "", 401},
		"another credential":    {"/api/v1/cvms/paginated?page=1&page_size=20", "Bearer other", 401},
		"another path":          {"/api/v1/cvms?page=1&page_size=20", credentials + "1", 404},
		"no page":               {"/api/v1/cvms/paginated", credentials + "1", 422},
		"a page of too many":    {"/api/v1/cvms/paginated?page=1&page_size=101", credentials + "1", 422},
		"a page before the one": {"/api/v1/cvms/paginated?page=0&page_size=20", credentials + "1", 422},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+u.addr()+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", tt.credential)
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != tt.status {
				t.Errorf("got %d, want %d", response.StatusCode, tt.status)
			}
		})
	}
}

func TestItemsAreRealisticAndTheSameEveryTime(t *testing.T) {
	t.Parallel()
	items, again := newItems(), newItems()
	if size := mean(items); size < 4000 || size > 6000 {
		t.Errorf("got %d bytes an item, want 4 to 6 KB", size)
	}
	for i := range items {
		if string(items[i]) != string(again[i]) {
			t.Fatalf("item %d is another one the second time", i)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, 0)
	r := request{method: "GET", path: "/api/v1/cvms/paginated?page=1&page_size=20"}
	want, err := ask(t.Context(), u.addr(), r)
	if err != nil {
		t.Fatal(err)
	}
	called := u.calls.Load()
	got, err := load(t.Context(), u.addr(), r, want, pressure{callers: 4, apart: true, duration: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if calls := int(u.calls.Load() - called); got.answers < 4 || got.answers != calls || len(got.latencies) != calls {
		t.Errorf("got %d answers and %d latencies of %d calls", got.answers, len(got.latencies), calls)
	}
	if got.elapsed < 50*time.Millisecond || got.latencies[0] <= 0 {
		t.Errorf("got %v in all, and %v for the fastest answer", got.elapsed, got.latencies[0])
	}

	for name, other := range map[string]request{
		"other bytes":    {method: "GET", path: "/api/v1/cvms/paginated?page=2&page_size=20"},
		"another status": {method: "GET", path: "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t.Context(), u.addr(), other, want, pressure{callers: 2, duration: 50 * time.Millisecond})
			if _, ok := errors.AsType[*errWrong](err); !ok {
				t.Errorf("got %v, want an error about the answer", err)
			}
		})
	}
}

func TestCloseEndsACallThatWaits(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, time.Hour)
	failed := make(chan error)
	go func() {
		_, err := ask(t.Context(), u.addr(), request{method: "GET", path: "/"})
		failed <- err
	}()
	for u.calls.Load() == 0 {
		time.Sleep(time.Millisecond) //nolint:forbidigo // a call over a real connection
	}
	u.Close()
	if err := <-failed; err == nil {
		t.Error("got an answer, want an error")
	}
}
