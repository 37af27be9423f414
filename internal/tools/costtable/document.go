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

This page shows how the cost of one operation grows with the number of items and fields, with the size of items, and with the number of
connections. The cost is proportional to the bytes that are read and written. A field that is not selected costs only its scan. The tests
in ` + "`./graph`" + ` check the growth of allocations, and in ` + "`.ci/run`" + ` also the growth of CPU time. Run this command to generate the page:

` + "```sh\nmake cost    # about ten seconds\n```" + `

` + machine + `

- **cached**: the pages are already indexed. The cost is GraphQL and writing the response.
- **uncached**: each page is indexed from its bytes first. The bytes are in memory: no figure includes the HTTP call or the gateway's HTTP
  server.
- **KB read**, **KB written**: the bytes of the pages and of the response. Items are the demo's, of about 5 KB, unless a table says
  otherwise.
- **µs**: CPU time of one operation without garbage collection, whose cost is proportional to the KB allocated.
- **allocations**, **KB allocated**: of one operation.

Compare rows of a column: if the bytes double, µs at most doubles. There are two exceptions, windows with several pages and
responses of more than 1 MB.

`)
	for _, t := range tables {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n| %s | pages | KB read | KB written | cached: µs | cached: allocations | cached: KB allocated "+
			"| uncached: µs | uncached: allocations | uncached: KB allocated |\n| ---: |", t.title, t.description, t.column)
		b.WriteString(strings.Repeat(" ---: |", 9) + "\n")
		for _, r := range t.rows {
			o := r.uncached.operation
			fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", r.label, o.Pages, kilobytes(o.BytesRead), kilobytes(o.BytesWritten), r.cached, r.uncached)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String returns the cells of the figures.
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

// number formats a value with at least three digits.
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

// thisMachine describes the machine and the method in Markdown.
func thisMachine() string {
	processor := ""
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				processor = " of an " + strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("The machine: one of %d cores%s, %s, Go %s. Figures are medians of %d rounds. In each\n"+
		"round the rows of a table take turns. On other machines the figures differ, but the ratios differ less.",
		runtime.NumCPU(), processor, runtime.GOOS, strings.TrimPrefix(runtime.Version(), "go"), rounds)
}
