package telemetry_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cvmgraph/internal/telemetry"
)

// observers has all parts of the metrics of a gateway.
type observers struct {
	*telemetry.Metrics
	cache     *telemetry.PageCacheMetrics
	redis     *telemetry.RedisMetrics
	responses *telemetry.ResponseCacheMetrics
}

func newObservers() observers {
	m := telemetry.NewMetrics()
	o := observers{m, m.PageCache(8192), m.Redis(), m.ResponseCache()}
	o.cache.Watch(func() (int, uint64) { return 3, 4096 })
	o.responses.Watch(func() (int, uint64) { return 2, 1024 })
	o.WatchUpstream(func() (string, int, int, int, int) { return "open", 128, 7, 2, 3 })
	return o
}

// all calls each observer once, with one label of each set.
func (o observers) all() {
	o.RequestBegun()
	o.RequestEnded("POST", "/graphql", 200, 3*time.Millisecond)
	o.UpstreamCall("rate_limited", 20*time.Millisecond)
	o.UpstreamCoalesced()
	o.UntrustedDocument()
	o.TraceExportFailed()
	o.UpstreamAttempted()
	o.UpstreamRetried("reset")
	o.UpstreamOverBudget()
	o.UpstreamSuppressed("overload")
	o.UpstreamCompared(1, 2, 3)
	o.cache.Hit(1200 * time.Millisecond)
	o.cache.Stale()
	o.cache.Miss()
	o.cache.Evicted()
	o.cache.Purged()
	o.redis.Hit()
	o.redis.Miss()
	o.redis.Error("load")
	o.redis.Refused("OOM")
	o.redis.Down()
	o.redis.Up()
	o.responses.Hit()
}

// scrape returns the response of /metrics to a scraper that accepts the media type, and its content
// type.
func scrape(t *testing.T, m *telemetry.Metrics, accept string) (text, contentType string) {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", accept)
	response := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(response, request)
	if response.Code != 200 {
		t.Fatalf("got status %d and %s, want 200", response.Code, response.Body)
	}
	return response.Body.String(), response.Header().Get("Content-Type")
}

// samples returns the values of the program's own metrics by name and labels.
func samples(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "cvmgraph_") {
			values[name] = value
		}
	}
	return values
}

// family returns the name of the metric of a sample.
func family(sample string) string {
	return regexp.MustCompile(`(_bucket|_sum|_count)?(\{.*)?$`).ReplaceAllString(sample, "")
}

// observation is a call of observers and the samples that it changes. No other metric changes.
type observation struct {
	observe func(observers)
	want    map[string]string
}

func runObservations(t *testing.T, tests map[string]observation) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newObservers()
			before, _ := scrape(t, o.Metrics, "")
			test.observe(o)
			after, _ := scrape(t, o.Metrics, "")
			was, got := samples(before), samples(after)
			for name, want := range test.want {
				if got[name] != want {
					t.Errorf("%s: got %q, want %s", name, got[name], want)
				}
			}
			expected := map[string]bool{}
			for name := range test.want {
				expected[family(name)] = true
			}
			for name, value := range got {
				if value != was[name] && !expected[family(name)] {
					t.Errorf("%s: got a change from %q to %q, want none", name, was[name], value)
				}
			}
			if strings.Contains(after, "secret") {
				t.Error("got a string of the caller in the metrics")
			}
		})
	}
}

func TestMetrics_httpRequest(t *testing.T) {
	t.Parallel()
	runObservations(t, map[string]observation{
		"request began": {
			observe: func(o observers) { o.RequestBegun() },
			want:    map[string]string{"cvmgraph_http_requests_in_flight": "1"},
		},
		"request ended": {
			observe: func(o observers) { o.RequestBegun(); o.RequestEnded("GET", "other", 404, 3*time.Millisecond) },
			want: map[string]string{
				`cvmgraph_http_requests_total{method="GET",route="other",status="404"}`:    "1",
				`cvmgraph_http_request_duration_seconds_count{route="other"}`:              "1",
				`cvmgraph_http_request_duration_seconds_sum{route="other"}`:                "0.003",
				`cvmgraph_http_request_duration_seconds_bucket{route="other",le="0.0025"}`: "0",
				`cvmgraph_http_request_duration_seconds_bucket{route="other",le="0.005"}`:  "1",
				`cvmgraph_http_request_duration_seconds_bucket{route="other",le="30"}`:     "1",
				`cvmgraph_http_request_duration_seconds_bucket{route="other",le="+Inf"}`:   "1",
			},
		},
		"aborted request": {
			observe: func(o observers) { o.RequestBegun(); o.RequestEnded("GET", "/graphql", 0, 0) },
			want: map[string]string{
				`cvmgraph_http_requests_total{method="GET",route="/graphql",status="0"}`: "1",
				`cvmgraph_http_request_duration_seconds_count{route="/graphql"}`:         "1",
			},
		},
	})
}

func TestMetrics_upstream(t *testing.T) {
	t.Parallel()
	runObservations(t, map[string]observation{
		"upstream call": {
			observe: func(o observers) { o.UpstreamCall("ok", 200*time.Millisecond) },
			want: map[string]string{
				`cvmgraph_upstream_calls_total{outcome="ok"}`:               "1",
				"cvmgraph_upstream_call_duration_seconds_sum":               "0.2",
				`cvmgraph_upstream_call_duration_seconds_bucket{le="0.25"}`: "1",
			},
		},
		"unknown outcome": {
			observe: func(o observers) { o.UpstreamCall("Bearer secret", 0) },
			want:    map[string]string{`cvmgraph_upstream_calls_total{outcome="other"}`: "1", "cvmgraph_upstream_call_duration_seconds_count": "1"},
		},
		"coalesced call": {
			observe: func(o observers) { o.UpstreamCoalesced() },
			want:    map[string]string{"cvmgraph_upstream_calls_coalesced_total": "1"},
		},
		"attempt": {
			observe: func(o observers) { o.UpstreamAttempted() },
			want:    map[string]string{"cvmgraph_upstream_attempts_total": "1"},
		},
		"retry": {
			observe: func(o observers) { o.UpstreamRetried("rate_limited") },
			want: map[string]string{
				`cvmgraph_upstream_retries_total{reason="rate_limited"}`: "1", `cvmgraph_upstream_retries_total{reason="reset"}`: "0",
			},
		},
		"unknown reason": {
			observe: func(o observers) { o.UpstreamRetried("Bearer secret") },
			want:    map[string]string{`cvmgraph_upstream_retries_total{reason="other"}`: "1"},
		},
		"exhausted retry budget": {
			observe: func(o observers) { o.UpstreamOverBudget() },
			want:    map[string]string{"cvmgraph_upstream_retry_budget_exhausted_total": "1"},
		},
		"suppressed attempt": {
			observe: func(o observers) { o.UpstreamSuppressed("breaker") },
			want: map[string]string{
				`cvmgraph_upstream_attempts_suppressed_total{reason="breaker"}`: "1", `cvmgraph_upstream_attempts_suppressed_total{reason="overload"}`: "0",
			},
		},
		"contract checks": {
			observe: func(o observers) { o.UpstreamCompared(4, 5, 6); o.UpstreamCompared(1, 0, 3) },
			want: map[string]string{
				"cvmgraph_upstream_contract_checks_total":                "2",
				`cvmgraph_upstream_contract_differences{kind="missing"}`: "1", `cvmgraph_upstream_contract_differences{kind="changed"}`: "0",
				`cvmgraph_upstream_contract_differences{kind="unknown"}`: "3",
			},
		},
		"state of the upstream client": {
			observe: func(observers) {},
			want: map[string]string{
				"cvmgraph_upstream_breaker_state": "2", "cvmgraph_upstream_concurrency_limit": "128", "cvmgraph_upstream_attempts_in_flight": "7",
				"cvmgraph_upstream_attempts_queued": "2", "cvmgraph_upstream_paused_credentials": "3",
			},
		},
	})
}

func TestMetrics_pageCache(t *testing.T) {
	t.Parallel()
	runObservations(t, map[string]observation{
		"hit": {
			observe: func(o observers) { o.cache.Hit(1200 * time.Millisecond) },
			want: map[string]string{
				"cvmgraph_page_cache_hits_total": "1", "cvmgraph_page_cache_age_seconds_sum": "1.2",
				`cvmgraph_page_cache_age_seconds_bucket{le="1"}`: "0", `cvmgraph_page_cache_age_seconds_bucket{le="1.5"}`: "1",
			},
		},
		"stale hit": {
			observe: func(o observers) { o.cache.Stale() },
			want:    map[string]string{"cvmgraph_page_cache_stale_hits_total": "1"},
		},
		"miss":     {observe: func(o observers) { o.cache.Miss() }, want: map[string]string{"cvmgraph_page_cache_misses_total": "1"}},
		"eviction": {observe: func(o observers) { o.cache.Evicted() }, want: map[string]string{"cvmgraph_page_cache_evictions_total": "1"}},
		"purge":    {observe: func(o observers) { o.cache.Purged() }, want: map[string]string{"cvmgraph_page_cache_purges_total": "1"}},
		"size": {
			observe: func(observers) {},
			want:    map[string]string{"cvmgraph_page_cache_bytes": "4096", "cvmgraph_page_cache_entries": "3", "cvmgraph_cache_limit_bytes": "8192"},
		},
	})
}

func TestMetrics_redis(t *testing.T) {
	t.Parallel()
	runObservations(t, map[string]observation{
		"hit":  {observe: func(o observers) { o.redis.Hit() }, want: map[string]string{"cvmgraph_redis_hits_total": "1"}},
		"miss": {observe: func(o observers) { o.redis.Miss() }, want: map[string]string{"cvmgraph_redis_misses_total": "1"}},
		"error": {
			observe: func(o observers) { o.redis.Error("save") },
			want:    map[string]string{`cvmgraph_redis_errors_total{op="save"}`: "1", `cvmgraph_redis_errors_total{op="load"}`: "0"},
		},
		"unknown op": {
			observe: func(o observers) { o.redis.Error("load secret") },
			want:    map[string]string{`cvmgraph_redis_errors_total{op="other"}`: "1"},
		},
		"refused write": {
			observe: func(o observers) { o.redis.Refused("READONLY") },
			want:    map[string]string{`cvmgraph_redis_refused_writes_total{code="READONLY"}`: "1", `cvmgraph_redis_refused_writes_total{code="OOM"}`: "0"},
		},
		"write refused with another code": {
			observe: func(o observers) { o.redis.Refused("NOPERM") },
			want:    map[string]string{`cvmgraph_redis_refused_writes_total{code="other"}`: "1"},
		},
		"up at first":        {observe: func(observers) {}, want: map[string]string{"cvmgraph_redis_up": "1"}},
		"up after an outage": {observe: func(o observers) { o.redis.Down(); o.redis.Up() }, want: map[string]string{"cvmgraph_redis_up": "1"}},
		"down": {
			observe: func(o observers) { o.redis.Down() },
			want:    map[string]string{"cvmgraph_redis_up": "0"},
		},
	})
}

func TestMetrics_other(t *testing.T) {
	t.Parallel()
	runObservations(t, map[string]observation{
		"response cache hit": {
			observe: func(o observers) { o.responses.Hit() },
			want:    map[string]string{"cvmgraph_response_cache_hits_total": "1"},
		},
		"failed export of spans": {
			observe: func(o observers) { o.TraceExportFailed() },
			want:    map[string]string{"cvmgraph_trace_export_failures_total": "1"},
		},
	})
}

func TestHandler_contentType(t *testing.T) {
	t.Parallel()
	o := newObservers()
	o.all()
	for accept, want := range map[string]string{
		"":    "text/plain; version=0.0.4",
		"*/*": "text/plain; version=0.0.4",
		"application/openmetrics-text; version=1.0.0": "application/openmetrics-text; version=1.0.0",
	} {
		text, contentType := scrape(t, o.Metrics, accept)
		if !strings.HasPrefix(contentType, want) {
			t.Errorf("Accept %q: got %s, want %s", accept, contentType, want)
		}
		if got := strings.HasSuffix(text, "# EOF\n"); got != strings.Contains(want, "openmetrics") {
			t.Errorf("Accept %q: got an end mark: %v, want the opposite", accept, got)
		}
	}
}

// metric is one row of the list.
type metric struct{ kind, labels, meaning string }

// TestMetrics_listedInDocs compares docs/metrics.md with the response of /metrics with all metrics.
func TestMetrics_listedInDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]metric{}
	for _, row := range regexp.MustCompile(`(?m)^\| (cvmgraph_.*) \|$`).FindAllStringSubmatch(string(text), -1) {
		cells := strings.Split(row[1], "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 5 {
			t.Fatalf("got row %q, want 5 cells", row[0])
		}
		name, unit := cells[0], cells[3]
		if _, again := listed[name]; again {
			t.Errorf("%s is listed twice", name)
		}
		listed[name] = metric{cells[1], cells[2], cells[4]}
		for _, suffix := range []string{"seconds", "bytes"} {
			if strings.HasSuffix(name, "_"+suffix) != (unit == suffix) {
				t.Errorf("%s: got unit %q, want the one that its name has", name, unit)
			}
		}
	}

	o := newObservers()
	o.all()
	page, _ := scrape(t, o.Metrics, "")
	got := metrics(t, page)
	for name, want := range listed {
		if got[name] != want {
			t.Errorf("%s: got %+v, the list has %+v", name, got[name], want)
		}
	}
	for name := range got {
		if _, ok := listed[name]; !ok && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is not listed", name)
		}
	}
}

// TestMetrics_labelValuesListedInDocs compares the label values in docs/metrics.md with the initial
// counters.
func TestMetrics_labelValuesListedInDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	page, _ := scrape(t, newObservers().Metrics, "")
	for label, series := range map[string]string{
		"`outcome`": "cvmgraph_upstream_calls_total{outcome",
		"`reason` of `cvmgraph_upstream_retries_total`":             "cvmgraph_upstream_retries_total{reason",
		"`reason` of `cvmgraph_upstream_attempts_suppressed_total`": "cvmgraph_upstream_attempts_suppressed_total{reason",
		"`op`":   "cvmgraph_redis_errors_total{op",
		"`code`": "cvmgraph_redis_refused_writes_total{code",
	} {
		got := []string{"other"}
		for _, match := range regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(series)+`="(\w+)"\} 0$`).FindAllStringSubmatch(page, -1) {
			got = append(got, match[1])
		}
		var want []string
		line := regexp.MustCompile("(?m)^- " + label + ":(.*\n(  .*\n)*)").FindStringSubmatch(string(text))
		if line == nil {
			t.Fatalf("%s is not listed", label)
		}
		for _, match := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(line[1], -1) {
			want = append(want, match[1])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, the list has %q", label, got, want)
		}
	}
}

// metrics parses the text format.
func metrics(t *testing.T, text string) map[string]metric {
	t.Helper()
	found := map[string]metric{}
	label := regexp.MustCompile(`(\w+)="[^"]*"`)
	current := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(comment, " ")
			found[name] = metric{meaning: help}
			continue
		}
		if comment, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(comment, " ")
			current = name
			m := found[current]
			m.kind = kind
			found[current] = m
			continue
		}
		var labels []string
		for _, match := range label.FindAllStringSubmatch(line, -1) {
			if match[1] != "le" {
				labels = append(labels, match[1])
			}
		}
		m := found[current]
		m.labels = strings.Join(labels, ", ")
		found[current] = m
	}
	return found
}

// TestMetrics_optional checks that a gateway without Redis does not report that Redis is down.
func TestMetrics_optional(t *testing.T) {
	t.Parallel()
	text, _ := scrape(t, telemetry.NewMetrics(), "")
	for name := range samples(text) {
		if strings.Contains(name, "redis") || strings.Contains(name, "page_cache") {
			t.Errorf("got metric %s, want it only after registration", name)
		}
	}
	if _, ok := samples(text)[`cvmgraph_build_info{version="`+telemetry.Version()+`"}`]; !ok || !strings.Contains(text, "go_goroutines ") {
		t.Errorf("got %s, want the version and the runtime", text)
	}
}

func TestMetrics_concurrentUse(t *testing.T) {
	t.Parallel()
	o := newObservers()
	var observing sync.WaitGroup
	for range 8 {
		observing.Go(func() {
			for range 100 {
				o.all()
			}
		})
	}
	scrape(t, o.Metrics, "")
	observing.Wait()
	text, _ := scrape(t, o.Metrics, "")
	got := samples(text)
	for _, name := range []string{
		`cvmgraph_http_requests_total{method="POST",route="/graphql",status="200"}`, `cvmgraph_upstream_calls_total{outcome="rate_limited"}`,
		"cvmgraph_page_cache_hits_total", `cvmgraph_redis_errors_total{op="load"}`,
	} {
		if got[name] != "800" {
			t.Errorf("%s: got %s, want 800", name, got[name])
		}
	}
	if got := got["cvmgraph_http_requests_in_flight"]; got != "0" {
		t.Errorf("in flight: got %s, want 0", got)
	}
}

//nolint:paralleltest // testing.AllocsPerRun cannot run in parallel
func TestMetrics_allocations(t *testing.T) {
	o := newObservers()
	o.all() // new labels may allocate
	if got := testing.AllocsPerRun(1000, o.all); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

func BenchmarkObservers(b *testing.B) {
	o := newObservers()
	for name, observe := range map[string]func(){
		"request":  func() { o.RequestBegun(); o.RequestEnded("POST", "/graphql", 200, 3*time.Millisecond) },
		"upstream": func() { o.UpstreamCall("ok", 20*time.Millisecond) },
		"hit":      func() { o.cache.Hit(time.Second) },
		"miss":     o.cache.Miss,
		"redis":    func() { o.redis.Error("load") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					observe()
				}
			})
		})
	}
}

func TestWatchUpstream_breakerState(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{"closed": "0", "half_open": "1", "open": "2"} {
		m := telemetry.NewMetrics()
		m.WatchUpstream(func() (string, int, int, int, int) { return state, 0, 0, 0, 0 })
		text, _ := scrape(t, m, "")
		if got := samples(text)["cvmgraph_upstream_breaker_state"]; got != want {
			t.Errorf("%s: got %s, want %s", state, got, want)
		}
	}
}
