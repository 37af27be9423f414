package main

import (
	"fmt"

	"cvmgraph/internal/tools/plot"
)

// chart returns the chart of docs/scaling.svg. Lines are the formulas, markers the simulation.
func chart(curves []curve) plot.LineChart {
	documented := documentedFormulas()
	var alone, shared []plot.Series
	for i, c := range curves {
		dotted := i > 0
		alone = append(alone, series(c, "without Redis", plot.Orange, dotted,
			documented.alone, func(c comparison) float64 { return c.alone.perSecond(c.alone.calls) }))
		shared = append(shared, series(c, "with Redis", plot.Blue, dotted,
			documented.shared, func(c comparison) float64 { return c.shared.perSecond(c.shared.calls) }))
	}
	var ticks []float64
	for replicas := range maxReplicas {
		ticks = append(ticks, float64(replicas+1))
	}
	return plot.LineChart{
		Title:       fmt.Sprintf("Upstream calls for %d requests per second, one credential, %d windows", curveRequests, curvePages),
		Description: "Upstream calls per second, by the number of replicas",
		XLabel:      "replicas",
		YLabel:      "upstream calls per second",
		XTicks:      ticks,
		Series:      append(alone, shared...),
		Notes:       []string{"lines: formulas", "markers: simulation"},
	}
}

// series returns a curve as a series of the chart.
func series(c curve, name, color string, dotted bool, formula func(load, float64) float64, simulated func(comparison) float64) plot.Series {
	s := plot.Series{Name: fmt.Sprintf("%s, TTL %g s", name, c.ttl), Color: color, Dotted: dotted}
	for _, p := range c.points {
		x := float64(p.load.replicas)
		s.Line = append(s.Line, plot.Point{X: x, Y: sum(p.load, formula)})
		s.Markers = append(s.Markers, plot.Point{X: x, Y: simulated(p)})
	}
	return s
}
