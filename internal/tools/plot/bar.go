package plot

import "html"

// BarChart is a chart of horizontal bars in groups. Each group has its own scale: its longest bar
// has the full length.
type BarChart struct {
	Title       string
	Description string // for screen readers
	Groups      []BarGroup
}

// BarGroup is a group of bars that are compared with each other.
type BarGroup struct {
	Title string
	Bars  []Bar
}

// Bar is one bar. Its value is not negative.
type Bar struct {
	Label string // left of the bar
	Value float64
	Text  string // the value as it is written right of the bar
	Color string
}

// The layout of a bar chart.
const (
	barMargin    = 24 // left of titles
	groupTop     = 48 // the top of the first group
	groupTitle   = 30 // the height of a group's title
	groupGap     = 22 // between groups
	barHeight    = 16
	barRow       = 23 // from the top of a bar to the next one's
	barLeft      = 250
	longestBar   = 370
	shortestBar  = 1
	barLabelGap  = 10
	barNumberGap = 8
)

// SVG returns the image.
func (c BarChart) SVG() string {
	height := groupTop
	for _, g := range c.Groups {
		height += g.height()
	}
	image := newImage(height, barMargin, c.Title, c.Description)
	top := groupTop
	for _, g := range c.Groups {
		image.group(g, top)
		top += g.height()
	}
	return image.String()
}

func (g BarGroup) height() int { return groupTitle + len(g.Bars)*barRow + groupGap }

func (i *image) group(g BarGroup, top int) {
	i.printf(`<text x="%d" y="%d" font-weight="600">%s</text>`, barMargin, top+17, html.EscapeString(g.Title))
	most := 0.0
	for _, bar := range g.Bars {
		most = max(most, bar.Value)
	}
	for row, bar := range g.Bars {
		y := float64(top + groupTitle + row*barRow)
		length := float64(shortestBar)
		if most > 0 {
			length = max(length, bar.Value/most*longestBar)
		}
		i.text(barLeft-barLabelGap, y+barHeight/2, "end", bar.Label)
		i.printf(`<rect x="%d" y="%.1f" width="%.1f" height="%d" rx="2" fill="%s"/>`, barLeft, y, length, barHeight, bar.Color)
		i.text(barLeft+length+barNumberGap, y+barHeight/2, "start", bar.Text)
	}
}
