package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

// needsQuietMachine skips a test that compares times if other programs may use the machine.
func needsQuietMachine(t *testing.T) {
	t.Helper()
	if !testmode.QuietMachine() {
		t.Skip("compares times, which needs a machine that does nothing else: set CVMGRAPH_TEST_LATENCY=1")
	}
}

// TestLatency_singleRequest sends one request at a time, alternately to the upstream and to the
// gateway, and limits the difference of their median times. A request for one item shows the
// overhead of every request; more items may take longer.
//
//nolint:paralleltest // other tests would distort its times
func TestLatency_singleRequest(t *testing.T) {
	needsQuietMachine(t)
	upstream := httptest.NewServer(demo.New(demo.Options{}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--cache-ttl=0")
	for _, first := range []int{1, 20} {
		const perItem = 50 * time.Microsecond // to decode and to resolve an item
		limit := time.Millisecond + time.Duration(first-1)*perItem
		var extra time.Duration
		if !cost.InThreeTries(func() bool {
			bare, gateway := medianTimes(t, upstream.URL, p, first)
			extra = gateway - bare
			t.Logf("first: %d: p50 %v for the upstream call, %v through the gateway", first, bare, gateway)
			return extra <= limit
		}) {
			t.Errorf("first: %d: got %v more than the upstream call in the last of three tries, want at most %v",
				first, extra, limit)
		}
	}
}

// medianTimes returns the median times of an upstream call and of an operation that makes this
// call.
func medianTimes(t *testing.T, upstreamURL string, p *process, first int) (bare, gateway time.Duration) {
	t.Helper()
	upstreamCall := func() error {
		url := fmt.Sprintf("%s%s?page=1&page_size=%d", upstreamURL, demo.ListPath, first)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer load")
		request.Header.Set("X-Phala-Version", "2025-10-28")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	query := fmt.Sprintf(`{ cvms(first: %d) { edges { node { id name status vcpu memory node { name } } } } }`, first)
	operation := func() error {
		_, err := p.query(t.Context(), query, "load")
		return err
	}
	const rounds = 400
	var times [2][]time.Duration
	for range rounds {
		for i, call := range []func() error{upstreamCall, operation} {
			begun := time.Now()
			if err := call(); err != nil {
				t.Fatal(err)
			}
			times[i] = append(times[i], time.Since(begun))
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	return times[0][rounds/2], times[1][rounds/2]
}
