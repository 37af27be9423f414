package main

import (
	"fmt"

	"cvmgraph/internal/tools/plot"
)

// chart returns the chart of docs/drift.svg.
func chart(points []comparison) plot.LineChart {
	series := []plot.Series{
		{Name: "offset cursors: lost", Color: plot.Orange},
		{Name: "offset cursors: repeated", Color: plot.Orange, Dotted: true},
		{Name: "cvmgraph: lost", Color: plot.Blue},
		{Name: "cvmgraph: repeated", Color: plot.Blue, Dotted: true},
	}
	var ticks []float64
	for _, c := range points {
		rate := float64(c.rate)
		ticks = append(ticks, rate)
		for i, mean := range []float64{
			c.offset.perTraversal(c.offset.lost), c.offset.perTraversal(c.offset.repeated),
			c.cvmgraph.perTraversal(c.cvmgraph.lost), c.cvmgraph.perTraversal(c.cvmgraph.repeated),
		} {
			series[i].Line = append(series[i].Line, plot.Point{X: rate, Y: mean})
		}
	}
	return plot.LineChart{
		Title:       fmt.Sprintf("Lost and repeated items per traversal of %d items, %d per page", listSize, pageSize),
		Description: "Lost and repeated items per traversal, by changes between two pages",
		XLabel:      "inserts, and as many deletes, between two pages",
		YLabel:      "items per traversal",
		XTicks:      ticks,
		Series:      series,
	}
}
