package restclient_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"cvmgraph/restclient"
)

func TestLimiter_overload(t *testing.T) {
	t.Parallel()
	upstream := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var waits []func() map[string]int
		for range 600 { // one after the other, because the limits of the queue are less exact for concurrent calls
			waits = append(waits, callAll(ctx, client, 1))
			synctest.Wait()
		}
		state := client.State()
		if state.InFlight != state.Limit || state.Limit != 128 || state.Queued < 2*state.Limit || state.Queued > 3*state.Limit {
			t.Errorf("got %+v, want a full limit, and two to three times as many queued", state)
		}
		<-time.After(time.Second)
		synctest.Wait()
		if got := client.State(); got.Queued != 0 || got.InFlight != 128 {
			t.Errorf("after a second: got %+v, want an empty queue", got)
		}
		cancel()
		ends := map[string]int{}
		for _, wait := range waits {
			for message, n := range wait() {
				ends[message] += n
			}
		}
		if ends["upstream was not called: overload"] != 600-128 || ends["upstream call canceled by its caller"] != 128 {
			t.Errorf("got %v, want all suppressed but the 128 in flight", ends)
		}
		if got := client.State(); got.Queued != 0 || got.InFlight != 0 {
			t.Errorf("in the end: got %+v, want no calls", got)
		}
		wantAfter(t, start, time.Second, time.Second+1)
	})
}

func TestLimiter_canceledInQueue(t *testing.T) {
	t.Parallel()
	var respond chan struct{}
	upstream := func(w http.ResponseWriter, r *http.Request) {
		<-respond
		onePageResponse(w, r)
	}
	inMemory(t, upstream, func(t *testing.T, client *restclient.Client) {
		t.Helper()
		respond = make(chan struct{}) // inside the bubble
		inFlight := callAll(t.Context(), client, 128)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		leaving := callAll(ctx, client, 10)
		short, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		late := callAll(short, client, 10)
		staying := callAll(t.Context(), client, 10)
		synctest.Wait()
		if got := client.State().Queued; got != 30 {
			t.Errorf("got %d in the queue, want 30", got)
		}
		start := time.Now()
		cancel()
		if got := leaving(); got["upstream call canceled by its caller"] != 10 || time.Since(start) > 0 {
			t.Errorf("got %v after %v, want 10 canceled at once", got, time.Since(start))
		}
		if got := late(); got["upstream was not called: overload"] != 10 || time.Since(start) != 500*time.Millisecond {
			t.Errorf("got %v after %v, want 10 suppressed at their deadline", got, time.Since(start))
		}
		close(respond)
		if got := staying(); got[""] != 10 {
			t.Errorf("got %v, want 10 pages", got)
		}
		if got := inFlight(); got[""] != 128 {
			t.Errorf("got %v, want 128 pages", got)
		}
	})
}
