// Package plot draws line charts and bar charts as SVG images.
//
// The background is white, so that an image is readable on pages of any color. The same chart
// always has the same bytes.
package plot

import (
	"fmt"
	"html"
	"strings"
)

// Colors of series and bars.
const (
	Blue      = "#1d4ed8"
	LightBlue = "#60a5fa"
	Orange    = "#c2410c"
	Gray      = "#9ca3af"
)

const (
	axisColor = "#6b7280"
	gridColor = "#e5e7eb"

	imageWidth = 720 // in pixels, as all other lengths

	// baseline is the distance from the middle of a line of text to its baseline.
	baseline = 4
)

// image is an SVG image.
type image struct{ svg strings.Builder }

// newImage returns an image with a title at x. The description is read by screen readers.
func newImage(height, x int, title, description string) *image {
	i := new(image)
	i.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="#1f2937">`,
		imageWidth, height)
	i.printf(`<title id="title">%s</title>`, html.EscapeString(description))
	i.printf(`<rect width="%d" height="%d" rx="6" fill="#ffffff"/>`, imageWidth, height)
	i.printf(`<text x="%d" y="28" font-size="15" font-weight="600">%s</text>`, x, html.EscapeString(title))
	return i
}

// printf appends one line.
func (i *image) printf(format string, args ...any) {
	fmt.Fprintf(&i.svg, format+"\n", args...)
}

// text writes a string with an anchor: start, middle or end. The y coordinate is its middle.
func (i *image) text(x, y float64, anchor, s string) {
	i.printf(`<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y+baseline, anchor, html.EscapeString(s))
}

// String ends the image and returns the document.
func (i *image) String() string { return i.svg.String() + "</svg>\n" }
