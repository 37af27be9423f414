package main

import (
	"fmt"
	"strings"
)

// document returns docs/drift.md.
func document(table, moves, curve []comparison) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Paging through a list that changes

This page compares offset cursors with cvmgraph's cursors: how many items a traversal of a changing list loses and repeats, and how
many upstream calls it takes. Each row is the mean of %d forward traversals, %d items per page. The list has %d items at first
and changes between two pages. An offset cursor is the position of its item, as usual for gateways over a numbered list. Both kinds
of cursors meet changes from the same random seeds. Run this command to generate the page:

`+"```sh\nmake drift    # the same figures every time\n```"+`

- **lost**: items per traversal that were in the list throughout, but were not returned.
- **repeated**: items per traversal that were returned more than once.
- **calls**: upstream calls per page.
- **exact**: the share of traversals without lost, repeated or reordered items.

`, traversals, pageSize, listSize)
	writeTable(&b, table)
	last := curve[len(curve)-1]
	fmt.Fprintf(&b, `
![Lost and repeated items per traversal, by the number of inserts and deletes between two pages, for offset cursors and cvmgraph](drift.svg)

Offset cursors lose items if the list shrinks before the cursor, and repeat items if it grows there. Only replacements do not affect
them, because a replacement changes no position. A cvmgraph cursor remembers neighboring items and finds its place with them. This
takes at most %s calls per page with %d changes between two pages, and %s without changes.
`, perPage(maxCallsPerPage(table)), baseRate, perPage(table[0].cvmgraph.callsPerPage()))
	if harsh := table[len(table)-1].cvmgraph; harsh.repeated > 0 {
		b.WriteString(`If a cursor's item and all of its remembered near neighbors are deleted (last row), cvmgraph continues after an earlier neighbor and
repeats the items between the two.
`)
	}
	fmt.Fprintf(&b, `
If a list is ordered by something that changes, such as the time of the last update, its items move. In this table, only items count
that stayed in the list and did not move:

`)
	writeTable(&b, moves)
	fmt.Fprintf(&b, `
A cursor's item that moved away from its neighbors does not move the cursor: the traversal continues after the neighbors that are
still together. To find them takes more calls than a page without changes, at most %s per page here.

In the chart, losses level off and repeats do not, because only items that were in the list throughout count as lost. With %d inserts
and deletes between two pages, these are only %.0f of %d. The figures do not include time or network: the list is in memory and does
not change between the calls for one page.
`, perPage(maxCallsPerPage(moves)), last.rate, last.offset.perTraversal(last.offset.stayed), listSize)
	return b.String()
}

func writeTable(b *strings.Builder, table []comparison) {
	b.WriteString("| between two pages | lost: offset | lost: cvmgraph | repeated: offset | repeated: cvmgraph " +
		"| calls: offset | calls: cvmgraph | exact: offset | exact: cvmgraph |\n")
	b.WriteString("| --- |" + strings.Repeat(" ---: |", 8) + "\n")
	for _, c := range table {
		offset, ours := c.offset, c.cvmgraph
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %.2f | %s | %s | %s | %s |\n", label(c),
			offset.perTraversal(offset.lost), ours.perTraversal(ours.lost),
			offset.perTraversal(offset.repeated), ours.perTraversal(ours.repeated),
			perPage(offset.callsPerPage()), perPage(ours.callsPerPage()), exactShare(offset), exactShare(ours))
	}
}

// label describes the changes between two pages.
func label(c comparison) string {
	switch {
	case c.rate == 0:
		return "no change"
	case c.churn.name == mixed().name:
		return fmt.Sprintf("%d inserts and %[1]d deletes anywhere", c.rate)
	}
	return fmt.Sprintf("%d %s", c.rate, c.churn.name)
}

func perPage(calls float64) string { return fmt.Sprintf("%.2f", calls) }

func exactShare(t totals) string {
	return fmt.Sprintf("%.1f %%", 100*float64(t.exact())/float64(t.traversals))
}

// maxCallsPerPage returns the maximum of cvmgraph's mean calls per page, except at the harsh rate.
func maxCallsPerPage(table []comparison) float64 {
	most := 0.0
	for _, c := range table {
		if c.rate != harshRate {
			most = max(most, c.cvmgraph.callsPerPage())
		}
	}
	return most
}
