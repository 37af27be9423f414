package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func content(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDashboard_hasNoProblems(t *testing.T) {
	t.Parallel()
	registerPanels()
	for _, problem := range dashboardProblems(t, content(t, "monitoring/dashboard.json")) {
		t.Error(problem)
	}
}

// The checks of the dashboard find the problems that they check for.
func TestDashboardProblems_findsEachFault(t *testing.T) {
	t.Parallel()
	registerPanels()
	committed := content(t, "monitoring/dashboard.json")
	for name, tt := range map[string]fault{
		"invalid JSON":               {old: `"panels"`, broken: `panels`, want: "invalid character"},
		"unknown setting of a query": {old: `"legendFormat"`, broken: `"legendFormats"`, want: "legendFormats"},
		"unknown setting of a graph": {old: `"drawStyle"`, broken: `"drawStyles"`, want: "drawStyles"},
		"wrong type":                 {old: `"multi": true`, broken: `"multi": "yes"`, want: "multi"},
		"duplicate id":               {old: `"id": 3,`, broken: `"id": 2,`, want: "id 2"},
		"overlapping panels":         {old: `"x": 12,`, broken: `"x": 11,`, want: "overlaps"},
		"panel over the edge":        {old: `"x": 21,`, broken: `"x": 22,`, want: "edge"},
		"duplicate title":            {old: `"title": "Goroutines"`, broken: `"title": "CPU"`, want: "CPU"},
		"no description":             {old: `"description": "Requests to /graphql."`, broken: `"description": ""`, want: "description"},
		"no unit":                    {old: `"unit": "none"`, broken: `"unit": ""`, want: "unit"},
		"fixed data source":          {old: `"uid": "${datasource}"`, broken: `"uid": "P1809F7CD0C75ACF3"`, want: "data source"},
		"query without $job":         {old: `go_goroutines{job=~\"$job\", `, broken: `go_goroutines{`, want: "$job"},
		"selector without matchers":  {old: `go_goroutines{job=~\"$job\", instance=~\"$instance\"}`, broken: `go_goroutines`, want: "$job"},
		"fixed interval":             {old: `[$__rate_interval]`, broken: `[5m]`, want: "$__rate_interval"},
		"counter without rate": {
			old:    `rate(cvmgraph_page_cache_stale_hits_total{job=~\"$job\", instance=~\"$instance\"}[$__rate_interval])`,
			broken: `cvmgraph_page_cache_stale_hits_total{job=~\"$job\", instance=~\"$instance\"}`,
			want:   "rate",
		},
		"unknown metric": {
			old:    `cvmgraph_upstream_attempts_queued`,
			broken: `cvmgraph_upstream_attempts_waiting`,
			want:   "cvmgraph_upstream_attempts_waiting",
		},
		"metric that is not shown": {
			old:    `cvmgraph_upstream_attempts_queued`,
			broken: `cvmgraph_upstream_concurrency_limit`,
			want:   "cvmgraph_upstream_attempts_queued",
		},
		"missing variable": {old: `"name": "instance"`, broken: `"name": "pod"`, want: "instance"},
		"undocumented row": {old: `"title": "Process"`, broken: `"title": "Machine"`, want: "Machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := strings.ReplaceAll(committed, tt.old, tt.broken)
			if broken == committed {
				t.Fatalf("the dashboard has no %q", tt.old)
			}
			found := dashboardProblems(t, broken)
			if !slices.ContainsFunc(found, func(p string) bool { return strings.Contains(p, tt.want) }) {
				t.Errorf("got the problems %q, want one with %q", found, tt.want)
			}
		})
	}
}

// registerPanels makes Grafana's library validate the panels and queries of the dashboard strictly.
func registerPanels() {
	runtime := cog.NewRuntime()
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
}

// classic is Grafana's classic dashboard schema.
type classic = dashboard.Dashboard //nolint:staticcheck // deprecated, but older Grafana versions do not load the new schema

// board collects the problems of a dashboard.
type board struct {
	report
	guide string // docs/monitoring.md
}

// dashboardProblems returns the problems of a dashboard in JSON.
func dashboardProblems(t *testing.T, document string) []string {
	t.Helper()
	b := board{guide: content(t, "../docs/monitoring.md")}
	// The library returns lists of errors. An empty list is not an error.
	if err := new(classic).UnmarshalJSONStrict([]byte(document)); err != nil && err.Error() != "" {
		return []string{err.Error()}
	}
	var d classic
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		return []string{err.Error()}
	}
	for _, uid := range regexp.MustCompile(`"uid": "(.*)"`).FindAllStringSubmatch(document, -1) {
		if uid[1] != "${datasource}" && uid[1] != *d.Uid {
			b.addf("the data source %s exists in one Grafana only", uid[1])
		}
	}
	b.variables(d.Templating.List)
	b.grid(d.Panels)
	titles := map[string]bool{}
	var shown strings.Builder
	row := ""
	for _, p := range d.Panels {
		if p.RowPanel != nil {
			row = *p.RowPanel.Title
			if !strings.Contains(b.guide, "| "+row+" |") {
				b.addf("row %s: missing in docs/monitoring.md", row)
			}
			continue
		}
		title := row + ": " + *p.Panel.Title
		if titles[title] {
			b.addf("%s: duplicate title", title)
		}
		titles[title] = true
		b.panel(title, p.Panel)
		for _, expression := range expressions(p.Panel) {
			shown.WriteString(expression + "\n")
		}
	}
	listed := listedMetrics(t)
	b.metrics(shown.String(), listed)
	used := metricsIn(shown.String(), listed)
	for name := range listed {
		if !used[name] {
			b.addf("%s is not shown", name)
		}
	}
	return b.found
}

func (b *board) variables(list []dashboard.VariableModel) {
	var names []string
	for _, v := range list {
		names = append(names, v.Name)
		if v.Type == dashboard.VariableTypeQuery && (v.Multi == nil || !*v.Multi || v.IncludeAll == nil || !*v.IncludeAll || v.Refresh == nil || *v.Refresh != dashboard.VariableRefreshOnTimeRangeChanged) {
			b.addf("variable %s: want multi, includeAll, and a refresh when the time range changes", v.Name)
		}
	}
	if want := []string{"datasource", "job", "instance"}; !slices.Equal(names, want) {
		b.addf("got variables %q, want %q", names, want)
	}
}

// grid checks that each panel has a unique id and position.
func (b *board) grid(panels []dashboard.PanelOrRowPanel) {
	ids := map[uint32]bool{}
	taken := map[[2]uint32]bool{}
	for _, p := range panels {
		var id *uint32
		var at *dashboard.GridPos
		if p.RowPanel != nil {
			id, at = &p.RowPanel.Id, p.RowPanel.GridPos
		} else {
			id, at = p.Panel.Id, p.Panel.GridPos
		}
		if id == nil || at == nil {
			b.addf("a panel has no id or no position")
			continue
		}
		if ids[*id] {
			b.addf("id %d: duplicate", *id)
		}
		ids[*id] = true
		if at.X+at.W > 24 {
			b.addf("panel %d: over the edge", *id)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if taken[[2]uint32{x, y}] {
					b.addf("panel %d: overlaps another panel", *id)
					return
				}
				taken[[2]uint32{x, y}] = true
			}
		}
	}
}

func (b *board) panel(title string, p *dashboard.Panel) {
	if p.Description == nil || len(strings.Fields(*p.Description)) < 3 {
		b.addf("%s: no description", title)
	}
	if unit := p.FieldConfig.Defaults.Unit; unit == nil || *unit == "" {
		b.addf("%s: no unit", title)
	}
	if p.Datasource == nil || len(p.Targets) == 0 {
		b.addf("%s: no data source or no query", title)
	}
	for _, target := range p.Targets {
		q, ok := target.(*prometheus.Dataquery)
		if !ok {
			b.addf("%s: a query is not a Prometheus query", title)
			continue
		}
		if q.Datasource == nil || q.LegendFormat == nil || *q.LegendFormat == "" {
			b.addf("%s: a query has no data source or no legend", title)
		}
		b.expression(title, q.Expr)
	}
}

// expression checks the dashboard's rules for PromQL expressions.
func (b *board) expression(title, expression string) {
	for _, selector := range regexp.MustCompile(`(`+metricName+`)(\{[^}]*\})?`).FindAllStringSubmatch(expression, -1) {
		if !strings.HasPrefix(selector[2], `{job=~"$job", instance=~"$instance"`) {
			b.addf("%s: %s has no matchers for $job and $instance", title, selector[1])
		}
	}
	for _, interval := range regexp.MustCompile(`\[(.*?)\]`).FindAllStringSubmatch(expression, -1) {
		if interval[1] != "$__rate_interval" {
			b.addf("%s: got the interval %s, want $__rate_interval", title, interval[1])
		}
	}
	for _, counter := range regexp.MustCompile(`(\w*)\(?\b(\w+_(?:total|bucket|sum|count))\{`).FindAllStringSubmatch(expression, -1) {
		if counter[1] != "rate" {
			b.addf("%s: %s is a counter: want its rate", title, counter[2])
		}
	}
}

func expressions(p *dashboard.Panel) []string {
	var all []string
	for _, target := range p.Targets {
		if q, ok := target.(*prometheus.Dataquery); ok {
			all = append(all, q.Expr)
		}
	}
	return all
}

const metricName = `\b(?:cvmgraph|go|process)_\w+|\bup\b`

// metricsIn returns the metrics of queries. The series of a listed histogram count as the
// histogram.
func metricsIn(queries string, listed map[string]bool) map[string]bool {
	found := map[string]bool{}
	for _, name := range regexp.MustCompile(metricName).FindAllString(queries, -1) {
		if bare := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, ""); listed[bare] {
			name = bare
		}
		found[name] = true
	}
	return found
}

// listedMetrics returns the metrics of docs/metrics.md.
func listedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (cvmgraph_\w+) \|`).FindAllStringSubmatch(content(t, "../docs/metrics.md"), -1) {
		listed[row[1]] = true
	}
	return listed
}

// metrics checks that the gateway's metrics in queries are listed. Metrics of the process are not
// checked: they are defined by Prometheus' client library.
func (r *report) metrics(queries string, listed map[string]bool) {
	for name := range metricsIn(queries, listed) {
		if strings.HasPrefix(name, "cvmgraph_") && !listed[name] {
			r.addf("docs/metrics.md has no %s", name)
		}
	}
}

// rules is a rule file of Prometheus.
type rules struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

type alert struct {
	Alert       string
	Expr        string
	For         string
	Labels      labels
	Annotations labels
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var r rules
	if err := yaml.UnmarshalWithOptions([]byte(content(t, "monitoring/alerts.yaml")), &r, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if len(r.Groups) != 1 || len(r.Groups[0].Rules) == 0 {
		t.Fatalf("got %d groups of alerts, want one", len(r.Groups))
	}
	return r.Groups[0].Rules
}

func TestAlerts_haveTestsAndDocumentation(t *testing.T) {
	t.Parallel()
	listed := listedMetrics(t)
	tests, guide := content(t, "monitoring/alerts_test.yaml"), content(t, "../docs/monitoring.md")
	var r report
	var names []string
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		r.metrics(a.Expr, listed)
		if severity := a.Labels["severity"]; severity != "critical" && severity != "warning" {
			r.addf("%s: got severity %q, want critical or warning", a.Alert, severity)
		}
		for _, name := range []string{"summary", "description", "runbook"} {
			if a.Annotations[name] == "" {
				r.addf("%s: has no %s", a.Alert, name)
			}
		}
		if !strings.Contains(tests, `alertname="`+a.Alert+`", severity="`+a.Labels["severity"]+`"`) {
			r.addf("%s: alerts_test.yaml has no case in which it fires", a.Alert)
		}
		// Metrics other than the gateway's need the job, because other programs have them too.
		if strings.Contains(a.Expr, "job=") != !strings.Contains(a.Expr, "cvmgraph_") || strings.Count(a.Expr, `job="cvmgraph"`) != strings.Count(a.Expr, "job=") {
			r.addf("%s: got %s, want the job cvmgraph for metrics without the prefix cvmgraph_, and only for these", a.Alert, a.Expr)
		}
	}
	for _, problem := range r.found {
		t.Error(problem)
	}
	var documented []string
	for _, row := range regexp.MustCompile(`(?m)^\| (Cvmgraph\w+) \|`).FindAllStringSubmatch(guide, -1) {
		documented = append(documented, row[1])
	}
	if !slices.Equal(documented, names) {
		t.Errorf("docs/monitoring.md has the alerts %q, want %q", documented, names)
	}
}

func TestMonitoring_filesAreConsistent(t *testing.T) {
	t.Parallel()
	guide := content(t, "../docs/monitoring.md")
	var scraping struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName string `yaml:"job_name"`
		} `yaml:"scrape_configs"`
		Global struct {
			ScrapeInterval string `yaml:"scrape_interval"`
		}
	}
	if err := yaml.Unmarshal([]byte(content(t, "monitoring/prometheus.yaml")), &scraping); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%+v", scraping.ScrapeConfigs); got != "[{JobName:cvmgraph}]" || !slices.Equal(scraping.RuleFiles, []string{"alerts.yaml"}) {
		t.Errorf("got jobs %s and rule files %q, want cvmgraph and alerts.yaml", got, scraping.RuleFiles)
	}
	var sources struct {
		Datasources []struct {
			Type     string
			URL      string `yaml:"url"`
			JSONData struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	if err := yaml.Unmarshal([]byte(content(t, "monitoring/grafana/datasources/prometheus.yaml")), &sources); err != nil {
		t.Fatal(err)
	}
	if len(sources.Datasources) != 1 || sources.Datasources[0].JSONData.TimeInterval != scraping.Global.ScrapeInterval {
		t.Fatalf("got data sources %+v, want one with the scrape interval %s", sources, scraping.Global.ScrapeInterval)
	}
	if address := strings.TrimPrefix(sources.Datasources[0].URL, "http://"); !strings.Contains(guide, "--web.listen-address="+address) {
		t.Errorf("docs/monitoring.md does not start Prometheus at %s", address)
	}
	var providers struct {
		Providers []struct {
			Options struct{ Path string }
		}
	}
	if err := yaml.Unmarshal([]byte(content(t, "monitoring/grafana/dashboards/cvmgraph.yaml")), &providers); err != nil {
		t.Fatal(err)
	}
	if len(providers.Providers) != 1 || !strings.Contains(guide, ":"+providers.Providers[0].Options.Path) {
		t.Errorf("docs/monitoring.md does not use the path of the dashboard in %+v", providers)
	}
}
