package main

import (
	"fmt"
	"strings"
)

// The lines of docs/scaling.md around the generated table.
const (
	tableBegin = "<!-- written by make scaling -->\n"
	tableEnd   = "<!-- end -->\n"
)

// withTable returns the document with a new table.
func withTable(document string, rows []scenario) (string, error) {
	before, rest, hasBegin := strings.Cut(document, tableBegin)
	_, after, hasEnd := strings.Cut(rest, tableEnd)
	if !hasBegin || !hasEnd {
		return "", fmt.Errorf("the lines %q and %q are missing", strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
	}
	return before + tableBegin + "\n" + table(rows) + "\n" + tableEnd + after, nil
}

func table(rows []scenario) string {
	var b strings.Builder
	b.WriteString("| | C | W | requests/s | replicas | TTL | calls/s without Redis | simulated | calls/s with Redis | simulated | Redis reads/s | simulated |\n")
	b.WriteString("| --- |" + strings.Repeat(" ---: |", 11) + "\n")
	f := documentedFormulas()
	for _, r := range rows {
		c := r.comparison
		fmt.Fprintf(&b, "| %s | %d | %d | %.0f | %d | %g s | %s | %s | %s | %s | %s | %s |\n",
			r.name, r.credentials, r.windows, c.load.total(), c.load.replicas, c.load.ttl,
			digits(sum(c.load, f.alone)), digits(c.alone.perSecond(c.alone.calls)),
			digits(sum(c.load, f.shared)), digits(c.shared.perSecond(c.shared.calls)),
			digits(sum(c.load, f.reads)), digits(c.shared.perSecond(c.shared.reads)))
	}
	return b.String()
}

// digits formats a number below 1000 with three digits.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
