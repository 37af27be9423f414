package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/testing/faulty"
)

const monitoring = "deploy/monitoring"

// TestMonitoring puts a Prometheus with the configuration of deploy/monitoring before gateways under load, and asks it for all that the
// dashboard shows.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	if os.Getenv("CVMGRAPH_TEST_MONITORING") != "1" {
		t.Skip("takes a minute, and Prometheus: make monitoring-check runs it")
	}
	w := startWatched(t)
	var missing []string
	tick := time.Tick(time.Second)
	for begun := time.Now(); time.Since(begun) < 2*time.Minute; <-tick {
		if missing = w.look(t); len(missing) == 0 {
			w.overall(t)
			t.Logf("%d queries and %d metrics, seen after %.0f s", len(w.panels), len(w.metrics), time.Since(begun).Seconds())
			return
		}
	}
	for _, what := range missing {
		t.Errorf("not seen in two minutes: %s", what)
	}
}

// watched is a Prometheus before two gateways.
type watched struct {
	api     string
	panels  []shown
	metrics []string // all of docs/metrics.md
	// seen are the queries that have had an answer, and the metrics that have moved.
	seen map[string]bool
}

// shown is one query of the dashboard.
type shown struct{ title, unit, query string }

// startWatched starts a gateway that is well with a Redis, one that is not, callers of both, and Prometheus.
func startWatched(t *testing.T) *watched {
	t.Helper()
	redis := startRedis(t)
	shared := []string{"--admin-listen=127.0.0.1:0", "--redis-url=redis://127.0.0.1:" + redis.port, "--shared-key=" + testKey}
	list := withNewKey(demo.New(demo.Options{Latency: 5 * time.Millisecond}))
	faults := faulty.New(list, "http://127.0.0.1:1")
	var down atomic.Bool
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		faults.ServeHTTP(w, r)
	}))
	t.Cleanup(upstream.Close)
	well := start(t, append(shared, "--demo")...)
	// A limit of memory, so that there is one to show; a small cache, so that pages have to leave.
	ill := startWith(t, []string{
		"GOMEMLIMIT=1GiB", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT=500", "OTEL_BSP_SCHEDULE_DELAY=500",
	}, append(
		shared, "--upstream-url="+upstream.URL+demo.BasePath, "--upstream-timeout=200ms", "--cache-bytes=1MiB", "--stale-if-error=1m",
		"--trusted-documents=internal/config/testdata/documents/relay-md5.json", "--trusted-documents-mode=log",
	)...)
	w := &watched{api: startPrometheus(t, well.admin(), ill.admin()), metrics: metricsListed(t), seen: map[string]bool{}}
	w.panels = dashboardQueries(t, w.metrics)
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	t.Cleanup(func() { stop(); callers.Wait() })
	repeatedly := func(every time.Duration, do func(n int)) {
		callers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				do(n)
				select {
				case <-ctx.Done():
				case <-time.After(every):
				}
			}
		})
	}
	page := func(p *process, first int, token string) {
		_, _ = p.query(ctx, fmt.Sprintf(`{ cvms(first: %d) { totalCount nodes { id name status } } }`, first), token) // its errors are the point
	}
	repeatedly(50*time.Millisecond, func(n int) { page(well, 1+n%7, "demo") })
	repeatedly(70*time.Millisecond, func(n int) { page(ill, 1+n%7, "demo") }) // in Redis, mostly
	repeatedly(100*time.Millisecond, func(n int) { page(ill, 20+n%60, "steady-"+strconv.Itoa(n%20)) })
	repeatedly(500*time.Millisecond, func(n int) { // at once: one call for all of them
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() { page(well, 50, "together-"+strconv.Itoa(n)) })
		}
		group.Wait()
	})
	repeatedly(300*time.Millisecond, func(int) {
		page(well, 1, "invalid")
		for _, path := range []string{"/", "/readyz", "/nowhere", "/graphql"} { // the last one is no query
			if request, err := http.NewRequestWithContext(ctx, http.MethodGet, well.url+path, nil); err == nil {
				if response, err := http.DefaultClient.Do(request); err == nil {
					_ = response.Body.Close()
				}
			}
		}
	})
	for _, fault := range []string{"503", "429", "reset", "truncated", "hang", "half-json"} {
		for range 2 {
			repeatedly(200*time.Millisecond, func(n int) { page(ill, 10, faults.Token(fault, faulty.Once, strconv.Itoa(n))) })
			repeatedly(200*time.Millisecond, func(n int) { page(ill, 10, faults.Token(fault, faulty.Always, strconv.Itoa(n))) })
		}
	}
	repeatedly(8*time.Second, func(n int) { // half the time the upstream fails, and Redis does not answer
		down.Store(n%2 == 1)
		_ = redis.Process.Signal([]os.Signal{syscall.SIGCONT, syscall.SIGSTOP}[n%2])
	})
	return w
}

// withNewKey answers as list does, with a key in each item that the schema has not.
func withNewKey(list http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		list.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(bytes.ReplaceAll(answer.Body.Bytes(), []byte(`"billing_period":`), []byte(`"billing_cycle":1,"billing_period":`)))
	})
}

// startPrometheus starts one that scrapes the addresses each second, otherwise as the committed configuration says.
func startPrometheus(t *testing.T, addresses ...string) (api string) {
	t.Helper()
	dir := t.TempDir()
	configuration := readFile(t, filepath.Join(monitoring, "prometheus.yaml"))
	for old, with := range map[string]string{
		": 15s":            ": 1s",
		`"127.0.0.1:9090"`: `"` + strings.ReplaceAll(strings.Join(addresses, `", "`), "http://", "") + `"`,
	} {
		if !strings.Contains(configuration, old) {
			t.Fatalf("prometheus.yaml has no %s", old)
		}
		configuration = strings.ReplaceAll(configuration, old, with)
	}
	for name, text := range map[string]string{
		"prometheus.yaml": configuration, "alerts.yaml": readFile(t, filepath.Join(monitoring, "alerts.yaml")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := "127.0.0.1:" + freePort(t)
	server := exec.CommandContext(context.WithoutCancel(t.Context()), "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	tick := time.Tick(50 * time.Millisecond)
	for begun := time.Now(); time.Since(begun) < 20*time.Second; <-tick {
		if request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/-/ready", nil); err == nil {
			if response, err := http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
				if response.StatusCode == http.StatusOK {
					return "http://" + address + "/api/v1/"
				}
			}
		}
	}
	t.Fatal("Prometheus did not start")
	return ""
}

// get asks Prometheus' API, and decodes the data of its answer.
func (w *watched) get(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	status, text := fetch(t, http.MethodGet, w.api+path+"?"+query.Encode())
	decoded := struct{ Data any }{data}
	if err := json.Unmarshal([]byte(text), &decoded); err != nil || status != http.StatusOK {
		t.Fatalf("%s?%s: got %d, %s", path, query.Encode(), status, text)
	}
}

// ask returns the values that a query has now.
func (w *watched) ask(t *testing.T, query string) []float64 {
	t.Helper()
	var data struct{ Result []struct{ Value [2]any } }
	w.get(t, "query", url.Values{"query": {query}}, &data)
	var values []float64
	for _, sample := range data.Result {
		value, err := strconv.ParseFloat(sample.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

// look asks for all that has not been seen yet, and returns what is still missing.
func (w *watched) look(t *testing.T) []string {
	t.Helper()
	missing := map[string]bool{}
	see := func(what string, ok bool) {
		if w.seen[what] = w.seen[what] || ok; !w.seen[what] {
			missing[what] = true
		}
	}
	for _, s := range w.panels {
		values := w.ask(t, s.query)
		finite := len(values) > 0
		for _, v := range values {
			finite = finite && !math.IsNaN(v) // of a rate of nothing, for now
			if v < 0 || math.IsInf(v, 0) || s.unit == "percentunit" && v > 1 || s.unit == "s" && v > 60 && !strings.Contains(s.query, "time()") {
				t.Errorf("%s: got %v %s, which cannot be: %s", s.title, v, s.unit, s.query)
			}
		}
		see(s.title+": "+s.query, finite)
	}
	for _, name := range w.metrics {
		if name == "cvmgraph_upstream_attempts_queued" { // only where the gateway has more to do than this machine can ask of it
			continue
		}
		moved := w.ask(t, "sum("+name+") > 0 or sum("+name+"_count) > 0")
		see(name+" is above 0", len(moved) > 0)
	}
	for _, outcome := range []string{"ok", "client_error", "rate_limited", "server_error", "timeout", "network", "invalid", "unavailable"} {
		see("a call that ends as "+outcome, len(w.ask(t, `cvmgraph_upstream_calls_total{outcome="`+outcome+`"} > 0`)) > 0)
	}
	for _, reason := range []string{"server_error", "rate_limited", "reset", "truncated", "timeout"} {
		see("a retry because of "+reason, len(w.ask(t, `cvmgraph_upstream_retries_total{reason="`+reason+`"} > 0`)) > 0)
	}
	see("an open breaker", len(w.ask(t, "cvmgraph_upstream_breaker_state == 2")) > 0)
	see("the alert of it, about to fire", len(w.ask(t, `ALERTS{alertname="CvmgraphUpstreamDown"}`)) > 0)
	return slices.Sorted(maps.Keys(missing))
}

// overall checks what Prometheus says of itself.
func (w *watched) overall(t *testing.T) {
	t.Helper()
	var targets struct {
		ActiveTargets []struct{ ScrapePool, Health, LastError string }
	}
	w.get(t, "targets", nil, &targets)
	if len(targets.ActiveTargets) != 2 {
		t.Errorf("got %d targets, want 2", len(targets.ActiveTargets))
	}
	for _, target := range targets.ActiveTargets {
		if target.Health != "up" || target.ScrapePool != "cvmgraph" {
			t.Errorf("got the target %+v, want it up, as the job cvmgraph", target)
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	w.get(t, "rules", nil, &rules)
	evaluated := 0
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if evaluated++; rule.Health != "ok" {
				t.Errorf("got the alert %+v, want it ok", rule)
			}
		}
	}
	if want := strings.Count(readFile(t, filepath.Join(monitoring, "alerts.yaml")), "- alert: "); evaluated != want {
		t.Errorf("got %d alerts, want %d", evaluated, want)
	}
	for variable, want := range map[string]int{"job": 1, "instance": 2} {
		var values []string
		w.get(t, "label/"+variable+"/values", url.Values{"match[]": {"cvmgraph_build_info"}}, &values)
		if len(values) != want {
			t.Errorf("got %q to choose as %s, want %d", values, variable, want)
		}
	}
}

// dashboardQueries returns the queries of the dashboard, with the variables as they are at first; without those of metrics that are not
// listed, which the gateway is about to have.
func dashboardQueries(t *testing.T, listed []string) []shown {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title       string
			FieldConfig struct{ Defaults struct{ Unit string } }
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, filepath.Join(monitoring, "dashboard.json"))), &dashboard); err != nil {
		t.Fatal(err)
	}
	var all []shown
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			query := strings.NewReplacer("$job", ".+", "$instance", ".+", "$__rate_interval", "8s").Replace(target.Expr)
			own := regexp.MustCompile(`cvmgraph_\w+`).FindString(query)
			if own == "" || slices.Contains(listed, strings.TrimSuffix(own, "_bucket")) {
				all = append(all, shown{p.Title, p.FieldConfig.Defaults.Unit, query})
			}
		}
	}
	return all
}

// metricsListed returns the names of docs/metrics.md.
func metricsListed(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, row := range regexp.MustCompile(`(?m)^\| (cvmgraph_\w+) \|`).FindAllStringSubmatch(readFile(t, "docs/metrics.md"), -1) {
		names = append(names, row[1])
	}
	if len(names) == 0 {
		t.Fatal("docs/metrics.md lists nothing")
	}
	return names
}
