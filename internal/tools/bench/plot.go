package main

import (
	"fmt"
	"strings"
)

// The picture, in pixels: a panel for each workload, a bar for each server.
const (
	pictureWidth = 720
	panelTop     = 48 // of the first panel
	panelHead    = 30
	panelGap     = 22
	barHeight    = 16
	barStep      = 23
	barLeft      = 250
	barRight     = 620 // the longest bar's end; its figure stands behind

	ourColour  = "#1d4ed8"
	plainOurs  = "#60a5fa"
	peerColour = "#9ca3af"
)

// plot returns docs/benchmarks.svg: requests a second, not cached, of the gateway and its peers; the limits would make the bars of the
// others too short to compare. White below, so that it can be read on pages of any colour.
func (r report) plot() string {
	m, _ := r.of(notCached)
	var rows []*row
	for _, row := range m.loaded() {
		if row.server.kind != limit {
			rows = append(rows, row)
		}
	}
	panel := panelHead + len(rows)*barStep + panelGap
	height := panelTop + len(m.group.workloads)*panel

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#1f2937">
<title id="title">Requests a second on one core, for cvmgraph and its peers</title>
<rect width="%[1]d" height="%[2]d" rx="6" fill="#ffffff"/>
<text x="24" y="30" font-size="15" font-weight="600">Requests a second on one core, every request a call of the upstream</text>
`, pictureWidth, height)
	for i, w := range m.group.workloads {
		writePanel(&b, w, rows, panelTop+i*panel)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// writePanel draws the bars of one workload.
func writePanel(b *strings.Builder, w workload, rows []*row, top int) {
	fmt.Fprintf(b, `<text x="24" y="%d" font-weight="600">%s: %s</text>`+"\n", top+17, w.name, w.label)
	most := 1.0
	for _, row := range rows {
		most = max(most, row.middle(w.name, rate))
	}
	for i, row := range rows {
		y := top + panelHead + i*barStep
		value := row.middle(w.name, rate)
		length := max(1, value/most*(barRight-barLeft))
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-10, y+13, plainText(row.server.label))
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>`, barLeft, y, length, barHeight, colour(row.server))
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`+"\n", barLeft+length+8, y+13, number(value))
	}
}

func colour(s *server) string {
	switch {
	case s.kind != ours:
		return peerColour
	case s.name == "cvmgraph":
		return ourColour
	}
	return plainOurs
}

// plainText returns a label without its marks, for XML.
func plainText(label string) string {
	return strings.NewReplacer("*", "", "&", "&amp;", "<", "&lt;").Replace(label)
}
