package e2e_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
)

// admin returns where the program says that its admin listener is, empty if there is none.
func (p *process) admin() string {
	if found := regexp.MustCompile(`admin"?[:=]"?(http://[^"\s]+)`).FindStringSubmatch(p.logged()); found != nil {
		return found[1]
	}
	return ""
}

// answer sends a request without a body and returns the status and the answer.
func answer(t *testing.T, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// waitForMetrics scrapes until all lines are there: a request is counted when its handler ends, which may be after its caller
// has the answer. It returns the last scrape.
func (p *process) waitForMetrics(t *testing.T, lines ...string) string {
	t.Helper()
	tick := time.Tick(20 * time.Millisecond)
	for begun := time.Now(); ; <-tick {
		_, metrics := answer(t, http.MethodGet, p.admin()+"/metrics")
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

func TestMetricsCountRequests(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--admin-listen=127.0.0.1:0")
	for range 3 {
		if got, err := p.ask(t.Context(), `{ cvms(first: 2) { totalCount } }`, "phak_secret"); err != nil || !strings.Contains(got, "totalCount") {
			t.Fatalf("got %s, %v, want data", got, err)
		}
	}
	answer(t, http.MethodGet, p.url+"/readyz")
	answer(t, http.MethodGet, p.url+"/secret")
	answer(t, "SECRET", p.url+"/graphql")
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
		t.Error("got a caller's text in the metrics")
	}
	for _, want := range []string{"cvmgraph_build_info{version=", "go_goroutines ", "go_memstats_heap_alloc_bytes "} {
		if !strings.Contains(got, "\n"+want) {
			t.Errorf("got no %s in the metrics", want)
		}
	}
}

func TestListenersServeNothingOfEachOther(t *testing.T) {
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
		if got, _ := answer(t, http.MethodGet, url); got != want {
			t.Errorf("%s: got status %d, want %d", url, got, want)
		}
	}
}

func TestAdminListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	occupied := "--admin-listen=" + taken.Addr().String()

	t.Run("an occupied port is a failure", func(t *testing.T) {
		t.Parallel()
		got := run(t, nil, "--upstream-url=http://127.0.0.1:1", "--listen=127.0.0.1:0", occupied)
		if got.code != exitFailure || !strings.Contains(got.stderr, "admin: ") || !strings.Contains(got.stderr, "in use") {
			t.Errorf("got exit code %d and %s, want %d and what is in use", got.code, got.stderr, exitFailure)
		}
	})
	t.Run("an occupied port is a warning in a demo", func(t *testing.T) {
		t.Parallel()
		p := start(t, "--demo", occupied)
		if log := p.logged(); !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, "in use") || p.admin() != "" {
			t.Errorf("got %s, want a warning and no address", log)
		}
		if got, err := p.ask(t.Context(), `{ __typename }`, ""); err != nil || got != `{"data":{"__typename":"Query"}}` {
			t.Errorf("got %s, %v, want data", got, err)
		}
	})
	t.Run("an address that is none is a failure in a demo too", func(t *testing.T) {
		t.Parallel()
		if got := run(t, nil, "--demo", "--listen=127.0.0.1:0", "--admin-listen=192.0.2.1:0"); got.code != exitFailure { // of nobody
			t.Errorf("got exit code %d and %s, want %d", got.code, got.stderr, exitFailure)
		}
	})
	t.Run("empty is off", func(t *testing.T) {
		t.Parallel()
		p := start(t, "--demo", "--admin-listen=")
		if log := p.logged(); p.admin() != "" || strings.Contains(log, "WARN") {
			t.Errorf("got %s, want neither an address nor a warning", log)
		}
	})
}

// TestADrainCanBeWatched scrapes a program that was told to end while a request waits for the upstream.
func TestADrainCanBeWatched(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	list := demo.New(demo.Options{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		list.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	p := start(t, "--upstream-url", upstream.URL+demo.BasePath, "--admin-listen=127.0.0.1:0")
	var asking sync.WaitGroup
	asking.Go(func() {
		if got, err := p.ask(t.Context(), `{ cvms(first: 3) { nodes { id } } }`, "load"); err != nil || !strings.Contains(got, `"nodes":[{`) {
			t.Errorf("the request in flight: got %s, %v, want data", got, err)
		}
	})
	<-arrived
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	tick := time.Tick(10 * time.Millisecond)
	for begun := time.Now(); !strings.Contains(p.logged(), `"draining"`) && time.Since(begun) < 20*time.Second; <-tick {
	}
	p.waitForMetrics(t, "cvmgraph_http_requests_in_flight 1")
	close(release)
	asking.Wait()
	if err := p.Wait(); err != nil {
		t.Errorf("exit: got %v, want status 0", err)
	}
}
