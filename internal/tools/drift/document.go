package main

import (
	"fmt"
	"strings"
)

// document returns docs/drift.md.
func document(table, curve []comparison) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Paging through a list that changes

What a traversal of a changing list loses, repeats and costs, with cursors that are offsets and with cvmgraph's. Each row is %d
traversals, forward, %d items a page, of a list that begins with %d items and changes between two pages. An offset cursor is its
item's position, as gateways over a numbered list commonly have it; both kinds meet changes from the same random seeds. Made by

`+"```sh\nmake drift    # the same figures every time\n```"+`

- **lost**: items, a traversal, that were there all the time and were never returned.
- **repeated**: items, a traversal, that were returned more than once.
- **calls**: upstream calls a page.
- **exact**: traversals that lost nothing, repeated nothing and kept the list's order.

`, traversals, pageSize, listSize)
	writeTable(&b, table)
	last := curve[len(curve)-1]
	fmt.Fprintf(&b, `
![Items lost and repeated in a traversal, against the inserts and as many deletes between two pages, for offset cursors and cvmgraph](drift.svg)

Offset cursors lose items where the list shrinks ahead of them and repeat items where it grows; only replacements, which leave every
position as it was, do them no harm. cvmgraph finds its place again by the items that its cursor remembers, for %s calls a page at
most at %d changes, and %s at none.
`, perPage(mostCalls(table)), baseRate, perPage(table[0].ours.callsPerPage()))
	if harsh := table[len(table)-1].ours; harsh.repeated > 0 {
		b.WriteString(`Where a cursor's item vanishes with all of the near neighbours that it remembers (last row), cvmgraph goes on from one further
behind, and repeats what lies between.
`)
	}
	fmt.Fprintf(&b, `In the picture the losses flatten and the repeats do not, because only items that were there all the time count as lost: at %d
inserts and deletes a page, these are %.0f of %d. The figures do not show time or a network: the list is in memory, and it stands
still between the calls of one page.
`, last.rate, last.offset.perTraversal(last.offset.stayed), listSize)
	return b.String()
}

func writeTable(b *strings.Builder, table []comparison) {
	b.WriteString("| between two pages | lost: offset | lost: cvmgraph | repeated: offset | repeated: cvmgraph " +
		"| calls: offset | calls: cvmgraph | exact: offset | exact: cvmgraph |\n")
	b.WriteString("| --- |" + strings.Repeat(" ---: |", 8) + "\n")
	for _, c := range table {
		o, u := c.offset, c.ours
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %.2f | %s | %s | %s | %s |\n", label(c),
			o.perTraversal(o.lost), u.perTraversal(u.lost), o.perTraversal(o.repeated), u.perTraversal(u.repeated),
			perPage(o.callsPerPage()), perPage(u.callsPerPage()), share(o), share(u))
	}
}

// label says what happens between two pages.
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

func share(f figures) string {
	return fmt.Sprintf("%.1f %%", 100*float64(f.exact())/float64(f.traversals))
}

// mostCalls returns the most upstream calls a page that ours took at the base rate.
func mostCalls(table []comparison) float64 {
	most := 0.0
	for _, c := range table {
		if c.rate == baseRate {
			most = max(most, c.ours.callsPerPage())
		}
	}
	return most
}
