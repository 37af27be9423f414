package restclient_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/internal/testing/memorynet"
	"cvmgraph/restclient"
)

// script is an upstream that sends its responses in order and repeats the last one. It counts the
// calls.
type script struct {
	responses []http.HandlerFunc
	calls     atomic.Int64
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.calls.Add(1))
	s.responses[min(n, len(s.responses))-1](w, r)
}

// cycle sends the responses in order again and again.
func (s *script) cycle(w http.ResponseWriter, r *http.Request) {
	n := int(s.calls.Add(1) - 1)
	s.responses[n%len(s.responses)](w, r)
}

func responding(responses ...http.HandlerFunc) *script { return &script{responses: responses} }

// status responds with a status, and with a Retry-After header unless that is "".
func status(code int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(code)
	}
}

func onePageResponse(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write(pageOf(1, []byte(`{"name":"a"}`)))
}

func write(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

// abort closes the connection before a response.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// cut closes the connection inside a response.
func cut(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"items":[`))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// callAll starts n concurrent calls. wait returns the number of calls that ended with each error
// message, "" for success.
func callAll(ctx context.Context, client *restclient.Client, n int) (wait func() map[string]int) {
	var (
		group sync.WaitGroup
		mu    sync.Mutex
	)
	ends := map[string]int{}
	for range n {
		group.Go(func() {
			_, err := client.ListCvms(ctx, restclient.Credential{}, onePage)
			message := ""
			if err != nil {
				message = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			ends[message]++
		})
	}
	return func() map[string]int { group.Wait(); return ends }
}

// inMemory runs call in a synctest bubble, with a client of a server with the given handler.
func inMemory(t *testing.T, handler http.HandlerFunc, call func(*testing.T, *restclient.Client)) {
	t.Helper()
	observed(t, handler, restclient.Observer{}, call)
}

// observed is inMemory with an observer.
func observed(t *testing.T, handler http.HandlerFunc, observer restclient.Observer, call func(*testing.T, *restclient.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := memorynet.Listen()
		server := &http.Server{Handler: handler}
		go func() { _ = server.Serve(listener) }()
		defer func() { _ = server.Close() }()
		client, err := restclient.New(restclient.Options{BaseURL: "http://upstream.test", Timeout: 3 * time.Second, Observer: observer})
		if err != nil {
			t.Fatal(err)
		}
		client.SetDial(listener.Dial)
		defer client.Close()
		call(t, client)
	})
}

// stalls are upstreams that never finish a response.
var stalls = map[string]http.HandlerFunc{
	"before the response": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"inside the body": func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"items":[`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
	"inside an announced body": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"items":[`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
}

// wantAfter checks that the time since start is at least soonest and less than latest.
func wantAfter(t *testing.T, start time.Time, soonest, latest time.Duration) {
	t.Helper()
	if got := time.Since(start); got < soonest || got >= latest {
		t.Errorf("got the result after %v, want %v to %v", got, soonest, latest)
	}
}
