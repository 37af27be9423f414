package main

import (
	"fmt"
	"math"
	"strings"
)

// The picture and the frame of the curves in it, in pixels.
const (
	pictureWidth, pictureHeight = 720, 420
	frameLeft, frameRight       = 64, 696
	frameTop, frameBottom       = 84, 356

	offsetColour = "#c2410c"
	oursColour   = "#1d4ed8"
)

// series is one curve. Curves that lie on one another are told apart by their marks: wide rings around small dots.
type series struct {
	name    string
	colour  string
	dotted  bool
	values  []float64 // by point
	legendX int
	legendY int
}

// frame turns values into pixels.
type frame struct{ mostX, mostY float64 }

func (f frame) x(v float64) float64 { return frameLeft + v/f.mostX*(frameRight-frameLeft) }
func (f frame) y(v float64) float64 { return frameBottom - v/f.mostY*(frameBottom-frameTop) }

// plot returns docs/drift.svg: white below, so that it can be read on pages of any colour.
func plot(points []comparison) string {
	curves := []series{
		{name: "offset cursor: lost", colour: offsetColour, legendX: 64, legendY: 48},
		{name: "offset cursor: repeated", colour: offsetColour, dotted: true, legendX: 64, legendY: 68},
		{name: "cvmgraph: lost", colour: oursColour, legendX: 270, legendY: 48},
		{name: "cvmgraph: repeated", colour: oursColour, dotted: true, legendX: 270, legendY: 68},
	}
	most := 1.0
	for _, p := range points {
		for i, v := range []float64{
			p.offset.perTraversal(p.offset.lost), p.offset.perTraversal(p.offset.repeated),
			p.ours.perTraversal(p.ours.lost), p.ours.perTraversal(p.ours.repeated),
		} {
			curves[i].values = append(curves[i].values, v)
			most = max(most, v)
		}
	}
	step := tick(most)
	f := frame{mostX: float64(points[len(points)-1].rate), mostY: step * math.Ceil(most/step)}

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#1f2937">
<title id="title">Items lost and repeated in a traversal, against churn</title>
<rect width="%[1]d" height="%[2]d" rx="6" fill="#ffffff"/>
<text x="64" y="26" font-size="15" font-weight="600">Items lost and repeated in a traversal of %d items, %d a page</text>
`, pictureWidth, pictureHeight, listSize, pageSize)
	f.writeAxes(&b, points, step)
	for _, c := range curves {
		f.writeCurve(&b, c, points)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// tick returns a round distance for four to ten marks up to most.
func tick(most float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	switch leading := most / unit; {
	case leading < 2:
		return unit / 5
	case leading < 4:
		return unit / 2
	default:
		return unit
	}
}

func (f frame) writeAxes(b *strings.Builder, points []comparison, step float64) {
	for i := range int(math.Round(f.mostY/step)) + 1 {
		v := float64(i) * step
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#e5e7eb"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			frameLeft, f.y(v), frameRight, frameLeft-8, f.y(v)+4.5, v)
	}
	for _, p := range points {
		x := f.x(float64(p.rate))
		fmt.Fprintf(b, `<path d="M%.1f %dv5" stroke="#6b7280"/><text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n",
			x, frameBottom, x, frameBottom+21, p.rate)
	}
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#6b7280"/>`+"\n", frameLeft, frameTop, frameBottom, frameRight)
	middle := (frameTop + frameBottom) / 2
	fmt.Fprintf(b, `<text x="22" y="%d" text-anchor="middle" transform="rotate(-90 22 %[1]d)">items a traversal</text>`+"\n", middle)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">inserts, and as many deletes, between two pages</text>`+"\n",
		(frameLeft+frameRight)/2, frameBottom+48)
}

// writeCurve draws the curve, and its line of the legend.
func (f frame) writeCurve(b *strings.Builder, c series, points []comparison) {
	line, mark := `stroke-width="2"`, `r="5.5" fill="#ffffff" stroke-width="2"`
	if c.dotted {
		line, mark = `stroke-width="2" stroke-dasharray="2 5" stroke-linecap="round"`, `r="2.5" fill="`+c.colour+`" stroke-width="0"`
	}
	fmt.Fprintf(b, `<g fill="none" stroke="%s">`+"\n", c.colour)
	b.WriteString(`<polyline ` + line + ` points="`)
	for i, p := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(b, "%.1f,%.1f", f.x(float64(p.rate)), f.y(c.values[i]))
	}
	b.WriteString("\"/>\n")
	for i, p := range points {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" %s/>`+"\n", f.x(float64(p.rate)), f.y(c.values[i]), mark)
	}
	fmt.Fprintf(b, `<path d="M%d %dh34" %s/><circle cx="%d" cy="%[2]d" %[5]s/>`+"\n", c.legendX, c.legendY, line, c.legendX+17, mark)
	fmt.Fprintf(b, "</g>\n"+`<text x="%d" y="%d">%s</text>`+"\n", c.legendX+44, c.legendY+4, c.name)
}
