package main

import (
	"fmt"
	"strings"
)

// document returns docs/benchmarks.md.
func (r report) document() string {
	var b strings.Builder
	b.WriteString(`# cvmgraph beside its peers

How many requests cvmgraph answers on one core, and what each costs, beside other gateways over the same REST API: one run on one machine,
in which all servers take turns. Made by

<!-- not run: it takes five minutes on a machine where nothing else runs -->
` + "```sh\nmake bench    # some five minutes; needs Linux, two cores, Go, Node.js and npm\n```" + `

`)
	r.writeMachine(&b)
	if m, ok := r.of(notCached); ok {
		r.writeNotCached(&b, m)
	}
	if m, ok := r.of(cached); ok {
		r.writeCached(&b, m)
	}
	if m, ok := r.of(coalesced); ok {
		r.writeCoalesced(&b, m)
	}
	r.writeShapes(&b)
	r.writeMethod(&b)
	return b.String()
}

func (r report) writeMachine(b *strings.Builder) {
	m := r.machine
	processor := ""
	if m.processor != "" {
		processor = " of an " + m.processor
	}
	v := m.packages
	fmt.Fprintf(b, `The machine: %d cores%s, Linux %s, Go %s, Node.js %s. The peers: gqlgen as go.mod has it,
Apollo Server %s, Mercurius %s with graphql-jit %s, GraphQL Yoga %s, Tailcall %s. Figures of other machines differ;
the ratios differ less.
`, m.cores, processor, m.kernel, m.goVersion, m.nodeVersion, v["@apollo/server"], v["mercurius"], v["graphql-jit"], v["graphql-yoga"],
		v["@tailcallhq/core-linux-x64-gnu"])
	if r.missing != "" {
		b.WriteString(r.missing + "\n")
	}
	b.WriteString("\n")
}

func (r report) writeNotCached(b *strings.Builder, m measured) {
	b.WriteString(`## Every request is a call

Nothing is kept between requests, and callers have credentials of their own, so that no server can share their calls. *Single p50* is
the time of one caller alone, the other times are those of 16 callers at once. *Core* is how much of its core the server used: far
below 100 %, the load, the upstream or another program held it up, and the CPU time is the figure to read.

`)
	for _, w := range m.group.workloads {
		fmt.Fprintf(b, "**%s: %s**\n\n", w.name, w.label)
		b.WriteString("| | requests/s | CPU µs a request | p50 ms | p99 ms | single p50 ms | core | upstream calls a request |\n" +
			"| --- |" + strings.Repeat(" ---: |", 7) + "\n")
		for _, row := range m.rows {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", row.server.label,
				number(row.middle(w.name, rate)), number(row.middle(w.name, cpu)), number(row.middle(w.name, p50)),
				number(row.middle(w.name, p99)), number(row.middle(w.name, single)), row.share(w.name), number(row.middle(w.name, calls)))
		}
		b.WriteString("\n")
	}
	if len(m.rows) > 1 {
		b.WriteString("![Requests a second on one core, for cvmgraph and its peers](benchmarks.svg)\n\n")
	}
	writeRatios(b, m)
	writeMemory(b, m)
}

// share returns how much of its core a server used; the upstream has none of its own.
func (r *row) share(workload string) string {
	if r.server.launch == nil {
		return "–"
	}
	return percent(r.middle(workload, busy))
}

// writeRatios compares the gateway with every other server.
func writeRatios(b *strings.Builder, m measured) {
	own := m.ours()
	if own == nil {
		return
	}
	b.WriteString("cvmgraph's requests a second in those of the others, and their CPU time a request in cvmgraph's: above 1, cvmgraph is faster.\n\n|")
	for _, w := range m.group.workloads {
		fmt.Fprintf(b, " | %s: requests/s | %[1]s: CPU", w.name)
	}
	b.WriteString(" |\n| --- |" + strings.Repeat(" ---: | ---: |", len(m.group.workloads)) + "\n")
	for _, row := range m.loaded() {
		if row == own {
			continue
		}
		b.WriteString("| " + row.server.label)
		for _, w := range m.group.workloads {
			fmt.Fprintf(b, " | %s | %s", factor(ratio(own.each(w.name, rate), row.each(w.name, rate))),
				factor(ratio(row.each(w.name, cpu), own.each(w.name, cpu))))
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n")
}

func writeMemory(b *strings.Builder, m measured) {
	b.WriteString("Resident memory in MB, after all workloads:\n\n| | at the end | at most |\n| --- | ---: | ---: |\n")
	for _, row := range m.loaded() {
		fmt.Fprintf(b, "| %s | %s | %s |\n", row.server.label, megabytes(row.memory.now), megabytes(row.memory.peak))
	}
	b.WriteString("\n")
}

// writeShort writes a table with the columns that matter where a cache or the upstream decides.
func writeShort(b *strings.Builder, m measured, w workload) {
	fmt.Fprintf(b, "**%s: %s**\n\n", w.name, w.label)
	b.WriteString("| | requests/s | CPU µs a request | p50 ms | p99 ms | core | upstream calls a request |\n| --- |" + strings.Repeat(" ---: |", 6) + "\n")
	for _, row := range m.rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %.3f |\n", row.server.label, number(row.middle(w.name, rate)),
			number(row.middle(w.name, cpu)), number(row.middle(w.name, p50)), number(row.middle(w.name, p99)), row.share(w.name),
			row.middle(w.name, calls))
	}
	b.WriteString("\n")
}

func (r report) writeCached(b *strings.Builder, m measured) {
	b.WriteString("## From a cache\n\nEach server's own cache, bound to the credential, with everything in it that is asked for.\n")
	if !r.gateway.cache {
		b.WriteString("cvmgraph keeps no pages between requests, and is not in these tables.\n")
	}
	b.WriteString("\n")
	for _, w := range m.group.workloads {
		writeShort(b, m, w)
	}
	writeRatios(b, m)
}

func (r report) writeCoalesced(b *strings.Builder, m measured) {
	fmt.Fprintf(b, `## Equal requests in flight

%d callers send the same request at once, and the upstream takes %d ms: they get at most %.0f answers a second, however fast the server
is, and the CPU time is the figure to read. A server that makes one call of equal ones in flight has far fewer calls than requests.

`, m.group.callers, m.group.latency.Milliseconds(), float64(m.group.callers)/m.group.latency.Seconds())
	for _, w := range m.group.workloads {
		writeShort(b, m, w)
	}
	writeRatios(b, m)
}

func (r report) writeShapes(b *strings.Builder) {
	b.WriteString(`## What differs between the servers

- **cvmgraph**: `)
	if r.gateway.projection {
		b.WriteString("with its defaults, and once with the projection off, that is with gqlgen's plain execution. ")
	} else {
		b.WriteString("with its defaults. ")
	}
	b.WriteString(`Its log is at the level warn: without a line a request, as the others are.
  Its cursors remember their neighbours, documents are bounded, and a wrong value upstream costs itself alone; the other servers do
  none of this.
- **gqlgen, as usually written**: ` + "`encoding/json`" + ` into structs that the schema is bound to, a dataloader for each request that waits
  1 ms for more keys (its default is 16 ms), cursors that are offsets, the extensions of gqlgen's template.
- **Apollo Server, Mercurius, GraphQL Yoga**: the same schema and resolvers, a dataloader for each request, cursors that are offsets,
  undici with connections that stay open. Apollo Server and Mercurius run over Fastify, Yoga over ` + "`node:http`" + `;
  Yoga 5.21 is the last that runs on Node.js 20.
- **Tailcall**: a configuration and no program. It has the upstream's pages and names in place of a connection with cursors:
  ` + "`cvms(page, page_size) { items { … } }`" + `. What it answers is compared by its values.
- **limits**: a reverse proxy passes the upstream's page on, which is larger than the answer; the constant answer is as long as
  cvmgraph's; the upstream itself shows what a single caller waits for without any gateway.

`)
}

func (r report) writeMethod(b *strings.Builder) {
	fmt.Fprintf(b, `## How it was measured

- Each server has one core to itself (Go programs with GOMAXPROCS=1), the load and the upstream share the other. The load is
  HTTP/1.1 over connections that stay open, each with one request in flight.
- The upstream holds its pages in memory as they are sent, of %d items with %.1f KB each on average, and answers at once, but for the
  equal requests in flight. It answers nobody without a caller's credential, which every server must forward. Nothing is compressed.
- The queries are `+"`cvms(first: $first) { edges { node { … } } }`"+`:
`, listSize, float64(r.itemBytes)/1000)
	for _, w := range r.workloads {
		fmt.Fprintf(b, "  - **%s** asks for %d items with %s.\n", w.name, w.first, w.describe())
	}
	fmt.Fprintf(b, `- The servers with cursors are paged through once, from the list's front to its end.
- The first answer to each query is compared, value by value, with the upstream's items; every later one must be the same byte for
  byte, with status 200. A run with any other answer writes nothing.
- Each server is warmed up on every workload. Rounds: %d, in each of which every server has %v on every workload, in
  another order each time. Figures are the medians of the rounds; a ratio is taken within each round before. CPU time is that of the
  process with its children, in the system and outside.
- Everything is on one machine and its loopback: the figures show no network, no TLS and no more than one core a server.
`, r.times.rounds, r.times.duration)
}

// describe says which fields a workload has.
func (w workload) describe() string {
	if w.everything {
		return "every field of `Cvm` at any depth, but for `id`, which each server makes in its own way, and `vmId`, which is `hosted.vmId`"
	}
	text := w.selection(field.graphql)
	return "`" + strings.TrimSuffix(strings.TrimPrefix(text, "{ "), " }") + "`"
}
