package main

// row is a heading with the panels below it.
type row struct {
	title  string
	panels []panel
}

// panel is a panel of the dashboard.
type panel struct {
	title       string
	description string // what the panel shows, and what to do
	kind        kind
	unit        string // a unit of Grafana; if empty, none
	width       uint32 // of gridWidth

	queries    []query
	series     []series
	stacked    bool
	share      bool        // the axis ends at 1
	thresholds []threshold // if nil, all values are green
	states     []state     // names of the values 0, 1, …
	noValue    string      // shown if there is no value
}

// kind is the kind of a panel.
type kind int

const (
	graph kind = iota
	number
	namedNumbers // numbers with their legends
	timeline     // states
)

// query is a PromQL expression. The generator adds the variables' matchers to all selectors: write
// {} for a selector that has no other matchers. It writes the interval of rates in []. The legend
// can contain {{labels}}.
type query struct{ legend, expression string }

// series is the style of the series with a legend.
type series struct {
	legend, color string
	limit         bool // a dashed line in front of the areas
}

// threshold is the color of values from a number on. The first threshold of a panel has no number.
type threshold struct {
	from  float64
	color string
}

type state struct{ name, color string }
