package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
	"cvmgraph/internal/testing/testmode"
)

// retriedFaults are faults after which the gateway tries again.
var retriedFaults = []string{
	"429", "500", "502-html", "503", "504", "reset", "reset-in-header", "reset-in-body",
	"closed", "closed-in-header", "truncated", "truncated-chunks", "truncated-gzip",
	"hang", "hang-in-header", "hang-in-body", "drip", "empty", "half-json",
}

// finalFaults are faults after which the gateway does not try again.
var finalFaults = []string{
	"404", "302-elsewhere", "html", "null", "trailing-garbage", "no-items", "other-shape", "wrong-types",
	"deep-lists", "two-lengths", "not-http", "endless-hints", "large-header", "bomb",
}

// unreliableUpstream is an upstream that fails a percentage of its calls.
type unreliableUpstream struct {
	faulty *faulty.Upstream
	list   http.Handler

	faults  atomic.Pointer[[]string]
	percent atomic.Int64
}

func (u *unreliableUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rand.Int64N(100) >= u.percent.Load() {
		u.list.ServeHTTP(w, r)
		return
	}
	faults := *u.faults.Load()
	u.faulty.Fail(w, r, faults[rand.IntN(len(faults))])
}

// fail makes a percentage of the calls fail, each with one of the faults.
func (u *unreliableUpstream) fail(percent int64, faults []string) {
	u.faults.Store(&faults)
	u.percent.Store(percent)
}

// soakTest is a program under load with an unreliable upstream.
type soakTest struct {
	p        *process
	upstream *unreliableUpstream
	server   *httptest.Server
	client   *http.Client
}

const (
	soakClients = 16
	soakTimeout = 5 * time.Second        // of a request
	soakGrace   = 700 * time.Millisecond // in which the response to a timed-out request must arrive
)

// TestSoak runs the program with an unreliable upstream for a while. Goroutines, open files and
// memory must not grow, and if few calls fail, almost all responses must have data.
func TestSoak(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads open files and the resident set from /proc, which is Linux's")
	}
	if testmode.Race {
		t.Skip("the race detector multiplies time and memory; .ci/run runs this test without it too")
	}
	duration := time.Duration(testmode.Count(1, 60)) * time.Second
	s := startSoak(t)
	s.load(t, time.Second)
	begun := s.lowestUsage(t, time.Second)
	s.upstream.fail(30, slices.Concat(retriedFaults, finalFaults))
	var resident []int64 // by round
	for len(resident) < 2 || grewByTenth(resident) && len(resident) < 4 {
		outcome := s.load(t, duration)
		now := s.lowestUsage(t, duration/6)
		t.Logf("30 %% of the calls fail: %v; usage %+v, at first %+v", outcome, now, begun)
		if now.goroutines > begun.goroutines+5 || now.files > begun.files+5 {
			_, stacks := fetch(t, http.MethodGet, s.p.admin()+"/debug/pprof/goroutine?debug=1")
			t.Errorf("got %+v, want at most 5 goroutines and files more than %+v:\n%.5000s", now, begun, stacks)
		}
		resident = append(resident, now.resident)
	}
	if duration >= time.Minute && grewByTenth(resident) {
		t.Errorf("resident set: got %d bytes after the rounds, want at most a tenth more in one of them", resident)
	}
	s.upstream.fail(10, retriedFaults)
	outcome := s.load(t, duration)
	t.Logf("10 %% of the calls fail: %v", outcome)
	permille := int64(5) // of the requests, without data
	if duration < time.Minute {
		permille = 30 // in a short run, a few failures are a larger share
	}
	if (outcome.requests-outcome.data)*1000 > outcome.requests*permille {
		t.Errorf("got data for %d of %d requests, want %.1f %%", outcome.data, outcome.requests, 100-float64(permille)/10)
	}
	checkLog(t, s.p.logged())
}

// grewByTenth reports whether the last round added more than a tenth of the first round's memory. A
// leak does so in every round, while the allocator keeps a few MB more or less from round to round.
func grewByTenth(resident []int64) bool {
	last := len(resident) - 1
	return last > 0 && resident[last]-resident[last-1] > resident[0]/10
}

func startSoak(t *testing.T) *soakTest {
	t.Helper()
	list := demo.New(demo.Options{Latency: 2 * time.Millisecond})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("got a call that followed a redirect")
	}))
	t.Cleanup(elsewhere.Close)
	s := &soakTest{upstream: &unreliableUpstream{faulty: faulty.New(list, elsewhere.URL), list: list}}
	s.server = httptest.NewUnstartedServer(s.upstream)
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.Start()
	t.Cleanup(s.server.Close)
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: soakClients}}
	s.p = startWith(t, []string{"GOMEMLIMIT=200MiB"},
		"--upstream-url", s.server.URL+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl=0",
		"--upstream-timeout=500ms", "--request-timeout", soakTimeout.String())
	return s
}

// outcomes counts the responses to the requests of a load.
type outcomes struct {
	requests, data int64
	codes          map[string]int // by the code of the first error, or empty
	slowest        time.Duration
}

// load sends requests for a duration. Two clients use each list and share its upstream calls. If
// more did, one failed call would fail most of the requests of a second, because requests that wait
// for a slow call continue together.
func (s *soakTest) load(t *testing.T, duration time.Duration) outcomes {
	t.Helper()
	all := outcomes{codes: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	end := time.Now().Add(duration)
	for client := range soakClients {
		group.Go(func() {
			pace := time.NewTicker(20 * time.Millisecond)
			defer pace.Stop()
			for i := 0; time.Now().Before(end); i++ {
				first := 20
				if i%10 == 0 {
					first = 150 // on two pages
				}
				begun := time.Now()
				code, err := s.request(t, first, fmt.Sprint("tenant-", client/2*5+i%5))
				took := time.Since(begun)
				mu.Lock()
				all.requests++
				all.slowest = max(all.slowest, took)
				if all.codes[code]++; code == "" {
					all.data++
				}
				mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				<-pace.C
			}
		})
	}
	group.Wait()
	if all.slowest > soakTimeout+soakGrace {
		t.Errorf("got the slowest response after %v, want at most %v", all.slowest, soakTimeout+soakGrace)
	}
	return all
}

// request requests the first CVMs of a list. It returns the code of the response's first error, or
// an empty string if there are no errors.
func (s *soakTest) request(t *testing.T, first int, token string) (code string, err error) {
	t.Helper()
	query := fmt.Sprintf(`{ cvms(first: %d) { totalCount pageInfo { endCursor } nodes { id name status hosted { uptime configuration { composeFile { name } } } } } }`, first)
	r, err := s.p.post(t.Context(), s.client, query, bearer(token))
	if err != nil {
		return "", err
	}
	var got struct {
		Data struct {
			Cvms struct{ Nodes []struct{ ID string } }
		}
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		return "", fmt.Errorf("got %.300s, %w", r.body, err)
	}
	if len(got.Errors) > 0 {
		return got.Errors[0].Extensions.Code, nil
	}
	if n := len(got.Data.Cvms.Nodes); n != first {
		return "", fmt.Errorf("got %d CVMs, want %d: %.300s", n, first, r.body)
	}
	return "", nil
}

// usage is the resource usage of the program.
type usage struct {
	goroutines, files int
	resident          int64 // bytes, after a garbage collection
}

// usage closes all connections and returns the usage of the idle program.
func (s *soakTest) usage(t *testing.T) usage {
	t.Helper()
	s.client.CloseIdleConnections()
	s.server.CloseClientConnections()
	_, metrics := fetch(t, http.MethodGet, s.p.admin()+"/metrics")
	found := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindStringSubmatch(metrics)
	if found == nil {
		t.Fatalf("got no goroutines in %.300s", metrics)
	}
	goroutines, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	files := s.p.openFiles(t)
	fetch(t, http.MethodGet, s.p.admin()+"/debug/pprof/heap?gc=1")
	return usage{goroutines, files, s.p.memoryStatus(t, "VmRSS")}
}

// openFiles returns the number of files and connections that the program has open.
func (p *process) openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// lowestUsage measures the usage repeatedly for a duration, and returns the minimum of each
// resource, because the program releases resources with a delay.
func (s *soakTest) lowestUsage(t *testing.T, duration time.Duration) usage {
	t.Helper()
	lowest := s.usage(t)
	tick := time.Tick(200 * time.Millisecond)
	for begun := time.Now(); time.Since(begun) < duration; <-tick {
		now := s.usage(t)
		lowest = usage{
			min(lowest.goroutines, now.goroutines), min(lowest.files, now.files), min(lowest.resident, now.resident),
		}
	}
	return lowest
}
