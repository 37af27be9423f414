package restclient_test

import (
	"errors"
	"runtime"
	"strconv"
	"testing"

	"cvmgraph/internal/testing/testmode"
	"cvmgraph/restclient"
)

// TestCallers_bounded makes attempts with invented credentials, each of which fails once. They cost
// a bounded amount of memory, and the state of other credentials survives: one remains paused, and
// another remains known, so that its units are its own.
//
//nolint:paralleltest // it measures the memory of the whole process
func TestCallers_bounded(t *testing.T) {
	client := newClient(t, restclient.Options{BaseURL: "http://upstream.test"})
	reset := &restclient.NetworkError{Kind: restclient.KindReset}
	attempt := func(credential restclient.Credential, err error) error {
		return client.Attempt(t.Context(), credential, err)
	}
	invented := func(from, to int) {
		t.Helper()
		for i := range to - from {
			credential := restclient.NewCredential(restclient.Headers{APIKey: "invented-" + strconv.Itoa(from+i)})
			if err := attempt(credential, reset); !errors.Is(err, reset) {
				t.Fatalf("invented credential %d: got error %v, want an attempt", i, err)
			}
			if i%100 == 0 { // the others call, too
				_ = attempt(as(1), reset)
				_ = attempt(as(2), nil)
			}
		}
	}
	for range 30 {
		_ = attempt(as(1), reset)
	}
	invented(0, 20_000)
	before := heap()
	all := testmode.Count(200_000, 1_000_000)
	invented(20_000, all)
	if got := heap() - before; got > 4<<20 {
		t.Errorf("got %d bytes more after %d credentials, want at most 4 MiB", got, all)
	}
	wantUnavailable(t, attempt(as(1), reset), restclient.CausePaused)
	if !client.Known(as(2)) || client.Known(as(1)) {
		t.Error("got another set of known callers")
	}
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
