package main

import (
	"fmt"
	"strings"
)

// document returns docs/benchmarks.md.
func (r report) document() string {
	var b strings.Builder
	b.WriteString(`# Benchmarks: cvmgraph and other gateways

This page compares cvmgraph with other GraphQL gateways for the same REST API: requests per second on one core, CPU time per request,
and memory. All figures are from one run on one machine, in which the servers take turns. Run this command to generate the page:

<!-- not run: it takes five minutes on a machine where nothing else runs -->
` + "```sh\nmake bench    # about five minutes; needs Linux, two cores, Go, Node.js and npm\n```" + `

`)
	r.writeMachine(&b)
	if m, ok := r.result(notCached); ok {
		r.writeNotCached(&b, m)
	}
	if m, ok := r.result(cached); ok {
		r.writeCached(&b, m)
	}
	if m, ok := r.result(coalesced); ok {
		r.writeCoalesced(&b, m)
	}
	b.WriteString(r.shapes)
	r.writeServers(&b)
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
	fmt.Fprintf(b, `The machine: %d cores%s, Linux %s, Go %s, Node.js %s. The peers: gqlgen at the version in go.mod,
Apollo Server %s, Mercurius %s with graphql-jit %s, GraphQL Yoga %s, Tailcall %s. On other machines the figures differ,
but the ratios differ less.
`, m.cores, processor, m.kernel, m.goVersion, m.nodeVersion, v["@apollo/server"], v["mercurius"], v["graphql-jit"], v["graphql-yoga"],
		v["@tailcallhq/core-linux-x64-gnu"])
	if r.missing != "" {
		b.WriteString(r.missing + "\n")
	}
	b.WriteString("\n")
}

func (r report) writeNotCached(b *strings.Builder, m groupResult) {
	b.WriteString(`## Every request is an upstream call

Caches are off, and each caller has its own credential, so that no server can share calls. *Single p50* is the latency of one caller
alone. The other latencies are measured with 16 concurrent callers. *Core* is the share of its core that the server used. If it is far
below 100 %, the load, the upstream or another program limited the server; then compare the CPU time.

`)
	for _, w := range m.group.workloads {
		fmt.Fprintf(b, "**%s: %s**\n\n", w.name, w.label)
		b.WriteString("| | requests/s | CPU µs/request | p50 ms | p99 ms | single p50 ms | core | upstream calls/request |\n" +
			"| --- |" + strings.Repeat(" ---: |", 7) + "\n")
		for _, row := range m.rows {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", row.server.label,
				number(row.median(w.name, rate)), number(row.median(w.name, cpu)), number(row.median(w.name, p50)),
				number(row.median(w.name, p99)), number(row.median(w.name, single)), row.coreShare(w.name), number(row.median(w.name, calls)))
		}
		b.WriteString("\n")
	}
	if len(m.rows) > 1 {
		b.WriteString("![Requests per second on one core, for cvmgraph and its peers](benchmarks.svg)\n\n")
	}
	writeRatios(b, m)
	writeMemory(b, m)
}

// coreShare returns the share of its core that a server used. The upstream does not have its own
// core.
func (r *row) coreShare(workload string) string {
	if r.server.launch == nil {
		return "–"
	}
	return percent(r.median(workload, busy))
}

// writeRatios compares cvmgraph with every other server.
func writeRatios(b *strings.Builder, m groupResult) {
	own := m.cvmgraph()
	if own == nil {
		return
	}
	b.WriteString("Requests per second of cvmgraph divided by the other server's, and CPU time per request of the other server divided by\n" +
		"cvmgraph's. In both columns cvmgraph is faster if the ratio is above 1.\n\n|")
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
			fmt.Fprintf(b, " | %s | %s", factor(ratio(own.values(w.name, rate), row.values(w.name, rate))),
				factor(ratio(row.values(w.name, cpu), own.values(w.name, cpu))))
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n")
}

func writeMemory(b *strings.Builder, m groupResult) {
	b.WriteString("Resident memory in MB after all workloads:\n\n| | at the end | peak |\n| --- | ---: | ---: |\n")
	for _, row := range m.loaded() {
		fmt.Fprintf(b, "| %s | %s | %s |\n", row.server.label, megabytes(row.memory.now), megabytes(row.memory.peak))
	}
	b.WriteString("\n")
}

// writeShort writes a table without the latency of a single caller.
func writeShort(b *strings.Builder, m groupResult, w workload) {
	fmt.Fprintf(b, "**%s: %s**\n\n", w.name, w.label)
	b.WriteString("| | requests/s | CPU µs/request | p50 ms | p99 ms | core | upstream calls/request |\n| --- |" + strings.Repeat(" ---: |", 6) + "\n")
	for _, row := range m.rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %.3f |\n", row.server.label, number(row.median(w.name, rate)),
			number(row.median(w.name, cpu)), number(row.median(w.name, p50)), number(row.median(w.name, p99)), row.coreShare(w.name),
			row.median(w.name, calls))
	}
	b.WriteString("\n")
}

func (r report) writeCached(b *strings.Builder, m groupResult) {
	b.WriteString("## Every request is cached\n\nEach server uses its own cache, separated by credential. The cache contains all requested data.\n")
	if !r.gateway.cache {
		b.WriteString("cvmgraph does not cache pages and is not included.\n")
	}
	b.WriteString("\n")
	for _, w := range m.group.workloads {
		writeShort(b, m, w)
	}
	writeRatios(b, m)
}

func (r report) writeCoalesced(b *strings.Builder, m groupResult) {
	fmt.Fprintf(b, `## Identical requests in flight

%d concurrent callers send the same request, and the upstream takes %d ms. No server can exceed %.0f requests per second, so compare the
CPU time. A server that makes one call for identical requests in flight makes far fewer calls than requests.

`, m.group.callers, m.group.latency.Milliseconds(), float64(m.group.callers)/m.group.latency.Seconds())
	for _, w := range m.group.workloads {
		writeShort(b, m, w)
	}
	writeRatios(b, m)
}

func (r report) writeServers(b *strings.Builder) {
	b.WriteString(`## Differences between the servers

- **cvmgraph**: `)
	if r.gateway.projection {
		b.WriteString("with its defaults, and with `--projection=false`, which uses gqlgen's execution.\n")
	} else {
		b.WriteString("with its defaults.\n")
	}
	b.WriteString(`  The log level is warn, so that no server logs its requests. Unlike the others, cvmgraph's cursors stay valid if the list changes, it
  limits the size of documents, and an invalid value in one item does not fail the response.
- **gqlgen, as usually written**: ` + "`encoding/json`" + ` decodes pages into structs that are bound to the schema. Each request has a dataloader
  that waits 1 ms for more keys (the default is 16 ms). Cursors are offsets. The extensions are the ones of gqlgen's template.
- **Apollo Server, Mercurius, GraphQL Yoga**: the same schema and resolvers, a dataloader for each request, offset cursors, and undici
  with persistent connections. Apollo Server and Mercurius use Fastify, Yoga uses ` + "`node:http`" + `. Yoga 5.21 is the last version that
  supports Node.js 20.
- **Tailcall**: a configuration file only. It returns the upstream's pages with the upstream's names instead of a connection with cursors:
  ` + "`cvms(page, page_size) { items { … } }`" + `. The benchmark compares the values of its responses.
- **limits**: the reverse proxy returns the upstream's page, which is larger than the GraphQL response. The constant response has the
  size of cvmgraph's. The upstream itself shows the latency for a single caller without a gateway.

`)
}

func (r report) writeMethod(b *strings.Builder) {
	fmt.Fprintf(b, `## Method

- Each server has one core for itself (GOMAXPROCS=1 for Go programs). The load and the upstream share the other core. The load uses
  HTTP/1.1 over persistent connections, each with one request in flight.
- The upstream has a list of %d items with %.1f KB each on average. It sends pages from memory without delay, except in the test with
  identical requests in flight. It rejects requests without a caller's credential, so every server has to forward it. Responses
  are not compressed.
- The queries are `+"`cvms(first: $first) { edges { node { … } } }`"+`:
`, listSize, float64(r.itemBytes)/1000)
	for _, w := range r.workloads {
		fmt.Fprintf(b, "  - **%s** selects %d items with %s.\n", w.name, w.first, w.describe())
	}
	fmt.Fprintf(b, `- The benchmark first reads the whole list once from each server that has cursors.
- The benchmark compares the first response to each query with the upstream's items, value by value. All later responses must have
  status 200 and the same bytes. If a response differs, the run fails and writes no files.
- Each server is warmed up with every workload. There are %d rounds. In each round, every server runs every workload for %v. The order
  changes with each round. Figures are medians of the rounds. Ratios are computed within each round first. CPU time is user and system
  time of the process and its children.
- Everything runs on one machine and uses the loopback interface. The figures do not include a network, TLS, or more than one core per
  server.
`, r.times.rounds, r.times.duration)
}

// describe returns the selected fields in words or as GraphQL.
func (w workload) describe() string {
	if w.allFields {
		return "all fields of `Cvm` at any depth that API version 2025-10-28 has, except `id`, which each server generates\n    differently, and `vmId`, which is the same as `hosted.vmId`"
	}
	selection := w.selection(field.graphql)
	return "`" + strings.TrimSuffix(strings.TrimPrefix(selection, "{ "), " }") + "`"
}
