package e2e_test

import (
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// admin returns the logged address of the admin listener, or an empty string without one.
func (p *process) admin() string {
	found := regexp.MustCompile(`admin"?[:=]"?(http://[^"\s]+)`).FindStringSubmatch(p.logged())
	if found == nil {
		return ""
	}
	return found[1]
}

// waitForMetrics scrapes the metrics until they have all lines, and returns the last scrape. A
// request is counted when its handler returns, which may be after the client has the response.
func (p *process) waitForMetrics(t *testing.T, lines ...string) string {
	t.Helper()
	tick := time.Tick(20 * time.Millisecond)
	for begun := time.Now(); ; <-tick {
		_, metrics := fetch(t, http.MethodGet, p.admin()+"/metrics")
		missing := ""
		for _, line := range lines {
			if !strings.Contains(metrics, "\n"+line+"\n") {
				missing = line
			}
		}
		if missing == "" {
			return metrics
		}
		if time.Since(begun) > 10*time.Second {
			own := regexp.MustCompile(`(?m)^cvmgraph_.*`).FindAllString(metrics, -1)
			t.Fatalf("got no line %q in:\n%s", missing, strings.Join(own, "\n"))
		}
	}
}

func TestMetrics_requests(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--admin-listen=127.0.0.1:0")
	for range 3 {
		got, err := p.query(t.Context(), `{ cvms(first: 2) { totalCount } }`, "phak_secret")
		if err != nil || !strings.Contains(got, "totalCount") {
			t.Fatalf("got %s, %v, want data", got, err)
		}
	}
	fetch(t, http.MethodGet, p.url+"/readyz")
	fetch(t, http.MethodGet, p.url+"/secret")
	fetch(t, "SECRET", p.url+"/graphql")
	got := p.waitForMetrics(
		t,
		`cvmgraph_http_requests_total{method="POST",route="/graphql",status="200"} 3`,
		`cvmgraph_http_requests_total{method="GET",route="/readyz",status="200"} 1`,
		`cvmgraph_http_requests_total{method="GET",route="other",status="404"} 1`,
		`cvmgraph_http_requests_total{method="other",route="/graphql",status="405"} 1`,
		`cvmgraph_http_request_duration_seconds_count{route="/graphql"} 4`,
		`cvmgraph_http_requests_in_flight 0`,
	)
	if strings.Contains(strings.ToLower(got), "secret") {
		t.Error("got a string of the caller in the metrics")
	}
	for _, want := range []string{
		"cvmgraph_build_info{version=", "go_goroutines ", "go_memstats_heap_alloc_bytes ",
	} {
		if !strings.Contains(got, "\n"+want) {
			t.Errorf("got no %s in the metrics", want)
		}
	}
}

// TestListeners_separate requests the public paths from the admin listener, and the other way
// round.
func TestListeners_separate(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--admin-listen=127.0.0.1:0")
	for url, want := range map[string]int{
		p.admin() + "/metrics":                    200,
		p.admin() + "/debug/pprof/":               200,
		p.admin() + "/debug/pprof/heap":           200,
		p.admin() + "/graphql?query={__typename}": 404,
		p.admin() + "/":                           404,
		p.admin() + "/schema.graphql":             404,
		p.admin() + "/healthz":                    404,
		p.url + "/metrics":                        404,
		p.url + "/debug/pprof":                    404,
		p.url + "/debug/pprof/":                   404,
		p.url + "/debug/pprof/heap":               404,
		p.url + "/graphql?query={__typename}":     200,
	} {
		if got, _ := fetch(t, http.MethodGet, url); got != want {
			t.Errorf("%s: got status %d, want %d", url, got, want)
		}
	}
}

func TestAdminListener(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	takenAddress := "--admin-listen=" + taken.Addr().String()

	t.Run("fails if the port is in use", func(t *testing.T) {
		t.Parallel()
		got := run(t, nil, "--upstream-url=http://127.0.0.1:1", "--listen=127.0.0.1:0", takenAddress)
		if got.code != exitFailure || !strings.Contains(got.stderr, "admin: ") || !strings.Contains(got.stderr, "in use") {
			t.Errorf("got exit code %d and %s, want %d and the address in use", got.code, got.stderr, exitFailure)
		}
	})
	t.Run("warns in a demo if the port is in use", func(t *testing.T) {
		t.Parallel()
		p := start(t, "--demo", takenAddress)
		if log := p.logged(); !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, "in use") || p.admin() != "" {
			t.Errorf("got %s, want a warning and no address", log)
		}
		if got, err := p.query(t.Context(), `{ __typename }`, ""); err != nil || got != `{"data":{"__typename":"Query"}}` {
			t.Errorf("got %s, %v, want data", got, err)
		}
	})
	t.Run("fails in a demo too if the address is not local", func(t *testing.T) {
		t.Parallel()
		got := run(t, nil, "--demo", "--listen=127.0.0.1:0", "--admin-listen=192.0.2.1:0")
		if got.code != exitFailure {
			t.Errorf("got exit code %d and %s, want %d", got.code, got.stderr, exitFailure)
		}
	})
	t.Run("is off if the address is empty", func(t *testing.T) {
		t.Parallel()
		p := start(t, "--demo", "--admin-listen=")
		if log := p.logged(); p.admin() != "" || strings.Contains(log, "WARN") {
			t.Errorf("got %s, want neither an address nor a warning", log)
		}
	})
}

// TestAdminListener_whileDraining scrapes a program that drains while a request waits for the
// upstream.
func TestAdminListener_whileDraining(t *testing.T) {
	t.Parallel()
	upstream, arrived, release := heldUpstream(t, 1)
	p := start(t, "--upstream-url", upstream, "--admin-listen=127.0.0.1:0")
	var request sync.WaitGroup
	request.Go(func() {
		got, err := p.query(t.Context(), `{ cvms(first: 3) { nodes { id } } }`, "load")
		if err != nil || !strings.Contains(got, `"nodes":[{`) {
			t.Errorf("the request in flight: got %s, %v, want data", got, err)
		}
	})
	<-arrived
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return strings.Contains(p.logged(), `"draining"`) })
	p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 1")
	close(release)
	request.Wait()
	p.waitForExit(t)
}
