package main

import (
	"strings"

	"cvmgraph/internal/tools/plot"
)

// chart returns the chart of docs/benchmarks.svg: requests per second without caches, of the
// gateway and its peers. The limits are left out, because they would make the other bars too short
// to compare.
func (r report) chart() plot.BarChart {
	result, _ := r.result(notCached)
	chart := plot.BarChart{
		Title:       "Requests per second on one core; every request is an upstream call",
		Description: "Requests per second on one core, for cvmgraph and its peers",
	}
	for _, w := range result.group.workloads {
		group := plot.BarGroup{Title: w.name + ": " + w.label}
		for _, row := range result.loaded() {
			if row.server.kind == limit {
				continue
			}
			value := row.median(w.name, rate)
			group.Bars = append(group.Bars, plot.Bar{
				Label: plainText(row.server.label), Value: value, Text: number(value), Color: color(row.server),
			})
		}
		chart.Groups = append(chart.Groups, group)
	}
	return chart
}

func color(s *server) string {
	switch {
	case s.kind != ours:
		return plot.Gray
	case s.name == "cvmgraph":
		return plot.Blue
	}
	return plot.LightBlue
}

// plainText returns a label without Markdown.
func plainText(label string) string { return strings.ReplaceAll(label, "*", "") }
