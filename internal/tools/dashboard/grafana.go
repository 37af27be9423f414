package main

import "strings"

// object is one of JSON.
type object = map[string]any

// row is a heading and the panels below it.
type row struct {
	title  string
	panels []panel
}

// panel is a graph, unless show says otherwise.
type panel struct {
	title string
	says  string // what it shows, and what to do about it
	show  kind
	unit  string // one of Grafana's; none where it is empty
	width int    // of gridWidth

	queries []query
	series  []series
	stacked bool
	whole   bool // the axis ends at 1
	steps   []step
	states  []state // what the values from 0 on are called
	without string  // what is said where there is nothing to show
}

// query is PromQL, as Grafana sends it but for what all of them have: {} and {route="/graphql"} stand for selectors with the
// variables' matchers before, and [] for the interval of rates. The legend may have {{labels}}.
type query struct{ legend, expression string }

// series is how what has a legend looks.
type series struct {
	legend, color string
	look          look
}

type look int

const (
	usual look = iota
	limit      // a dashed line on top of the areas
)

type kind int

const (
	graph    kind = iota
	stat          // a number
	named         // numbers with their legends
	timeline      // states
)

// step is the colour of values from a number on; of the first one, all below the second.
type step struct {
	from  float64
	color string
}

type state struct{ text, color string }

const (
	gridWidth = 24
	// schemaVersion is that of Grafana 12. Newer ones raise it as they load it.
	schemaVersion = 41
)

func source() object { return object{"type": "prometheus", "uid": "${datasource}"} }

// dashboard lays the rows out, from left to right and downwards.
func dashboard(rows []row) object {
	var panels []object
	add := func(o object, x, y, w, h int) {
		o["id"] = len(panels) + 1
		o["gridPos"] = object{"x": x, "y": y, "w": w, "h": h}
		panels = append(panels, o)
	}
	y := 0
	for _, r := range rows {
		add(object{"type": "row", "title": r.title, "collapsed": false, "panels": []object{}}, 0, y, gridWidth, 1)
		y++
		x, tallest := 0, 0
		for _, p := range r.panels {
			if x+p.width > gridWidth {
				x, y, tallest = 0, y+tallest, 0
			}
			add(p.object(), x, y, p.width, p.height())
			x, tallest = x+p.width, max(tallest, p.height())
		}
		y += tallest
	}
	return object{
		"uid": "cvmgraph", "title": "cvmgraph", "tags": []string{"cvmgraph"},
		"description":   "The GraphQL gateway over Phala Cloud's list of CVMs: what callers see, how the upstream fares, and what is saved.",
		"schemaVersion": schemaVersion, "version": 1, "editable": false,
		"time": object{"from": "now-1h", "to": "now"}, "refresh": "30s", "timezone": "browser",
		"graphTooltip": 1, // one crosshair in all panels
		"templating": object{"list": []object{
			{
				"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
				"current": object{"text": "", "value": ""},
			},
			variable("job", "Job", `label_values(cvmgraph_build_info, job)`),
			variable("instance", "Instance", `label_values(cvmgraph_build_info{job=~"$job"}, instance)`),
		}},
		"annotations": object{"list": []object{{
			"name": "Alerts", "enable": true, "iconColor": "red", "datasource": source(),
			"expr":        `ALERTS{alertname=~"Cvmgraph.+", alertstate="firing", job=~"$job"}`,
			"titleFormat": "{{alertname}}", "textFormat": "{{instance}}",
		}}},
		"panels": panels,
	}
}

// variable has any number of values: all of them at first, and those that come later too.
func variable(name, label, query string) object {
	return object{
		"name": name, "label": label, "type": "query", "datasource": source(),
		"definition": query, "query": object{"qryType": 1, "query": query, "refId": name},
		"refresh": 2, // with the time range
		"sort":    1, "multi": true, "includeAll": true, "allValue": ".+",
		"current": object{"text": []string{"All"}, "value": []string{"$__all"}},
	}
}

func (p panel) height() int {
	if p.show == stat || p.show == named {
		return 4
	}
	return 8
}

func (p panel) object() object {
	unit := p.unit
	if unit == "" {
		unit = "none"
	}
	defaults := object{"unit": unit, "color": object{"mode": "thresholds"}, "thresholds": thresholds(p.steps)}
	if p.states != nil {
		defaults["mappings"] = mappings(p.states)
	}
	if p.without != "" {
		defaults["noValue"] = p.without
	}
	o := object{
		"title": p.title, "description": p.says, "datasource": source(), "targets": p.targets(),
		"fieldConfig": object{"defaults": defaults, "overrides": p.overrides()},
	}
	switch p.show {
	case graph:
		o["type"], o["options"] = "timeseries", p.graphOptions()
		defaults["color"] = object{"mode": "palette-classic"}
		defaults["custom"] = p.lines()
		defaults["min"] = 0
		if p.whole {
			defaults["max"] = 1
		}
	case stat, named:
		o["type"], o["options"] = "stat", p.statOptions()
	case timeline:
		o["type"] = "state-timeline"
		o["options"] = object{
			"alignValue": "left", "mergeValues": true, "rowHeight": 0.8, "showValue": "auto",
			"legend": legend("list"), "tooltip": object{"mode": "single", "sort": "none"},
		}
		defaults["custom"] = object{"fillOpacity": 70, "lineWidth": 0}
	}
	return o
}

func (p panel) targets() []object {
	var targets []object
	for i, q := range p.queries {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": source(), "editorMode": "code", "range": true,
			"expr": whole(q.expression), "legendFormat": q.legend,
		})
	}
	return targets
}

// whole adds to PromQL what all queries have.
func whole(expression string) string {
	const matchers = `{job=~"$job", instance=~"$instance"`
	return strings.NewReplacer("{}", matchers+"}", "{", matchers+", ", "[]", "[$__rate_interval]").Replace(expression)
}

func thresholds(all []step) object {
	list := []object{{"color": "green", "value": nil}}
	if len(all) > 0 {
		list[0]["color"] = all[0].color
		for _, s := range all[1:] {
			list = append(list, object{"color": s.color, "value": s.from})
		}
	}
	return object{"mode": "absolute", "steps": list}
}

func mappings(states []state) []object {
	texts := object{}
	for value, s := range states {
		texts[string(rune('0'+value))] = object{"text": s.text, "color": s.color, "index": value}
	}
	return []object{{"type": "value", "options": texts}}
}

func (p panel) overrides() []object {
	list := []object{}
	for _, s := range p.series {
		properties := []object{{"id": "color", "value": object{"mode": "fixed", "fixedColor": s.color}}}
		if s.look == limit {
			properties = append(
				properties,
				object{"id": "custom.lineStyle", "value": object{"fill": "dash", "dash": []int{10, 10}}},
				object{"id": "custom.fillOpacity", "value": 0},
				object{"id": "custom.stacking", "value": object{"mode": "none", "group": "A"}},
			)
		}
		list = append(list, object{"matcher": object{"id": "byName", "options": s.legend}, "properties": properties})
	}
	return list
}

func (p panel) lines() object {
	opacity, stacking, style := 10, "none", "off"
	if p.stacked {
		opacity, stacking = 40, "normal"
	}
	if p.steps != nil {
		style = "dashed"
	}
	return object{
		"drawStyle": "line", "fillOpacity": opacity, "lineWidth": 1, "showPoints": "never", "spanNulls": false,
		"stacking": object{"mode": stacking, "group": "A"}, "thresholdsStyle": object{"mode": style},
	}
}

func (p panel) graphOptions() object {
	shown := legend("list")
	if p.width >= gridWidth/2 {
		shown = legend("table", "mean", "max")
	}
	return object{"legend": shown, "tooltip": object{"mode": "multi", "sort": "desc"}}
}

func legend(mode string, numbers ...string) object {
	return object{"displayMode": mode, "placement": "bottom", "showLegend": true, "calcs": append([]string{}, numbers...)}
}

func (p panel) statOptions() object {
	background, text := "area", "auto"
	if p.show == named {
		text = "value_and_name"
	}
	if p.show == named || p.states != nil {
		background = "none"
	}
	return object{
		"colorMode": "value", "graphMode": background, "textMode": text,
		"justifyMode": "auto", "orientation": "auto", "wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
}
