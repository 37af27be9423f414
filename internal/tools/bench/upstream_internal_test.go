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

func TestUpstream_servesPages(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, 0)
	for name, tt := range map[string]struct {
		query     string
		wantItems int
		wantFirst int // position of the first item in the list
	}{
		"first page":        {query: "page=1&page_size=20", wantItems: 20, wantFirst: 0},
		"last full page":    {query: "page=3&page_size=100", wantItems: 100, wantFirst: 200},
		"partial page":      {query: "page_size=70&page=5", wantItems: 20, wantFirst: 280},
		"page past the end": {query: "page=4&page_size=100", wantItems: 0},
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
			if len(page.Items) != tt.wantItems || page.Total != listSize {
				t.Fatalf("got %d items of %d, want %d of %d", len(page.Items), page.Total, tt.wantItems, listSize)
			}
			if tt.wantItems > 0 && string(page.Items[0]) != string(u.items[tt.wantFirst]) {
				t.Errorf("got %.80s first, want %.80s", page.Items[0], u.items[tt.wantFirst])
			}
		})
	}
}

func TestUpstream_rejectsRequests(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, 0)
	for name, tt := range map[string]struct {
		path, credential string
		want             int // status
	}{
		"no credential":       {path: "/api/v1/cvms/paginated?page=1&page_size=20", want: 401},
		"unknown credential":  {path: "/api/v1/cvms/paginated?page=1&page_size=20", credential: "Bearer other", want: 401},
		"unknown path":        {path: "/api/v1/cvms?page=1&page_size=20", credential: credentials + "1", want: 404},
		"no page parameter":   {path: "/api/v1/cvms/paginated", credential: credentials + "1", want: 422},
		"page_size above 100": {path: "/api/v1/cvms/paginated?page=1&page_size=101", credential: credentials + "1", want: 422},
		"page 0":              {path: "/api/v1/cvms/paginated?page=0&page_size=20", credential: credentials + "1", want: 422},
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
			if response.StatusCode != tt.want {
				t.Errorf("got %d, want %d", response.StatusCode, tt.want)
			}
		})
	}
}

func TestNewItems_areRealisticAndDeterministic(t *testing.T) {
	t.Parallel()
	items, again := newItems(), newItems()
	if size := mean(items); size < 4000 || size > 6000 {
		t.Errorf("got %d bytes per item, want 4 to 6 KB", size)
	}
	for i := range items {
		if string(items[i]) != string(again[i]) {
			t.Fatalf("item %d differs the second time", i)
		}
	}
}

func TestLoad_countsAndChecksResponses(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, 0)
	r := request{method: "GET", path: "/api/v1/cvms/paginated?page=1&page_size=20"}
	want, err := ask(t.Context(), u.addr(), r)
	if err != nil {
		t.Fatal(err)
	}
	called := u.calls.Load()
	got, err := load(t.Context(), u.addr(), r, want, loadOptions{callers: 4, ownCredentials: true, duration: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if calls := int(u.calls.Load() - called); got.responses < 4 || got.responses != calls || len(got.latencies) != calls {
		t.Errorf("got %d responses and %d latencies for %d calls", got.responses, len(got.latencies), calls)
	}
	if got.elapsed < 50*time.Millisecond || got.latencies[0] <= 0 {
		t.Errorf("got a duration of %v and a minimum latency of %v", got.elapsed, got.latencies[0])
	}

	for name, other := range map[string]request{
		"wrong body":   {method: "GET", path: "/api/v1/cvms/paginated?page=2&page_size=20"},
		"wrong status": {method: "GET", path: "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t.Context(), u.addr(), other, want, loadOptions{callers: 2, duration: 50 * time.Millisecond})
			if _, ok := errors.AsType[*mismatchError](err); !ok {
				t.Errorf("got %v, want a mismatchError", err)
			}
		})
	}
}

func TestUpstreamClose_endsCallsThatWait(t *testing.T) {
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
		t.Error("got a response, want an error")
	}
}
