package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sampleReport is a report as a run makes one, with figures made up: the gateway has 1000 and 2000 requests a second, the others
// half of them.
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
		m := measured{group: g}
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

func TestTheDocument(t *testing.T) {
	t.Parallel()
	text := sampleReport(t).document()
	for name, want := range map[string]string{
		"a row":             "\n| **cvmgraph** | 1,500 | 100 | 1.00 | 2.00 | 0.050 | 100 % | 1.00 |\n",
		"a ratio":           "\n| GraphQL Yoga | 2.00 × | 3.00 × | 2.00 × | 3.00 × | 2.00 × | 3.00 × |\n",
		"memory":            "\n| gqlgen, as usually written | 1.00 | 2.00 |\n",
		"a cache":           "\n| GraphQL Yoga, response cache |",
		"coalescing":        "at most 1600 answers a second",
		"a version":         "Mercurius 16.0.1",
		"the plain gateway": "\n| cvmgraph --projection=false |",
		"the fields":        "`name status vcpu memory hosted { uptime } node { name }`",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %q in\n%s", name, want, text)
		}
	}
	if strings.Contains(text, "%!") || strings.Contains(text, "NaN") {
		t.Errorf("a figure is missing in\n%s", text)
	}
}

func TestEveryTableHasItsColumns(t *testing.T) {
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
			t.Errorf("%d columns, want %d: %s", n-1, columns-1, line)
		}
	}
}

func TestTheDocumentTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := sampleReport(t)
	r.missing = "Tailcall is missing"
	r.gateway = features{}
	r.groups = r.groups[1:] // not measured without a cache
	text := r.document()
	for _, want := range []string{r.missing, "cvmgraph keeps no pages between requests"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "Every request is a call") {
		t.Error("got a table of what was not measured")
	}
}

func TestThePictureHasABarForEachPeer(t *testing.T) {
	t.Parallel()
	r := sampleReport(t)
	picture := r.plot()
	d := xml.NewDecoder(strings.NewReader(picture))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range r.groups[0].rows {
		label, bars := ">"+plainText(row.server.label)+"<", 3
		if row.server.kind == limit {
			bars = 0
		}
		if n := strings.Count(picture, label); n != bars {
			t.Errorf("got %d bars of %s, want %d", n, row.server.label, bars)
		}
	}
	widths := regexp.MustCompile(`width="([\d.]+)" height="16" rx="2" fill="([^"]+)"`).FindAllStringSubmatch(picture, -1)
	if len(widths) == 0 || widths[0][1] != "370.0" || widths[0][2] != ourColour || widths[1][1] != "185.0" {
		t.Errorf("got the bars %v, want ours twice as long as the next", widths)
	}
}

func TestNumber(t *testing.T) {
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
