package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// measured is a group with what came of it.
type measured struct {
	group group
	rows  []*row
}

// report is what a run found out.
type report struct {
	machine   machine
	times     times
	workloads []workload
	groups    []measured
	itemBytes int // mean
	gateway   features
	missing   string // what could not be measured, and why
}

// of returns the group of this name, if it was measured.
func (r report) of(name string) (measured, bool) {
	i := slices.IndexFunc(r.groups, func(m measured) bool { return m.group.name == name })
	if i < 0 {
		return measured{}, false
	}
	return r.groups[i], true
}

// ours returns the gateway's own row, nil where it was not measured.
func (m measured) ours() *row {
	i := slices.IndexFunc(m.rows, func(r *row) bool { return r.server.kind == ours })
	if i < 0 {
		return nil
	}
	return m.rows[i]
}

// loaded returns the rows of servers that took the load: all but the upstream itself.
func (m measured) loaded() []*row {
	return slices.DeleteFunc(slices.Clone(m.rows), func(r *row) bool { return r.server.launch == nil })
}

// number writes a figure with three digits that count, and a separator between thousands. A figure that there is not is a dash.
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

// factor writes a ratio.
func factor(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return number(v) + " ×"
}

// percent writes a share.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

// megabytes writes a size.
func megabytes(n int64) string { return number(float64(n) / (1 << 20)) }
