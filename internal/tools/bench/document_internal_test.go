package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"cvmgraph/internal/tools/plot"
)

// sampleReport returns a report with invented figures: cvmgraph has 1000 and 2000 requests per
// second, the other servers have half as many.
func sampleReport(t *testing.T) report {
	t.Helper()
	list, err := workloads()
	if err != nil {
		t.Fatal(err)
	}
	tools := tools{help: "--projection --cache-ttl"}
	r := report{
		machine: machine{cores: 2, kernel: "6.1.0", goVersion: "1.26", nodeVersion: "20", packages: map[string]string{"mercurius": "16.0.1"}},
		times:   times{rounds: 2, duration: time.Second}, workloads: list, itemBytes: 5000, gateway: tools.features(),
	}
	for _, g := range tools.groups(list) {
		m := groupResult{group: g}
		for i, s := range g.servers {
			row := &row{server: s, samples: map[string][]sample{}, memory: memory{1 << 20, 2 << 20}}
			for _, w := range g.workloads {
				for round := range 2 {
					figure := sample{rate: float64(1000 * (round + 1)), cpu: 100, busy: 1, p50: 1, p99: 2, single: 0.05, calls: 1}
					if i > 0 {
						figure.rate, figure.cpu = figure.rate/2, 300
					}
					row.samples[w.name] = append(row.samples[w.name], figure)
				}
			}
			m.rows = append(m.rows, row)
		}
		r.groups = append(r.groups, m)
	}
	return r
}

func TestDocument_hasAllParts(t *testing.T) {
	t.Parallel()
	document := sampleReport(t).document()
	for name, want := range map[string]string{
		"row":            "\n| **cvmgraph** | 1,500 | 100 | 1.00 | 2.00 | 0.050 | 100 % | 1.00 |\n",
		"ratio":          "\n| GraphQL Yoga | 2.00 × | 3.00 × | 2.00 × | 3.00 × | 2.00 × | 3.00 × |\n",
		"memory":         "\n| gqlgen, as usually written | 1.00 | 2.00 |\n",
		"cache":          "\n| GraphQL Yoga, response cache |",
		"coalescing":     "No server can exceed 1600 requests per second",
		"version":        "Mercurius 16.0.1",
		"no projection":  "\n| cvmgraph --projection=false |",
		"workload query": "`name status vcpu memory hosted { uptime } node { name }`",
	} {
		if !strings.Contains(document, want) {
			t.Errorf("%s: no %q in\n%s", name, want, document)
		}
	}
	if strings.Contains(document, "%!") || strings.Contains(document, "NaN") {
		t.Errorf("a figure is missing in\n%s", document)
	}
}

func TestDocument_rowsHaveAllColumns(t *testing.T) {
	t.Parallel()
	columns := 0
	for line := range strings.Lines(sampleReport(t).document()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		if n := strings.Count(line, "|"); columns == 0 {
			columns = n
		} else if n != columns {
			t.Errorf("got %d columns, want %d: %s", n-1, columns-1, line)
		}
	}
}

func TestDocument_reportsWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := sampleReport(t)
	r.missing = "Tailcall is not included"
	r.gateway = features{}
	r.groups = r.groups[1:] // without the group that is not cached
	document := r.document()
	for _, want := range []string{r.missing, "cvmgraph does not cache pages"} {
		if !strings.Contains(document, want) {
			t.Errorf("no %q in\n%s", want, document)
		}
	}
	if strings.Contains(document, "Every request is an upstream call") {
		t.Error("got tables of a group that was not measured")
	}
}

func TestChart_hasABarForEachPeer(t *testing.T) {
	t.Parallel()
	r := sampleReport(t)
	chart := r.chart()
	if len(chart.Groups) != 3 {
		t.Fatalf("got %d groups, want one for each workload", len(chart.Groups))
	}
	for _, group := range chart.Groups {
		labels := map[string]int{}
		for _, bar := range group.Bars {
			labels[bar.Label]++
		}
		for _, row := range r.groups[0].rows {
			want := 1
			if row.server.kind == limit {
				want = 0
			}
			if got := labels[plainText(row.server.label)]; got != want {
				t.Errorf("%s: got %d bars of %s, want %d", group.Title, got, row.server.label, want)
			}
		}
		own, next := group.Bars[0], group.Bars[1]
		if own.Label != "cvmgraph" || own.Color != plot.Blue || own.Value != 2*next.Value || own.Text != "1,500" {
			t.Errorf("%s: got %+v and %+v, want cvmgraph's bar twice as long as the next", group.Title, own, next)
		}
	}
	if svg := chart.SVG(); !strings.HasPrefix(svg, "<svg ") {
		t.Errorf("got %.100s, want an SVG image", svg)
	}
}

func TestNumber_precision(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "–", math.NaN(): "–", 0.01234: "0.012", 0.5: "0.50", 4.236: "4.24", 42.36: "42.4", 423.6: "424", 1234: "1,230", 81_250: "81,300",
		1_234_567: "1,230,000",
	} {
		if got := number(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}
