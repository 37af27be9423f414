package main

import (
	"errors"
	"fmt"
	"strings"
)

// What the program writes into docs/scaling.md stands between these lines.
const (
	tableBegins = "<!-- written by make scaling -->\n"
	tableEnds   = "<!-- end -->\n"
)

// withTable returns the text with a new table.
func withTable(text string, rows []scenario) (string, error) {
	before, rest, begins := strings.Cut(text, tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return "", errors.New("there is no place for the table")
	}
	return before + tableBegins + "\n" + table(rows) + "\n" + tableEnds + after, nil
}

func table(rows []scenario) string {
	var b strings.Builder
	b.WriteString("| | C | W | requests/s | replicas | TTL | calls/s alone | simulated | with Redis | simulated | reads of Redis/s | simulated |\n")
	b.WriteString("| --- |" + strings.Repeat(" ---: |", 11) + "\n")
	f := ours()
	for _, r := range rows {
		c := r.comparison
		fmt.Fprintf(&b, "| %s | %d | %d | %.0f | %d | %g s | %s | %s | %s | %s | %s | %s |\n",
			r.name, r.credentials, r.windows, c.load.total(), c.load.replicas, c.load.ttl,
			digits(over(c.load, f.alone)), digits(c.alone.each(c.alone.calls)),
			digits(over(c.load, f.shared)), digits(c.shared.each(c.shared.calls)),
			digits(over(c.load, f.reads)), digits(c.shared.each(c.shared.reads)))
	}
	return b.String()
}

// digits writes three figures of a number below a thousand.
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
