package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/testmode"
)

// failedSeeds are seeds of requests that once found an error.
var failedSeeds = [][2]uint64{{fixedSeed, 143}, {fixedSeed, 5652}, {fixedSeed, 8464}, {fixedSeed, 9476}}

const (
	fixedSeed       = 20_251_028
	maxHeader       = 16 << 10         // bytes of a header that the program must accept
	maxErrorBody    = 64 << 10         // bytes of a response without data
	maxResponseTime = 10 * time.Second // of any response, on a busy machine
	maxMessage      = 400 + len("…")   // bytes of an error message
)

// TestMutatedRequests sends valid requests with random changes over TCP. It checks each response,
// the upstream calls, and the log.
func TestMutatedRequests(t *testing.T) {
	t.Parallel()
	const shards = 4
	cases := testmode.Count(1_000, 20_000)
	randomSeed := uint64(time.Now().UnixNano())
	checker := &responseChecker{codes: documentedCodes(t), seen: map[string]int{}}
	list := demo.New(demo.Options{Items: 60})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		checker.checkCall(t, r)
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--log-level=debug")
	address := strings.TrimPrefix(p.url, "http://")
	begun := time.Now()
	try := func(seed [2]uint64) {
		sent := newMutator(seed).request()
		if problem := checker.check(sent, exchange(address, sent)); problem != "" {
			t.Errorf("seed {%d, %d}: %s\nthe request: %.3000q", seed[0], seed[1], problem, sent)
		}
	}
	var group sync.WaitGroup
	for shard := range shards {
		group.Go(func() {
			if shard == 0 {
				for _, seed := range failedSeeds {
					try(seed)
				}
			}
			for i := shard; i < cases/2; i += shards {
				try([2]uint64{fixedSeed, uint64(i)})
				try([2]uint64{randomSeed, uint64(i)})
			}
		})
	}
	group.Wait()
	t.Logf("%d requests in %v, the slowest in %v: %v; the random seed was %d", cases, time.Since(begun), checker.slowest, checker.seen, randomSeed)
	if t.Failed() {
		return
	}
	if n := checker.seen["data"]; n < cases/10 || n > cases*7/10 {
		t.Errorf("got data for %d of %d requests, want 10 %% to 70 %%, so that many are changed and many are still valid", n, cases)
	}
	for _, code := range []string{"BAD_REQUEST", "BAD_USER_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX", "UNAUTHENTICATED", "PERSISTED_QUERY_NOT_FOUND"} {
		if checker.seen[code] == 0 {
			t.Errorf("got no response with %s", code)
		}
	}
	p.terminate(t)
	checkLog(t, p.logged())
}

// checkLog fails the test if a log has a line that is not JSON, an error, a panic, or a string of a
// request.
func checkLog(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("got the line %.500q in the log, want JSON", line)
		}
		if entry.Level == "ERROR" || strings.Contains(entry.Msg, "panic") {
			t.Errorf("got %.2000s in the log", line)
		}
		if leaks(line) {
			t.Errorf("got a string of the request in the log: %.500s", line)
		}
	}
}

// documentedCodes returns the error codes that docs/reference.md lists.
func documentedCodes(t *testing.T) map[string]bool {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "docs/reference.md"), "\n## Errors\n")
	section, _, _ = strings.Cut(section, "\n## ")
	codes := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z_]+(?:, [A-Z_]+)*) \|`).FindAllStringSubmatch(section, -1) {
		for code := range strings.SplitSeq(row[1], ", ") {
			codes[code] = true
		}
	}
	if len(codes) < 10 {
		t.Fatalf("got the codes %v in docs/reference.md, want its table", codes)
	}
	return codes
}
