package restclient_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/restclient"
)

// events counts the calls of an observer.
type events struct {
	mu     sync.Mutex
	counts map[string]int
}

func (e *events) add(event string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[event]++
}

func (e *events) observer() restclient.Observer {
	return restclient.Observer{
		Attempted:  func() { e.add("attempt") },
		Retried:    func(reason string) { e.add("retry: " + reason) },
		OverBudget: func() { e.add("over budget") },
		Suppressed: func(cause string) { e.add("suppressed: " + cause) },
		Breaker:    func(state string) { e.add("breaker: " + state) },
	}
}

func TestObserver_events(t *testing.T) {
	t.Parallel()
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, tt := range map[string]struct {
		upstream *script
		calls    int
		want     map[string]int
	}{
		"a page": {upstream: responding(onePageResponse), calls: 1, want: map[string]int{"attempt": 1}},
		"retries": {
			upstream: responding(status(503, ""), cut, onePageResponse),
			calls:    1,
			want:     map[string]int{"attempt": 3, "retry: server_error": 1, "retry: truncated": 1},
		},
		"retries for other reasons": {
			upstream: responding(status(429, ""), slow, onePageResponse),
			calls:    1,
			want:     map[string]int{"attempt": 3, "retry: rate_limited": 1, "retry: timeout": 1},
		},
		"a closed connection": {upstream: responding(abort, onePageResponse), calls: 1, want: map[string]int{"attempt": 2, "retry: reset": 1}},
		"the retry budget": {
			upstream: responding(status(503, ""), status(503, ""), status(503, ""), status(503, ""), status(503, ""), slow),
			calls:    5,
			want:     map[string]int{"attempt": 8, "retry: server_error": 3, "over budget": 2},
		},
		"suppressed attempts": {
			upstream: responding(slow),
			calls:    128 + 256 + 512,
			want:     map[string]int{"attempt": 128, "suppressed: overload": 256 + 512},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := &events{counts: map[string]int{}}
			observed(t, tt.upstream.ServeHTTP, got.observer(), func(t *testing.T, client *restclient.Client) {
				t.Helper()
				within := 2 * time.Second
				if tt.want["retry: timeout"] > 0 {
					within = 7 * time.Second // longer than two attempts
				}
				ctx, cancel := context.WithTimeout(t.Context(), within)
				defer cancel()
				callAll(ctx, client, tt.calls)()
				got.mu.Lock()
				defer got.mu.Unlock()
				if !maps.Equal(got.counts, tt.want) {
					t.Errorf("got %v, want %v", got.counts, tt.want)
				}
			})
		})
	}
}

// tracedAttempt has the arguments of StartAttempt, and of the function it returned, for one
// attempt.
type tracedAttempt struct {
	attempt restclient.Attempt
	status  int
	failure string
}

func TestObserver_startAttempt(t *testing.T) {
	t.Parallel()
	request := restclient.PageRequest{Page: 2, PageSize: 1}
	attempt := func(number int) restclient.Attempt { return restclient.Attempt{Request: request, Number: number} }
	for name, test := range map[string]struct {
		timeout time.Duration // of an attempt
		respond http.HandlerFunc
		want    []tracedAttempt
	}{
		"success": {
			timeout: time.Minute,
			respond: func(w http.ResponseWriter, _ *http.Request) { w.Write(envelope("{}", 2, 2, 1)) },
			want:    []tracedAttempt{{attempt(1), 200, ""}},
		},
		"a status": {
			timeout: time.Minute,
			respond: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
			want:    []tracedAttempt{{attempt(1), 403, "403"}},
		},
		"three attempts": {
			timeout: time.Minute,
			respond: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			want:    []tracedAttempt{{attempt(1), 502, "502"}, {attempt(2), 502, "502"}, {attempt(3), 502, "502"}},
		},
		"a truncated body": {
			timeout: time.Minute,
			respond: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				w.Write([]byte(`{"items":`))
			},
			want: []tracedAttempt{{attempt(1), 200, "it is truncated"}, {attempt(2), 200, "it is truncated"}, {attempt(3), 200, "it is truncated"}},
		},
		"no response in time": {
			timeout: 200 * time.Millisecond,
			respond: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			want:    []tracedAttempt{{attempt(1), 0, "timeout"}, {attempt(2), 0, "timeout"}, {attempt(3), 0, "timeout"}},
		},
		"no HTTP": {
			timeout: time.Minute,
			respond: func(w http.ResponseWriter, _ *http.Request) {
				conn, _, _ := http.NewResponseController(w).Hijack()
				fmt.Fprint(conn, "nonsense\r\n\r\n")
				conn.Close()
			},
			want: []tracedAttempt{{attempt(1), 0, restclient.KindProtocol}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []tracedAttempt
			var sent atomic.Int64
			server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Traceparent") == "of attempt "+strconv.Itoa(int(sent.Add(1))) {
					test.respond(w, r)
				}
			})
			server.Start()
			client := newClient(t, restclient.Options{BaseURL: server.URL, Timeout: test.timeout, Observer: restclient.Observer{
				StartAttempt: func(_ context.Context, a restclient.Attempt, header http.Header) func(int, string) {
					header.Set("Traceparent", "of attempt "+strconv.Itoa(a.Number))
					return func(status int, failure string) { got = append(got, tracedAttempt{a, status, failure}) }
				},
			}})
			_, err := client.Fetch(t.Context(), restclient.Credential{}, request)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v and error %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestObserver_startAttemptOfCanceledCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := quiet(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	server.Start()
	var got []tracedAttempt
	client := newClient(t, restclient.Options{BaseURL: server.URL, Observer: restclient.Observer{
		StartAttempt: func(_ context.Context, a restclient.Attempt, _ http.Header) func(int, string) {
			return func(status int, failure string) { got = append(got, tracedAttempt{a, status, failure}) }
		},
	}})
	_, _ = client.Fetch(ctx, restclient.Credential{}, onePage)
	if want := []tracedAttempt{{restclient.Attempt{Request: onePage, Number: 1}, 0, "canceled"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
