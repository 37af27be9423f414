package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// groupResult is a group with its measurements.
type groupResult struct {
	group group
	rows  []*row
}

// report has the results of a run.
type report struct {
	machine   machine
	times     times
	workloads []workload
	groups    []groupResult
	itemBytes int // mean
	gateway   features
	missing   string // servers that could not run and the reason, as a sentence
	shapes    string // the section about both shapes of the API
}

// result returns the group with this name, if it was measured.
func (r report) result(name string) (groupResult, bool) {
	i := slices.IndexFunc(r.groups, func(m groupResult) bool { return m.group.name == name })
	if i < 0 {
		return groupResult{}, false
	}
	return r.groups[i], true
}

// cvmgraph returns the first row of cvmgraph, or nil if it was not measured.
func (m groupResult) cvmgraph() *row {
	i := slices.IndexFunc(m.rows, func(r *row) bool { return r.server.kind == ours })
	if i < 0 {
		return nil
	}
	return m.rows[i]
}

// loaded returns the rows of the servers that were measured under load: all but the upstream.
func (m groupResult) loaded() []*row {
	return slices.DeleteFunc(slices.Clone(m.rows), func(r *row) bool { return r.server.launch == nil })
}

// number formats a value with three significant digits and thousands separators. It returns a dash
// for 0 and NaN, which mean that there is no value.
func number(v float64) string {
	switch {
	case math.IsNaN(v) || v == 0:
		return "–"
	case v < 0.1:
		return fmt.Sprintf("%.3f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	if v >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(v))-2)
		v = math.Round(v/unit) * unit
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// factor formats a ratio.
func factor(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return number(v) + " ×"
}

// percent formats a share of 1.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

// megabytes formats a number of bytes.
func megabytes(n int64) string { return number(float64(n) / (1 << 20)) }
