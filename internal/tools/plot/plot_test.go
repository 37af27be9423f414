package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cvmgraph/internal/tools/plot"
)

// element is an element of an SVG image, with the text in it.
type element struct {
	name, text string
	attributes map[string]string
}

// parse returns the elements of an image in document order.
func parse(t *testing.T, svg string) []element {
	t.Helper()
	var elements []element
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		switch token, err := decoder.Token(); token := token.(type) {
		case xml.StartElement:
			attributes := make(map[string]string)
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			elements = append(elements, element{name: token.Name.Local, attributes: attributes})
		case xml.CharData:
			if len(elements) > 0 {
				elements[len(elements)-1].text += strings.TrimSpace(string(token))
			}
		default:
			if errors.Is(err, io.EOF) {
				return elements
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// texts returns the texts of all elements.
func texts(elements []element) []string {
	var all []string
	for _, e := range elements {
		if e.text != "" {
			all = append(all, e.text)
		}
	}
	return all
}

// values returns an attribute of the elements that have another one with this value.
func values(elements []element, attribute, other, value string) []string {
	var all []string
	for _, e := range elements {
		if v, ok := e.attributes[attribute]; ok && e.attributes[other] == value {
			all = append(all, v)
		}
	}
	return all
}

func TestLineChart_scalesPointsToTheAxes(t *testing.T) {
	t.Parallel()
	elements := parse(t, plot.LineChart{
		Title: "A < B", Description: "a & b", XLabel: "x", YLabel: "y", XTicks: []float64{1, 2, 3}, Notes: []string{"a note"},
		Series: []plot.Series{
			{Name: "first", Color: plot.Blue, Line: []plot.Point{{1, 0}, {2, 5}, {3, 10}}},
			{Name: "second", Color: plot.Orange, Dotted: true, Line: []plot.Point{{1, 2}, {3, 2}}, Markers: []plot.Point{{2, 10}}},
		},
	}.SVG())
	got := texts(elements)
	for _, want := range []string{"A < B", "a & b", "x", "y", "0", "10", "1", "2", "3", "first", "second", "a note"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %q among them", got, want)
		}
	}
	lines := values(elements, "points", "", "")
	if want := []string{"80.0,356.0 380.0,224.0 680.0,92.0", "80.0,303.2 680.0,303.2"}; !slices.Equal(lines, want) {
		t.Errorf("got lines %q, want %q", lines, want)
	}
	// The last circle of each series is the one in the legend.
	if got, want := values(elements, "cx", "r", "5.5"), []string{"80.0", "380.0", "680.0", "81"}; !slices.Equal(got, want) {
		t.Errorf("got large markers at x = %q, want %q", got, want)
	}
	if got, want := values(elements, "cy", "r", "2.5"), []string{"92.0", "68"}; !slices.Equal(got, want) {
		t.Errorf("got small markers at y = %q, want %q", got, want)
	}
}

func TestLineChart_hasRoundTicks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		most float64
		want []string
	}{
		"no values":      {most: 0, want: []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		"below two":      {most: 1.3, want: []string{"0", "0.2", "0.4", "0.6", "0.8", "1", "1.2", "1.4"}},
		"below four":     {most: 25, want: []string{"0", "5", "10", "15", "20", "25"}},
		"four and above": {most: 410, want: []string{"0", "100", "200", "300", "400", "500"}},
	} {
		elements := parse(t, plot.LineChart{
			XTicks: []float64{0, 1}, Series: []plot.Series{{Line: []plot.Point{{0, 0}, {1, tt.most}}}},
		}.SVG())
		var got []string
		for _, e := range elements {
			if e.attributes["text-anchor"] == "end" {
				got = append(got, e.text)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got ticks %q, want %q", name, got, tt.want)
		}
	}
}

func TestBarChart_scalesBarsWithinTheirGroup(t *testing.T) {
	t.Parallel()
	elements := parse(t, plot.BarChart{
		Title: "Bars", Description: "bars", Groups: []plot.BarGroup{
			{Title: "large & small", Bars: []plot.Bar{
				{Label: "one", Value: 1000, Text: "1,000", Color: plot.Blue},
				{Label: "two", Value: 500, Text: "500", Color: plot.Blue},
				{Label: "three", Value: 0.1, Text: "0.1", Color: plot.Blue},
			}},
			{Title: "small", Bars: []plot.Bar{{Label: "four", Value: 3, Text: "3", Color: plot.Blue}}},
			{Title: "zero", Bars: []plot.Bar{{Label: "five", Value: 0, Text: "0", Color: plot.Blue}}},
		},
	}.SVG())
	got := values(elements, "width", "fill", plot.Blue)
	if want := []string{"370.0", "185.0", "1.0", "370.0", "1.0"}; !slices.Equal(got, want) {
		t.Errorf("got lengths %q, want %q", got, want)
	}
	for _, want := range []string{"Bars", "bars", "large & small", "one", "1,000", "zero"} {
		if !slices.Contains(texts(elements), want) {
			t.Errorf("got %q, want %q among them", texts(elements), want)
		}
	}
	height, err := strconv.Atoi(elements[0].attributes["height"])
	if err != nil {
		t.Fatal(err)
	}
	for _, y := range values(elements, "y", "fill", plot.Blue) {
		if y, err := strconv.ParseFloat(y, 64); err != nil || y < 48 || y > float64(height-16) {
			t.Errorf("got a bar at %v, %v, want it inside the image", y, err)
		}
	}
}
