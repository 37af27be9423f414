package e2e_test

import (
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const monitoring = "deploy/monitoring"

// TestMonitoring starts two gateways under load, and a Prometheus with the configuration in
// deploy/monitoring that scrapes them. All queries of the dashboard must have values, and all
// metrics must have been above 0.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	if os.Getenv("CVMGRAPH_TEST_MONITORING") != "1" {
		t.Skip("takes a minute and needs Prometheus: make monitoring-check runs it")
	}
	m := startMonitoring(t)
	var missing []string
	tick := time.Tick(time.Second)
	for begun := time.Now(); time.Since(begun) < 2*time.Minute; <-tick {
		if missing = m.observe(t); len(missing) == 0 {
			m.checkPrometheus(t)
			t.Logf("%d queries and %d metrics observed after %.0f s", len(m.queries), len(m.metrics), time.Since(begun).Seconds())
			return
		}
	}
	for _, what := range missing {
		t.Errorf("not observed in two minutes: %s", what)
	}
}

// monitoringTest is a Prometheus server that scrapes two gateways.
type monitoringTest struct {
	prometheus
	queries []dashboardQuery
	metrics []string // the names in docs/metrics.md
	// observed has the queries with values, and the metrics that have changed.
	observed map[string]bool
}

// dashboardQuery is a query of the dashboard.
type dashboardQuery struct{ title, unit, query string }

// observe evaluates all queries, and returns what has not been observed yet.
func (m *monitoringTest) observe(t *testing.T) []string {
	t.Helper()
	missing := map[string]bool{}
	record := func(what string, ok bool) {
		if m.observed[what] = m.observed[what] || ok; !m.observed[what] {
			missing[what] = true
		}
	}
	recordQuery := func(what, query string) { record(what, len(m.values(t, query)) > 0) }
	for _, q := range m.queries {
		record(q.title+": "+q.query, m.hasValues(t, q))
	}
	for _, name := range m.metrics {
		if name == "cvmgraph_upstream_attempts_queued" { // needs more load than this machine can generate
			continue
		}
		recordQuery(name+" is above 0", "sum("+name+") > 0 or sum("+name+"_count) > 0")
	}
	for _, outcome := range []string{
		"ok", "client_error", "rate_limited", "server_error", "timeout", "network", "invalid", "unavailable",
	} {
		recordQuery("a call with the outcome "+outcome, `cvmgraph_upstream_calls_total{outcome="`+outcome+`"} > 0`)
	}
	for _, reason := range []string{"server_error", "rate_limited", "reset", "truncated", "timeout"} {
		recordQuery("a retry because of "+reason, `cvmgraph_upstream_retries_total{reason="`+reason+`"} > 0`)
	}
	recordQuery("an open breaker", "cvmgraph_upstream_breaker_state == 2")
	recordQuery("the alert for paused credentials", `ALERTS{alertname="CvmgraphCredentialPaused"}`)
	return slices.Sorted(maps.Keys(missing))
}

// hasValues reports whether a query has values. The test fails if a value is impossible.
func (m *monitoringTest) hasValues(t *testing.T, q dashboardQuery) bool {
	t.Helper()
	values := m.values(t, q.query)
	finite := len(values) > 0
	for _, v := range values {
		finite = finite && !math.IsNaN(v) // a quotient of two rates is NaN until there are requests
		slow := q.unit == "s" && v > 60 && !strings.Contains(q.query, "time()")
		if v < 0 || math.IsInf(v, 0) || q.unit == "percentunit" && v > 1 || slow {
			t.Errorf("%s: got %v %s, which is impossible: %s", q.title, v, q.unit, q.query)
		}
	}
	return finite
}

// checkPrometheus checks the targets, the alerts and the dashboard's variables in Prometheus.
func (m *monitoringTest) checkPrometheus(t *testing.T) {
	t.Helper()
	var targets struct {
		ActiveTargets []struct{ ScrapePool, Health, LastError string }
	}
	m.get(t, "targets", nil, &targets)
	if len(targets.ActiveTargets) != 2 {
		t.Errorf("got %d targets, want 2", len(targets.ActiveTargets))
	}
	for _, target := range targets.ActiveTargets {
		if target.Health != "up" || target.ScrapePool != "cvmgraph" {
			t.Errorf("got the target %+v, want it up in the job cvmgraph", target)
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	m.get(t, "rules", nil, &rules)
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
		m.get(t, "label/"+variable+"/values", url.Values{"match[]": {"cvmgraph_build_info"}}, &values)
		if len(values) != want {
			t.Errorf("got %q for the variable %s, want %d values", values, variable, want)
		}
	}
}

// dashboardQueries returns the queries of the dashboard with the defaults of its variables. It
// omits queries for metrics that are not listed.
func dashboardQueries(t *testing.T, listed []string) []dashboardQuery {
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
	var all []dashboardQuery
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			query := strings.NewReplacer("$job", ".+", "$instance", ".+", "$__rate_interval", "8s").Replace(target.Expr)
			own := regexp.MustCompile(`cvmgraph_\w+`).FindString(query)
			if own == "" || slices.Contains(listed, strings.TrimSuffix(own, "_bucket")) {
				all = append(all, dashboardQuery{p.Title, p.FieldConfig.Defaults.Unit, query})
			}
		}
	}
	return all
}

// listedMetrics returns the names of the metrics in docs/metrics.md.
func listedMetrics(t *testing.T) []string {
	t.Helper()
	var names []string
	rows := regexp.MustCompile(`(?m)^\| (cvmgraph_\w+) \|`).FindAllStringSubmatch(readFile(t, "docs/metrics.md"), -1)
	for _, row := range rows {
		names = append(names, row[1])
	}
	if len(names) == 0 {
		t.Fatal("got no metrics in docs/metrics.md")
	}
	return names
}
