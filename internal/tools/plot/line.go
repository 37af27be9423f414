package plot

import (
	"math"
	"strconv"
)

// LineChart is a chart of up to four series.
type LineChart struct {
	Title       string
	Description string // for screen readers
	XLabel      string
	YLabel      string
	XTicks      []float64 // at least two, ascending; the x axis ends at the first and the last
	Series      []Series
	Notes       []string // up to two lines beside the legend
}

// Series is a line with markers.
type Series struct {
	Name  string
	Color string
	// Dotted series have a dotted line and small markers. The others have a solid line and large
	// markers, so that both are visible if they coincide.
	Dotted  bool
	Line    []Point
	Markers []Point // if nil, the points of Line
}

// Point is a point in the units of the axes. Values of Y are not negative.
type Point struct{ X, Y float64 }

// The layout of a line chart.
const (
	lineHeight = 420

	frameLeft, frameRight = 64, imageWidth - 24
	frameTop, frameBottom = 92, 356
	framePadding          = 16 // left and right of the data

	legendTop    = 48
	legendRows   = 2
	legendRow    = 20  // the height of a row
	legendColumn = 216 // the width of a column
	legendLine   = 34  // the length of a line in the legend
)

// SVG returns the image.
func (c LineChart) SVG() string {
	f := newFrame(c)
	f.axes(c)
	for i, s := range c.Series {
		f.series(s)
		x, y := legendAt(i)
		f.legend(s, x, y)
	}
	for i, note := range c.Notes {
		x, y := legendAt(2*legendRows + i)
		f.text(x, y, "start", note)
	}
	return f.String()
}

// legendAt returns the position of an entry of the legend, which is filled column by column.
func legendAt(entry int) (x, y float64) {
	return float64(frameLeft + entry/legendRows*legendColumn), float64(legendTop + entry%legendRows*legendRow)
}

// frame converts points to pixels of its image.
type frame struct {
	*image
	minX, maxX float64
	maxY       float64
	yTicks     []float64
}

func newFrame(c LineChart) frame {
	maxY := 0.0
	for _, s := range c.Series {
		for _, p := range append(s.markers(), s.Line...) {
			maxY = max(maxY, p.Y)
		}
	}
	ticks := yTicks(maxY)
	return frame{
		image: newImage(lineHeight, frameLeft, c.Title, c.Description),
		minX:  c.XTicks[0], maxX: c.XTicks[len(c.XTicks)-1],
		maxY: ticks[len(ticks)-1], yTicks: ticks,
	}
}

func (f frame) x(v float64) float64 {
	const left, right = frameLeft + framePadding, frameRight - framePadding
	return left + (v-f.minX)/(f.maxX-f.minX)*(right-left)
}

func (f frame) y(v float64) float64 {
	return frameBottom - v/f.maxY*(frameBottom-frameTop)
}

// yTicks returns 5 to 11 round values from 0 to at least most. If most is 0, the last one is 1.
func yTicks(most float64) []float64 {
	if most == 0 {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most)))
	switch leading := most / step; {
	case leading < 2:
		step /= 5
	case leading < 4:
		step /= 2
	}
	var ticks []float64
	for i := range int(math.Ceil(most/step)) + 1 {
		ticks = append(ticks, float64(i)*step)
	}
	return ticks
}

func (f frame) axes(c LineChart) {
	for _, v := range f.yTicks {
		f.printf(`<path d="M%d %.1fH%d" stroke="%s"/>`, frameLeft, f.y(v), frameRight, gridColor)
		f.text(frameLeft-8, f.y(v), "end", number(v))
	}
	for _, v := range c.XTicks {
		f.printf(`<path d="M%.1f %dv5" stroke="%s"/>`, f.x(v), frameBottom, axisColor)
		f.text(f.x(v), frameBottom+17, "middle", number(v))
	}
	f.printf(`<path d="M%d %dV%dH%d" fill="none" stroke="%s"/>`, frameLeft, frameTop, frameBottom, frameRight, axisColor)
	const middleX, middleY = (frameLeft + frameRight) / 2, (frameTop + frameBottom) / 2
	f.printf(`<g transform="rotate(-90 18 %d)">`, middleY)
	f.text(18, middleY, "middle", c.YLabel)
	f.printf(`</g>`)
	f.text(middleX, frameBottom+44, "middle", c.XLabel)
}

// number formats a tick without the error of binary fractions.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

func (s Series) markers() []Point {
	if s.Markers != nil {
		return s.Markers
	}
	return s.Line
}

// stroke returns the attributes of the line.
func (s Series) stroke() string {
	if s.Dotted {
		return `stroke-width="2" stroke-dasharray="2 5" stroke-linecap="round"`
	}
	return `stroke-width="2"`
}

// mark returns the attributes of a marker.
func (s Series) mark() string {
	if s.Dotted {
		return `r="2.5" fill="` + s.Color + `" stroke-width="0"`
	}
	return `r="5.5" fill="#ffffff" stroke-width="2"`
}

func (f frame) series(s Series) {
	f.printf(`<g fill="none" stroke="%s">`, s.Color)
	line := ""
	for _, p := range s.Line {
		line += " " + strconv.FormatFloat(f.x(p.X), 'f', 1, 64) + "," + strconv.FormatFloat(f.y(p.Y), 'f', 1, 64)
	}
	f.printf(`<polyline %s points="%s"/>`, s.stroke(), line[min(1, len(line)):])
	for _, p := range s.markers() {
		f.printf(`<circle cx="%.1f" cy="%.1f" %s/>`, f.x(p.X), f.y(p.Y), s.mark())
	}
	f.printf(`</g>`)
}

func (f frame) legend(s Series, x, y float64) {
	f.printf(`<g fill="none" stroke="%s"><path d="M%g %gh%d" %s/><circle cx="%g" cy="%g" %s/></g>`,
		s.Color, x, y, legendLine, s.stroke(), x+legendLine/2, y, s.mark())
	f.text(x+legendLine+10, y, "start", s.Name)
}
