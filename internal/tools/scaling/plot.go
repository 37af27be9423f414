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
	frameTop, frameBottom       = 92, 356

	aloneColour  = "#c2410c"
	sharedColour = "#1d4ed8"
)

// frame turns values into pixels.
type frame struct{ mostY float64 }

func (f frame) x(replicas float64) float64 {
	return frameLeft + 16 + (replicas-1)/(mostReplicas-1)*(frameRight-frameLeft-32)
}

func (f frame) y(calls float64) float64 { return frameBottom - calls/f.mostY*(frameBottom-frameTop) }

// plot returns docs/scaling.svg: white below, so that it can be read on pages of any colour. Lines are the formulae, dots the
// simulation.
func plot(curves []curve) string {
	f := frame{mostY: curveRequests}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#1f2937">
<title id="title">Upstream calls a second against replicas</title>
<rect width="%[1]d" height="%[2]d" rx="6" fill="#ffffff"/>
<text x="64" y="26" font-size="15" font-weight="600">Upstream calls for %[3]d requests a second, of one credential for %[4]d windows</text>
<text x="480" y="52">lines: the formulae</text>
<text x="480" y="72">dots: the simulation</text>
`, pictureWidth, pictureHeight, curveRequests, curvePages)
	f.writeAxes(&b)
	formulae := ours()
	for i, c := range curves {
		y := 48 + 20*i
		name := fmt.Sprintf("TTL %g s", c.ttl)
		f.writeCurve(&b, c, aloneColour, i > 0, formulae.alone, func(c comparison) float64 { return c.alone.each(c.alone.calls) })
		writeLegend(&b, 64, y, aloneColour, i > 0, "alone, "+name)
		f.writeCurve(&b, c, sharedColour, i > 0, formulae.shared, func(c comparison) float64 { return c.shared.each(c.shared.calls) })
		writeLegend(&b, 270, y, sharedColour, i > 0, "with Redis, "+name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (f frame) writeAxes(b *strings.Builder) {
	for v := 0; v <= curveRequests; v += 5 {
		y := f.y(float64(v))
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="#e5e7eb"/><text x="%d" y="%.1f" text-anchor="end">%d</text>`+"\n",
			frameLeft, y, frameRight, frameLeft-8, y+4.5, v)
	}
	for replicas := 1; replicas <= mostReplicas; replicas++ {
		x := f.x(float64(replicas))
		fmt.Fprintf(b, `<path d="M%.1f %dv5" stroke="#6b7280"/><text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n",
			x, frameBottom, x, frameBottom+21, replicas)
	}
	fmt.Fprintf(b, `<path d="M%d %dV%dH%d" fill="none" stroke="#6b7280"/>`+"\n", frameLeft, frameTop, frameBottom, frameRight)
	middle := (frameTop + frameBottom) / 2
	fmt.Fprintf(b, `<text x="22" y="%d" text-anchor="middle" transform="rotate(-90 22 %[1]d)">upstream calls a second</text>`+"\n", middle)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">replicas</text>`+"\n", (frameLeft+frameRight)/2, frameBottom+48)
}

func stroke(dashed bool) string {
	if dashed {
		return `stroke-width="2" stroke-dasharray="6 5"`
	}
	return `stroke-width="2"`
}

func (f frame) writeCurve(b *strings.Builder, c curve, colour string, dashed bool,
	formula func(load, float64) float64, simulated func(comparison) float64,
) {
	var line, dots strings.Builder
	for _, p := range c.points {
		x := f.x(float64(p.load.replicas))
		fmt.Fprintf(&line, "%.1f,%.1f ", x, f.y(math.Min(over(p.load, formula), f.mostY)))
		fmt.Fprintf(&dots, `<circle cx="%.1f" cy="%.1f" r="3.5"/>`+"\n", x, f.y(simulated(p)))
	}
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" %s points="%s"/>`+"\n<g fill=\"%s\">\n%s</g>\n",
		colour, stroke(dashed), strings.TrimSpace(line.String()), colour, dots.String())
}

func writeLegend(b *strings.Builder, x, y int, colour string, dashed bool, name string) {
	fmt.Fprintf(b, `<g stroke="%s"><path d="M%d %dh34" fill="none" %s/></g><circle cx="%d" cy="%d" r="3.5" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
		colour, x, y, stroke(dashed), x+17, y, colour, x+44, y+4, name)
}
