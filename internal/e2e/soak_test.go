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

// passing are faults that the next attempt need not meet.
var passing = []string{
	"429", "500", "502-html", "503", "504", "reset", "reset-in-header", "reset-in-body", "closed", "closed-in-header", "truncated", "truncated-chunks", "truncated-gzip",
	"hang", "hang-in-header", "hang-in-body", "drip", "empty", "half-json",
}

// lasting are faults at which no other attempt is made.
var lasting = []string{"404", "302-elsewhere", "html", "null", "trailing-garbage", "no-items", "flat-shape", "wrong-types", "deep-lists", "two-lengths", "not-http", "endless-hints", "large-header", "bomb"}

// unreliable is an upstream some of whose calls fail, whoever makes them.
type unreliable struct {
	faulty *faulty.Upstream
	list   http.Handler

	faults  atomic.Pointer[[]string]
	percent atomic.Int64
}

func (u *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rand.Int64N(100) >= u.percent.Load() {
		u.list.ServeHTTP(w, r)
		return
	}
	faults := *u.faults.Load()
	u.faulty.Fail(w, r, faults[rand.IntN(len(faults))])
}

// fails makes so many of 100 calls fail, each in one of some ways.
func (u *unreliable) fails(percent int64, faults []string) {
	u.faults.Store(&faults)
	u.percent.Store(percent)
}

// soak is a program under load, and what it calls.
type soak struct {
	p        *process
	upstream *unreliable
	server   *httptest.Server
	client   *http.Client
}

// deadline is how long a request of the soak may take, and overdue how much longer its answer.
const (
	deadline = 5 * time.Second
	overdue  = 700 * time.Millisecond
)

// TestSoak runs the program over an upstream that fails in many ways, for long, and looks at what it holds on to; and then at how many
// of its answers have data where fewer calls fail.
func TestSoak(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("descriptors and the resident set are read from /proc, which is Linux's")
	}
	if testmode.Race {
		t.Skip("the race detector multiplies time and memory: .ci/run runs this without it too")
	}
	lasts := time.Duration(testmode.Count(2, 60)) * time.Second
	s := startSoak(t)
	s.load(t, time.Second)
	begun := s.lowest(t, time.Second)
	s.upstream.fails(30, slices.Concat(passing, lasting))
	var rounds []held
	for range 2 {
		sum := s.load(t, lasts)
		now := s.lowest(t, lasts/6)
		t.Logf("30 %% faults: %v; holds %+v, %+v at first", sum, now, begun)
		if now.goroutines > begun.goroutines+5 || now.descriptors > begun.descriptors+5 {
			_, stacks := answer(t, http.MethodGet, s.p.admin()+"/debug/pprof/goroutine?debug=1")
			t.Errorf("got %+v, want no more than 5 goroutines and descriptors above %+v:\n%.5000s", now, begun, stacks)
		}
		rounds = append(rounds, now)
	}
	if got, limit := rounds[1].resident, rounds[0].resident*11/10; got > limit && lasts >= time.Minute {
		t.Errorf("resident set: got %d KiB, %d KiB a round ago, want at most a tenth more", got>>10, rounds[0].resident>>10)
	}
	s.upstream.fails(10, passing)
	sum := s.load(t, lasts)
	t.Logf("10 %% faults: %v", sum)
	few := int64(5) // of 1000 requests, without data
	if lasts < time.Minute {
		few = 30 // of which there are too few to tell
	}
	if (sum.requests-sum.data)*1000 > sum.requests*few {
		t.Errorf("got data for %d of %d requests, want %.1f %%", sum.data, sum.requests, 100-float64(few)/10)
	}
	checkLog(t, s.p.logged())
}

func startSoak(t *testing.T) *soak {
	t.Helper()
	list := demo.New(demo.Options{Latency: 2 * time.Millisecond})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("got a call that followed a redirect") }))
	t.Cleanup(elsewhere.Close)
	s := &soak{upstream: &unreliable{faulty: faulty.New(list, elsewhere.URL), list: list}}
	s.server = httptest.NewUnstartedServer(s.upstream)
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.Start()
	t.Cleanup(s.server.Close)
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: soakClients}}
	s.p = startWith(t, []string{"GOMEMLIMIT=200MiB"}, "--upstream-url", s.server.URL+demo.BasePath, "--admin-listen=127.0.0.1:0", "--cache-ttl=0",
		"--upstream-timeout=500ms", "--request-timeout", deadline.String())
	return s
}

const soakClients = 16

// tallied is what became of a load's requests.
type tallied struct {
	requests, data int64
	codes          map[string]int
	slowest        time.Duration
}

// load lets clients ask for so long. Two ask for each list, and so share its calls: with more, one call that fails in the end would fail
// most requests of a second, for those who wait for a slow call go on as one.
func (s *soak) load(t *testing.T, lasts time.Duration) tallied {
	t.Helper()
	sum := tallied{codes: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	end := time.Now().Add(lasts)
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
				code, err := s.ask(first, fmt.Sprint("tenant-", client/2*5+i%5))
				took := time.Since(begun)
				mu.Lock()
				sum.requests++
				sum.slowest = max(sum.slowest, took)
				if sum.codes[code]++; code == "" {
					sum.data++
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
	if sum.slowest > deadline+overdue {
		t.Errorf("got the slowest answer after %v, want at most %v", sum.slowest, deadline+overdue)
	}
	return sum
}

// ask asks for the beginning of a list, and returns the code of the answer's first error, "" for none.
func (s *soak) ask(first int, token string) (code string, err error) {
	body := fmt.Sprintf(`{ cvms(first: %d) { totalCount pageInfo { endCursor } nodes { id name status hosted { uptime configuration { composeFile { name } } } } } }`, first)
	text, err := s.p.by(s.client, body, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		return "", err
	}
	var got struct {
		Data struct {
			Cvms struct{ Nodes []struct{ ID string } }
		}
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return "", fmt.Errorf("got %.300s, %w", text, err)
	}
	if len(got.Errors) > 0 {
		return got.Errors[0].Extensions.Code, nil
	}
	if n := len(got.Data.Cvms.Nodes); n != first {
		return "", fmt.Errorf("got %d CVMs, want %d: %.300s", n, first, text)
	}
	return "", nil
}

// held is what the program holds on to.
type held struct {
	goroutines, descriptors int
	resident                int64 // bytes
}

// holds looks at it once nobody is connected, but for who looks.
func (s *soak) holds(t *testing.T) held {
	t.Helper()
	s.client.CloseIdleConnections()
	s.server.CloseClientConnections()
	_, metrics := answer(t, http.MethodGet, s.p.admin()+"/metrics")
	found := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindStringSubmatch(metrics)
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.p.Process.Pid))
	if found == nil || err != nil {
		t.Fatalf("got no goroutines in %.300s, or no descriptors: %v", metrics, err)
	}
	goroutines, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return held{goroutines, len(descriptors), s.resident(t)}
}

// resident returns the resident set after a collection.
func (s *soak) resident(t *testing.T) int64 {
	t.Helper()
	answer(t, http.MethodGet, s.p.admin()+"/debug/pprof/heap?gc=1")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("got no VmRSS in %s", status)
	}
	kib, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// lowest looks for so long, and returns the least of each: what was used comes back by and by.
func (s *soak) lowest(t *testing.T, lasts time.Duration) held {
	t.Helper()
	least := s.holds(t)
	tick := time.Tick(200 * time.Millisecond)
	for begun := time.Now(); time.Since(begun) < lasts; <-tick {
		now := s.holds(t)
		least = held{min(least.goroutines, now.goroutines), min(least.descriptors, now.descriptors), min(least.resident, now.resident)}
	}
	return least
}
