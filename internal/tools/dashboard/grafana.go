package main

import (
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

const (
	gridWidth  = 24
	statHeight = 4
	height     = 8 // of all other panels
	// schemaVersion is the version of Grafana 12. Newer Grafana versions upgrade it when they load
	// the dashboard.
	schemaVersion = 41
)

// board is Grafana's classic dashboard schema.
type board = dashboard.Dashboard //nolint:staticcheck // deprecated, but older Grafana versions do not load the new schema

// newBoard returns the dashboard with panels in rows, from left to right.
func newBoard(rows []row) board {
	var panels []dashboard.PanelOrRowPanel
	nextID := func() uint32 { return uint32(len(panels) + 1) }
	var x, y, tallest uint32
	for _, r := range rows {
		x, y, tallest = 0, y+tallest, 0
		panels = append(panels, dashboard.PanelOrRowPanel{RowPanel: &dashboard.RowPanel{
			Type: "row", Id: nextID(), Title: &r.title, Panels: []dashboard.Panel{}, GridPos: &dashboard.GridPos{Y: y, W: gridWidth, H: 1},
		}})
		y++
		for _, p := range r.panels {
			if x+p.width > gridWidth {
				x, y, tallest = 0, y+tallest, 0
			}
			panel := p.grafana()
			panel.Id, panel.GridPos = new(nextID()), &dashboard.GridPos{X: x, Y: y, W: p.width, H: p.height()}
			panels = append(panels, dashboard.PanelOrRowPanel{Panel: &panel})
			x, tallest = x+p.width, max(tallest, p.height())
		}
	}
	return board{
		Uid: new("cvmgraph"), Title: new("cvmgraph"), Tags: []string{"cvmgraph"},
		Description:   new("The GraphQL gateway for Phala Cloud's list of CVMs: requests, the upstream, and the caches."),
		SchemaVersion: schemaVersion, Version: new(uint32(1)), Editable: new(false),
		Time: &dashboard.DashboardDashboardTime{From: "now-1h", To: "now"}, Refresh: new("30s"), Timezone: new("browser"),
		GraphTooltip: new(dashboard.DashboardCursorSyncCrosshair),
		Templating: dashboard.DashboardDashboardTemplating{List: []dashboard.VariableModel{
			{
				Type: dashboard.VariableTypeDatasource, Name: "datasource", Label: new("Data source"),
				Query: &dashboard.StringOrMap{String: new("prometheus")}, Refresh: new(dashboard.VariableRefreshOnDashboardLoad),
				Current: &dashboard.VariableOption{Text: stringValue(""), Value: stringValue("")},
			},
			variable("job", "Job", `label_values(cvmgraph_build_info, job)`),
			variable("instance", "Instance", `label_values(cvmgraph_build_info{job=~"$job"}, instance)`),
		}},
		Annotations: dashboard.AnnotationContainer{List: []dashboard.AnnotationQuery{{
			Name: "Alerts", Enable: true, IconColor: "red", Datasource: source(),
			Expr:        new(`ALERTS{alertname=~"Cvmgraph.+", alertstate="firing", job=~"$job"}`),
			TitleFormat: new("{{alertname}}"), TextFormat: new("{{instance}}"),
		}}},
		Panels: panels,
	}
}

// source returns the data source that is selected in the dashboard.
func source() *common.DataSourceRef {
	return &common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}
}

func stringValue(s string) dashboard.StringOrArrayOfString {
	return dashboard.StringOrArrayOfString{String: &s}
}

func listValue(s string) dashboard.StringOrArrayOfString {
	return dashboard.StringOrArrayOfString{ArrayOfString: []string{s}}
}

// variable returns a variable with multiple values. By default it has all values.
func variable(name, label, query string) dashboard.VariableModel {
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeQuery, Name: name, Label: &label, Datasource: source(), Definition: &query,
		Query:   &dashboard.StringOrMap{Map: map[string]any{"qryType": 1, "query": query, "refId": name}},
		Refresh: new(dashboard.VariableRefreshOnTimeRangeChanged), Sort: new(dashboard.VariableSortAlphabeticalAsc),
		Multi: new(true), IncludeAll: new(true), AllValue: new(".+"),
		Current: &dashboard.VariableOption{Text: listValue("All"), Value: listValue("$__all")},
	}
}

func (p panel) height() uint32 {
	if p.kind == number || p.kind == namedNumbers {
		return statHeight
	}
	return height
}

// grafana returns the panel without its ID and its position.
func (p panel) grafana() dashboard.Panel {
	fields := dashboard.FieldConfig{
		Unit: new("none"), Thresholds: p.grafanaThresholds(), Mappings: p.mappings(),
		Color: &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds},
	}
	if p.unit != "" {
		fields.Unit = &p.unit
	}
	if p.noValue != "" {
		fields.NoValue = &p.noValue
	}
	result := dashboard.Panel{Title: &p.title, Description: &p.description, Datasource: source(), Targets: p.targets()}
	switch p.kind {
	case graph:
		result.Type, result.Options = "timeseries", p.graphOptions()
		fields.Color.Mode = dashboard.FieldColorModeIdPaletteClassic
		fields.Custom, fields.Min = p.lines(), new(0.0)
		if p.share {
			fields.Max = new(1.0)
		}
	case number, namedNumbers:
		result.Type, result.Options = "stat", p.statOptions()
	case timeline:
		result.Type, result.Options = "state-timeline", statetimeline.Options{
			AlignValue: new(common.TimelineValueAlignmentLeft), MergeValues: new(true), RowHeight: 0.8, ShowValue: common.VisibilityModeAuto,
			Legend:  legend(common.LegendDisplayModeList),
			Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone},
		}
		fields.Custom = statetimeline.FieldConfig{FillOpacity: new(uint32(70)), LineWidth: new(uint32(0))}
	}
	result.FieldConfig = &dashboard.FieldConfigSource{Defaults: fields, Overrides: p.overrides()}
	return result
}

func (p panel) targets() []variants.Dataquery {
	var targets []variants.Dataquery
	for i, q := range p.queries {
		targets = append(targets, prometheus.Dataquery{
			RefId: new(string(rune('A' + i))), Datasource: source(), EditorMode: new(prometheus.QueryEditorModeCode), Range: new(true),
			Expr: withMatchers(q.expression), LegendFormat: &q.legend,
		})
	}
	return targets
}

// withMatchers adds the matchers of the variables to all selectors and the interval to all rates.
func withMatchers(expression string) string {
	const matchers = `{job=~"$job", instance=~"$instance"`
	return strings.NewReplacer("{}", matchers+"}", "{", matchers+", ", "[]", "[$__rate_interval]").Replace(expression)
}

func (p panel) grafanaThresholds() *dashboard.ThresholdsConfig {
	steps := []dashboard.Threshold{{Color: "green"}} // without a value: from minus infinity
	for i, t := range p.thresholds {
		if i == 0 {
			steps[0].Color = t.color
			continue
		}
		steps = append(steps, dashboard.Threshold{Color: t.color, Value: &t.from})
	}
	return &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: steps}
}

// mappings returns the names of states.
func (p panel) mappings() []dashboard.ValueMapping {
	if p.states == nil {
		return nil
	}
	names := map[string]dashboard.ValueMappingResult{}
	for value, s := range p.states {
		names[strconv.Itoa(value)] = dashboard.ValueMappingResult{Text: &s.name, Color: &s.color, Index: new(int32(value))}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: names}}}
}

func (p panel) overrides() []dashboard.DashboardFieldConfigSourceOverrides {
	list := []dashboard.DashboardFieldConfigSourceOverrides{}
	for _, s := range p.series {
		properties := []dashboard.DynamicConfigValue{
			{Id: "color", Value: dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &s.color}},
		}
		if s.limit {
			properties = append(
				properties,
				dashboard.DynamicConfigValue{Id: "custom.lineStyle", Value: common.LineStyle{Fill: new(common.LineStyleFillDash), Dash: []float64{10, 10}}},
				dashboard.DynamicConfigValue{Id: "custom.fillOpacity", Value: 0},
				dashboard.DynamicConfigValue{Id: "custom.stacking", Value: stacking(common.StackingModeNone)},
			)
		}
		list = append(list, dashboard.DashboardFieldConfigSourceOverrides{
			Matcher: dashboard.MatcherConfig{Id: "byName", Options: s.legend}, Properties: properties,
		})
	}
	return list
}

func stacking(mode common.StackingMode) *common.StackingConfig {
	return &common.StackingConfig{Mode: &mode, Group: new("A")}
}

func (p panel) lines() timeseries.FieldConfig {
	fields := timeseries.FieldConfig{
		DrawStyle: new(common.GraphDrawStyleLine), LineWidth: new(1.0), ShowPoints: new(common.VisibilityModeNever),
		FillOpacity: new(10.0), Stacking: stacking(common.StackingModeNone), SpanNulls: &common.BoolOrFloat64{Bool: new(false)},
		ThresholdsStyle: &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeOff},
	}
	if p.stacked {
		fields.FillOpacity, fields.Stacking = new(40.0), stacking(common.StackingModeNormal)
	}
	if p.thresholds != nil {
		fields.ThresholdsStyle.Mode = common.GraphThresholdsStyleModeDashed
	}
	return fields
}

func (p panel) graphOptions() timeseries.Options {
	shown := legend(common.LegendDisplayModeList)
	if p.width >= gridWidth/2 {
		shown = legend(common.LegendDisplayModeTable, "mean", "max")
	}
	return timeseries.Options{
		Legend: shown, Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending},
	}
}

// legend returns a legend with calculated values, such as the mean, of each series.
func legend(mode common.LegendDisplayMode, calculations ...string) common.VizLegendOptions {
	return common.VizLegendOptions{
		DisplayMode: mode, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: append([]string{}, calculations...),
	}
}

func (p panel) statOptions() stat.Options {
	options := stat.Options{
		ColorMode: common.BigValueColorModeValue, GraphMode: common.BigValueGraphModeArea, TextMode: common.BigValueTextModeAuto,
		JustifyMode: common.BigValueJustifyModeAuto, Orientation: common.VizOrientationAuto, WideLayout: true,
		PercentChangeColorMode: common.PercentChangeColorModeStandard,
		ReduceOptions:          common.ReduceDataOptions{Calcs: []string{"lastNotNull"}, Fields: new(""), Values: new(false)},
	}
	if p.kind == namedNumbers {
		options.TextMode = common.BigValueTextModeValueAndName
	}
	if p.kind == namedNumbers || p.states != nil {
		options.GraphMode = common.BigValueGraphModeNone
	}
	return options
}
