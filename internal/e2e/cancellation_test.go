package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

// TestUpstreamCall_callersLeave cancels the first of two requests that share an upstream call,
// which must go on, and then the only request of another call, which must be canceled.
func TestUpstreamCall_callersLeave(t *testing.T) {
	t.Parallel()
	upstream := startFaulty(t)
	p := start(t, "--upstream-url", upstream.url+demo.BasePath, "--admin-listen=127.0.0.1:0")
	for i, media := range mediaTypes {
		request := func(token string) (cancel context.CancelFunc, result chan string) {
			ctx, cancel := context.WithCancel(t.Context())
			result = make(chan string, 1)
			header := bearer(token)
			header.Set("Accept", media)
			go func() {
				r, err := p.post(ctx, http.DefaultClient, `{ cvms { totalCount } }`, header)
				result <- fmt.Sprint(r.body, err)
			}()
			return cancel, result
		}
		token := upstream.Token("blocked", faulty.Always, media)
		cancelFirst, first := request(token)
		waitFor(t, func() bool { return upstream.Calls(token) == 1 })
		cancelSecond, second := request(token)
		p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 2",
			fmt.Sprintf("cvmgraph_page_cache_misses_total %d", 3*i+2)) // the second request shares the call
		cancelFirst()
		<-first
		p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 1")
		upstream.Repair(token)
		if got := <-second; got != `{"data":{"cvms":{"totalCount":300}}}<nil>` {
			t.Errorf("the second request: got %s, want data", got)
		}
		cancelSecond()
		if calls, abandoned := upstream.Calls(token), upstream.Abandoned(token); calls != 1 || abandoned != 0 {
			t.Errorf("got %d calls, %d of them canceled, want one that was not", calls, abandoned)
		}

		token = upstream.Token("blocked", faulty.Always, "alone-"+media)
		cancel, only := request(token)
		waitFor(t, func() bool { return upstream.Calls(token) == 1 })
		cancel()
		<-only
		waitFor(t, func() bool { return upstream.Abandoned(token) == 1 })
		p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 0")
		if calls := upstream.Calls(token); calls != 1 {
			t.Errorf("got %d calls for a canceled request, want 1", calls)
		}
	}
}
