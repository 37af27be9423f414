package pages_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// newLoader returns a loader for an upstream.
func newLoader(t *testing.T, upstream http.Handler) *pages.Loader {
	t.Helper()
	return newLoaderWithBudget(t, pages.CallBudget{Calls: 100}, upstream)
}

// loaderOf returns a loader with a fixed credential.
func loaderOf(source pages.Source, budget pages.CallBudget) *pages.Loader {
	credential := restclient.NewCredential(restclient.Headers{Authorization: "Bearer loader"})
	return pages.NewLoader(source, credential, source.CredentialKey(credential), time.Time{}, budget, false)
}

// newLoaderWithBudget returns a loader with a call budget for an upstream.
func newLoaderWithBudget(t *testing.T, budget pages.CallBudget, upstream http.Handler) *pages.Loader {
	t.Helper()
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	client, err := restclient.New(restclient.Options{BaseURL: server.URL + demo.BasePath})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return loaderOf(pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{}), budget)
}

func request(page, size int) restclient.PageRequest {
	return restclient.PageRequest{Page: page, PageSize: size}
}

func TestLoader_fetchesEachPageOnce(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	var calls atomic.Int64
	loader := newLoader(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		list.ServeHTTP(w, r)
	}))
	var fields sync.WaitGroup
	for range 20 {
		fields.Go(func() {
			got, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(1, 10), request(2, 10), request(1, 10)}, time.Time{})
			if err != nil || len(got) != 3 || got[0] != got[2] || got[0] == got[1] || got[1].Len() != 10 {
				t.Errorf("got %d pages, %v, want three, of which the first and the last are the same", len(got), err)
			}
		})
	}
	fields.Wait()
	if got := calls.Load(); got != 2 {
		t.Errorf("got %d calls, want 2", got)
	}
	loader.Invalidate(t.Context(), request(2, 10))
	if _, err := loader.Load(t.Context(), "seam", []restclient.PageRequest{request(1, 10), request(2, 10)}, time.Time{}); err != nil || calls.Load() != 3 {
		t.Errorf("after Invalidate: got %d calls, %v, want one more", calls.Load(), err)
	}
}

func TestLoader_doesNotCacheErrors(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	var calls atomic.Int64
	loader := newLoader(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusNotFound) // is not retried
			return
		}
		list.ServeHTTP(w, r)
	}))
	_, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(1, 5)}, time.Time{})
	if status, ok := errors.AsType[*restclient.StatusError](err); !ok || status.StatusCode != http.StatusNotFound {
		t.Fatalf("got error %v, want status 404", err)
	}
	if got, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(1, 5)}, time.Time{}); err != nil || got[0].Len() != 5 {
		t.Errorf("second Load: got error %v, want a page", err)
	}
	if got := fmt.Sprint(loader.PageLoads()[0].Status, loader.PageLoads()[1].Status); got != "404 200" {
		t.Errorf("calls: got the statuses %s, want 404 200", got)
	}
}

func TestLoader_callerCanceled(t *testing.T) {
	t.Parallel()
	loader := newLoader(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var requests []restclient.PageRequest
	for page := range 40 { // more than the limit of concurrent calls
		requests = append(requests, request(page+1, 1))
	}
	started := time.Now()
	_, err := loader.Load(ctx, "window", requests, time.Time{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("got a duration of %v, want little more than 50 ms", took)
	}
}

func TestLoader_limitsConcurrentCalls(t *testing.T) {
	t.Parallel()
	list := demo.New(demo.Options{})
	var current, peak atomic.Int64
	loader := newLoader(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := current.Add(1)
		for seen := peak.Load(); n > seen && !peak.CompareAndSwap(seen, n); seen = peak.Load() {
		}
		defer current.Add(-1)
		select { // long enough for all concurrent calls to arrive
		case <-time.After(20 * time.Millisecond):
		case <-r.Context().Done():
		}
		list.ServeHTTP(w, r)
	}))
	var requests []restclient.PageRequest
	for page := range 60 {
		requests = append(requests, request(page+1, 1))
	}
	if _, err := loader.Load(t.Context(), "scan", requests, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got := peak.Load(); got < 2 || got > 16 {
		t.Errorf("got %d concurrent calls, want 2 to 16", got)
	}
}

func TestLoader_completePage(t *testing.T) {
	t.Parallel()
	loader := newLoader(t, demo.New(demo.Options{Items: 7}))
	if _, err := loader.Load(t.Context(), "total", []restclient.PageRequest{request(1, 5)}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, ok := loader.CompletePage(restclient.Filter{}, time.Time{}); ok {
		t.Error("5 of 7 items: got a complete page, want none")
	}
	if _, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(1, 9)}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got, ok := loader.CompletePage(restclient.Filter{}, time.Time{}); !ok || got != request(1, 9) {
		t.Errorf("7 of 7 items: got %v, %v, want the page of 9", got, ok)
	}
	if _, ok := loader.CompletePage(restclient.Filter{NodeID: 1}, time.Time{}); ok {
		t.Error("another filter: got a complete page, want none")
	}
}

func TestLoader_callBudget(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		budget  pages.CallBudget
		reasons []relay.Reason // of consecutive calls
		allowed []bool         // for each call
	}{
		"all calls of the budget": {
			budget:  pages.CallBudget{Calls: 2},
			reasons: []relay.Reason{"window", "lookup", "window"},
			allowed: []bool{true, true, false},
		},
		"reserved calls are for windows only": {
			budget:  pages.CallBudget{Calls: 2, WindowCalls: 1},
			reasons: []relay.Reason{"lookup", "realign", "window", "window"},
			allowed: []bool{true, false, true, false},
		},
		"windows can use unreserved calls": {
			budget:  pages.CallBudget{Calls: 3, WindowCalls: 1},
			reasons: []relay.Reason{"total", "window", "seam", "window"},
			allowed: []bool{true, true, true, false},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			list := demo.New(demo.Options{})
			loader := newLoaderWithBudget(t, test.budget, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				list.ServeHTTP(w, r)
			}))
			var made int64
			for i, reason := range test.reasons {
				_, err := loader.Load(t.Context(), reason, []restclient.PageRequest{request(1, i+1)}, time.Time{})
				rejection, rejected := errors.AsType[*pages.CallBudgetError](err)
				if rejected == test.allowed[i] || !rejected && err != nil {
					t.Errorf("call %d: got %v, want it allowed: %v", i, err, test.allowed[i])
				}
				if rejected && (rejection.Limit != test.budget.Calls || rejection.Actual != test.budget.Calls+1) {
					t.Errorf("call %d: got %+v, want the limit %d and one more", i, rejection, test.budget.Calls)
				}
				if test.allowed[i] {
					made++
				}
				// Loaded pages are free.
				if _, err := loader.Load(t.Context(), reason, []restclient.PageRequest{request(1, 1)}, time.Time{}); err != nil {
					t.Errorf("the first page again: got %v", err)
				}
			}
			if got := calls.Load(); got != made {
				t.Errorf("got %d calls, want %d", got, made)
			}
			if err := loader.CheckBudget(0); err != nil {
				t.Errorf("CheckBudget(0): got %v, want no error", err)
			}
			if err := loader.CheckBudget(3); err == nil {
				t.Error("CheckBudget(3): got no error")
			}
		})
	}
}

func TestLoader_coalescedCallsAreFree(t *testing.T) {
	t.Parallel()
	source := &sharedSource{page: &pages.Page{IndexedPage: &projection.IndexedPage{}}}
	loader := loaderOf(source, pages.CallBudget{Calls: 1})
	for i, got := range []pages.FetchResult{{Coalesced: true}, {Cached: true}, {Cached: true, Stale: true}, {}} {
		source.got = got
		_, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(1, i+1)}, time.Time{})
		if rejected := err != nil; rejected != (i == 3) {
			t.Errorf("page %d: got %v, want an error for the last page only, because the stale page used the call", i, err)
		}
	}
}

// sharedSource is a Source that returns page with the other fields of got.
type sharedSource struct {
	pages.Source
	page *pages.Page
	got  pages.FetchResult
}

func (s *sharedSource) CredentialKey(restclient.Credential) pages.CredentialKey {
	return pages.CredentialKey{}
}

func (s *sharedSource) Cached(pages.CredentialKey, restclient.PageRequest) (pages.FetchResult, bool) {
	return pages.FetchResult{}, false
}

func (s *sharedSource) Fetch(_ context.Context, r pages.FetchRequest) (pages.FetchResult, error) {
	got := s.got
	got.Page, got.Request = s.page, r.PageRequest
	return got, nil
}

// One field invalidates a cached page while another field makes the first calls. The race detector
// checks the shared state.
func TestLoader_invalidateConcurrently(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(demo.New(demo.Options{}))
	t.Cleanup(server.Close)
	client, err := restclient.New(restclient.Options{BaseURL: server.URL + demo.BasePath})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	cache := pages.NewCache(pages.NewUpstream(client), pages.CacheOptions{TTL: time.Hour, MaxBytes: 16 << 20})
	for range 50 {
		loader := loaderOf(cache, pages.CallBudget{Calls: 10})
		var fields sync.WaitGroup
		fields.Go(func() {
			for range 2 {
				if _, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(1, 10)}, time.Time{}); err != nil {
					t.Error(err)
				}
				loader.Invalidate(t.Context(), request(1, 10))
			}
		})
		fields.Go(func() {
			if _, err := loader.Load(t.Context(), "window", []restclient.PageRequest{request(2, 10), request(3, 10)}, time.Now()); err != nil {
				t.Error(err)
			}
		})
		fields.Wait()
	}
}
