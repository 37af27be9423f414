package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// document returns docs/cost.md.
func document(tables []table, machine string) string {
	var b strings.Builder
	b.WriteString(`# What an operation costs

How the cost of one operation grows with the items and fields that it selects, with the size of items, and with the connections in it.
It grows in proportion to the bytes that are read and written, and fields that are not selected cost no more than to be scanned.
` + "`go test ./graph`" + ` holds how allocations grow, ` + "`.ci/run`" + ` CPU time as well. Made by

` + "```sh\nmake cost    # some ten seconds\n```" + `

` + machine + `

- **at hand**: the pages are indexed already: what is left is GraphQL and writing.
- **read**: each page is indexed from its bytes first, as it is for every operation now. The page's bytes are in memory: the HTTP call is in
  no figure, and neither is the gateway's own HTTP server.
- **KB read**, **KB written**: the bytes of the pages and of the answer. Items are those of the demo, of about 5 KB, where nothing else
  is said.
- **µs**: CPU time of one operation, without the collection of garbage, which goes by the KB allocated.
- **allocations**, **KB allocated**: of one operation.

Read a column downwards: where the bytes double, µs at most doubles, but for two steps: to windows of several pages, and to
answers beyond 1 MB.

`)
	for _, t := range tables {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n| %s | pages | KB read | KB written | at hand: µs | at hand: allocations | at hand: KB allocated "+
			"| read: µs | read: allocations | read: KB allocated |\n| ---: |", t.title, t.text, t.column)
		b.WriteString(strings.Repeat(" ---: |", 9) + "\n")
		for _, r := range t.rows {
			o := r.unread.operation
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", r.label, o.Pages, kilobytes(o.BytesRead), kilobytes(o.BytesWritten), r.atHand, r.unread)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String returns the figures' cells.
func (f figures) String() string {
	return fmt.Sprintf("%s | %s | %s", number(float64(f.cpu.Nanoseconds())/1000), count(f.memory.Allocations), kilobytes(f.memory.Bytes))
}

func kilobytes[T int | float64](bytes T) string { return number(float64(bytes) / 1000) }

func count(n float64) string {
	if n < 1000 {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	return number(n)
}

// number returns three digits, and more where they are ahead of the point.
func number(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v < 999.5:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	return digits[:len(digits)-3] + "," + digits[len(digits)-3:]
}

// thisMachine returns what the figures depend on.
func thisMachine() string {
	processor := ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				processor = " of an " + strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("The machine: one of %d cores%s, %s, Go %s. Figures are medians of %d rounds, in\n"+
		"which the rows of a table take turns; those of other machines differ, the ratios differ less.", runtime.NumCPU(), processor, runtime.GOOS, strings.TrimPrefix(runtime.Version(), "go"), rounds)
}
