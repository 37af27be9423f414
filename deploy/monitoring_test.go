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
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	registerPanels()
	for _, problem := range dashboardProblems(t, content(t, "monitoring/dashboard.json")) {
		t.Error(problem)
	}
}

// What the checks of the dashboard are for, they find.
func TestAFaultOfTheDashboardIsFound(t *testing.T) {
	t.Parallel()
	registerPanels()
	committed := content(t, "monitoring/dashboard.json")
	for name, tt := range map[string]struct{ old, broken, want string }{
		"no JSON":                        {`"panels"`, `panels`, "invalid character"},
		"a setting that Grafana has not": {`"legendFormat"`, `"legendFormats"`, "legendFormats"},
		"a look that Grafana has not":    {`"drawStyle"`, `"drawStyles"`, "drawStyles"},
		"a value of another type":        {`"multi": true`, `"multi": "yes"`, "multi"},
		"an id twice":                    {`"id": 3,`, `"id": 2,`, "id 2"},
		"panels on top of each other":    {`"x": 12,`, `"x": 11,`, "overlaps"},
		"a panel over the edge":          {`"x": 21,`, `"x": 22,`, "edge"},
		"a title twice":                  {`"title": "Goroutines"`, `"title": "CPU"`, "CPU"},
		"no description":                 {`"description": "Requests to /graphql."`, `"description": ""`, "description"},
		"no unit":                        {`"unit": "none"`, `"unit": ""`, "unit"},
		"a data source of somebody":      {`"uid": "${datasource}"`, `"uid": "P1809F7CD0C75ACF3"`, "data source"},
		"a query of all jobs":            {`go_goroutines{job=~\"$job\", `, `go_goroutines{`, "$job"},
		"a selector without matchers":    {`go_goroutines{job=~\"$job\", instance=~\"$instance\"}`, `go_goroutines`, "$job"},
		"a rate over a fixed time":       {`[$__rate_interval]`, `[5m]`, "$__rate_interval"},
		"a counter as it is":             {`rate(cvmgraph_page_cache_stale_hits_total{job=~\"$job\", instance=~\"$instance\"}[$__rate_interval])`, `cvmgraph_page_cache_stale_hits_total{job=~\"$job\", instance=~\"$instance\"}`, "rate"},
		"a metric that there is not":     {`cvmgraph_upstream_attempts_queued`, `cvmgraph_upstream_attempts_waiting`, "cvmgraph_upstream_attempts_waiting"},
		"a metric that is not shown":     {`cvmgraph_upstream_attempts_queued`, `cvmgraph_upstream_concurrency_limit`, "cvmgraph_upstream_attempts_queued"},
		"no variable":                    {`"name": "instance"`, `"name": "pod"`, "instance"},
		"a row without a word on it":     {`"title": "Process"`, `"title": "Machine"`, "Machine"},
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

// registerPanels makes Grafana's library strict about the kinds of panels and queries that the dashboard has.
func registerPanels() {
	runtime := cog.NewRuntime()
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
}

// classic is the schema that every Grafana loads; the other one is for the newest alone.
type classic = dashboard.Dashboard //nolint:staticcheck // deprecated in favour of the other one

// board collects what is wrong with a dashboard.
type board struct {
	report
	guide string // docs/monitoring.md
}

// dashboardProblems returns what is wrong with a dashboard, one a line.
func dashboardProblems(t *testing.T, text string) []string {
	t.Helper()
	b := board{guide: content(t, "../docs/monitoring.md")}
	// The library's errors are lists, which may be empty, and then it has left out what they are about.
	if err := new(classic).UnmarshalJSONStrict([]byte(text)); err != nil && err.Error() != "" {
		return []string{err.Error()}
	}
	var d classic
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return []string{err.Error()}
	}
	for _, uid := range regexp.MustCompile(`"uid": "(.*)"`).FindAllStringSubmatch(text, -1) {
		if uid[1] != "${datasource}" && uid[1] != *d.Uid {
			b.addf("the data source %s is somebody's own", uid[1])
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
				b.addf("row %s: docs/monitoring.md does not say what to do about it", row)
			}
			continue
		}
		title := row + ": " + *p.Panel.Title
		if titles[title] {
			b.addf("%s: there are two", title)
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
			b.addf("variable %s: must have several values, all of them, and those of the time range", v.Name)
		}
	}
	if want := []string{"datasource", "job", "instance"}; !slices.Equal(names, want) {
		b.addf("got the variables %q, want %q", names, want)
	}
}

// grid checks that each panel has an id and a place of its own.
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
			b.addf("a panel has no id or no place")
			continue
		}
		if ids[*id] {
			b.addf("id %d: there are two", *id)
		}
		ids[*id] = true
		if at.X+at.W > 24 {
			b.addf("panel %d: over the edge", *id)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if taken[[2]uint32{x, y}] {
					b.addf("panel %d: overlaps another one", *id)
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
			b.addf("%s: a query that is not Prometheus'", title)
			continue
		}
		if q.Datasource == nil || q.LegendFormat == nil || *q.LegendFormat == "" {
			b.addf("%s: a query without a data source or a legend", title)
		}
		b.expression(title, q.Expr)
	}
}

// expression checks what the query language leaves open.
func (b *board) expression(title, expression string) {
	for _, selector := range regexp.MustCompile(`(`+metricName+`)(\{[^}]*\})?`).FindAllStringSubmatch(expression, -1) {
		if !strings.HasPrefix(selector[2], `{job=~"$job", instance=~"$instance"`) {
			b.addf("%s: %s is not of $job and $instance alone", title, selector[1])
		}
	}
	for _, interval := range regexp.MustCompile(`\[(.*?)\]`).FindAllStringSubmatch(expression, -1) {
		if interval[1] != "$__rate_interval" {
			b.addf("%s: got a rate over %s, want $__rate_interval", title, interval[1])
		}
	}
	for _, counter := range regexp.MustCompile(`(\w*)\(?\b(\w+_(?:total|bucket|sum|count))\{`).FindAllStringSubmatch(expression, -1) {
		if counter[1] != "rate" {
			b.addf("%s: %s counts from the start: want its rate", title, counter[2])
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

// metricsIn returns the metrics of queries. The listed ones tell a histogram's series from a name.
func metricsIn(text string, listed map[string]bool) map[string]bool {
	found := map[string]bool{}
	for _, name := range regexp.MustCompile(metricName).FindAllString(text, -1) {
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

// metrics checks that the gateway's own metrics in queries are listed. Those of the process are Prometheus' client library's.
func (r *report) metrics(queries string, listed map[string]bool) {
	for name := range metricsIn(queries, listed) {
		if strings.HasPrefix(name, "cvmgraph_") && !listed[name] {
			r.addf("docs/metrics.md has no %s", name)
		}
	}
}

// rules is a file of rules for Prometheus.
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

func TestAlerts(t *testing.T) {
	t.Parallel()
	listed := listedMetrics(t)
	tests, guide := content(t, "monitoring/alerts_test.yaml"), content(t, "../docs/monitoring.md")
	var r report
	var names []string
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		r.metrics(a.Expr, listed)
		if severity := a.Labels["severity"]; severity != "critical" && severity != "warning" {
			r.addf("%s: got the severity %q, want critical or warning", a.Alert, severity)
		}
		for _, name := range []string{"summary", "description", "runbook"} {
			if a.Annotations[name] == "" {
				r.addf("%s: has no %s", a.Alert, name)
			}
		}
		if !strings.Contains(tests, `alertname="`+a.Alert+`", severity="`+a.Labels["severity"]+`"`) {
			r.addf("%s: alerts_test.yaml has no case where it fires", a.Alert)
		}
		// Targets that have gone, and processes, are told by the job alone.
		if strings.Contains(a.Expr, "job=") != !strings.Contains(a.Expr, "cvmgraph_") || strings.Count(a.Expr, `job="cvmgraph"`) != strings.Count(a.Expr, "job=") {
			r.addf("%s: got %s, want the job cvmgraph where the metric does not say so", a.Alert, a.Expr)
		}
	}
	for _, problem := range r.found {
		t.Error(problem)
	}
	var told []string
	for _, row := range regexp.MustCompile(`(?m)^\| (Cvmgraph\w+) \|`).FindAllStringSubmatch(guide, -1) {
		told = append(told, row[1])
	}
	if !slices.Equal(told, names) {
		t.Errorf("docs/monitoring.md tells of the alerts %q, want %q", told, names)
	}
}

// The files that are given to Prometheus and Grafana agree with each other.
func TestMonitoringFitsTogether(t *testing.T) {
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
		t.Errorf("got the jobs %s and the rules %q, want cvmgraph and alerts.yaml", got, scraping.RuleFiles)
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
		t.Fatalf("got the data sources %+v, want one with the scrape interval %s", sources, scraping.Global.ScrapeInterval)
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
		t.Errorf("docs/monitoring.md does not put the dashboard where %+v says", providers)
	}
}
