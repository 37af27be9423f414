package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"cvmgraph/internal/demo"
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

const (
	shapesTitle  = "## Both shapes of the API\n"
	shapeItems   = 100 // of a page
	shapeRounds  = 31
	shapeMeasure = 20 * time.Millisecond // of one step in one round
)

// shapePage is the same page of the list in one of the API's shapes.
type shapePage struct {
	version string
	body    []byte
	steps   []func() error // in the order of shapeSteps
	speeds  [][]float64    // of each step, by rounds, in bytes/s
}

// shapeSteps are what the gateway does with the bytes of a page. Pages are decoded for fields with
// errors, and without the projection.
func shapeSteps() []string { return []string{"index", "decode"} }

// shapesSection measures and describes how fast both shapes of a page are read.
func shapesSection() (string, error) {
	hosted, err := newShapePage(restclient.DefaultAPIVersion)
	if err != nil {
		return "", err
	}
	flat, err := newShapePage("2026-06-23")
	if err != nil {
		return "", err
	}
	for range shapeRounds {
		for step := range shapeSteps() {
			for _, page := range []*shapePage{hosted, flat} {
				if err := page.measure(step); err != nil {
					return "", err
				}
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, shapesTitle+`
The newer API versions have a [flat shape](versions.md). This is how fast the gateway reads the same page of %d CVMs in both shapes, in
MB of the page's bytes per second of CPU time. The steps take turns; the figures are medians of %d rounds. Every page is indexed; pages
with values of a wrong type are decoded, too, and all pages with `+"`--projection=false`"+`.

| | %s: %.0f KB | %s: %.0f KB | speed per byte | time per page |
| --- | ---: | ---: | ---: | ---: |
`, shapeItems, shapeRounds, hosted.version, float64(len(hosted.body))/1000, flat.version, float64(len(flat.body))/1000)
	for i, step := range shapeSteps() {
		speed := ratio(flat.speeds[i], hosted.speeds[i])
		fmt.Fprintf(&b, "| %s | %s | %s | × %.2f | × %.2f |\n", step, number(median(hosted.speeds[i])/1e6), number(median(flat.speeds[i])/1e6),
			speed, float64(len(flat.body))/float64(len(hosted.body))/speed)
	}
	b.WriteString("\n")
	return b.String(), nil
}

// newShapePage returns a page of the demo's list.
func newShapePage(version string) (*shapePage, error) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("%s?page=1&page_size=%d", demo.ListPath, shapeItems), nil)
	r.Header.Set("Authorization", "Bearer "+demo.DefaultToken)
	r.Header.Set("X-Phala-Version", version)
	w := httptest.NewRecorder()
	demo.New(demo.Options{}).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("the demo's page of version %s has status %d", version, w.Code)
	}
	shape, body := restclient.ShapeOf(version), w.Body.Bytes()
	layout, index := pages.Layout(shape), &projection.IndexedPage{}
	return &shapePage{
		version: version, body: body,
		speeds: make([][]float64, len(shapeSteps())),
		steps: []func() error{
			func() error { return layout.Index(index, body, shapeItems) },
			func() error {
				_, err := shape.DecodePage(body, restclient.PageRequest{Page: 1, PageSize: shapeItems})
				return err
			},
		},
	}, nil
}

// measure repeats a step for a while.
func (p *shapePage) measure(step int) error {
	var read int
	start, used := time.Now(), usedTime()
	for time.Since(start) < shapeMeasure || usedTime() == used {
		if err := p.steps[step](); err != nil {
			return err
		}
		read += len(p.body)
	}
	p.speeds[step] = append(p.speeds[step], float64(read)/(usedTime()-used).Seconds())
	return nil
}

// usedTime returns the CPU time of this process.
func usedTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // the arguments are valid
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// updateShapes replaces the section of the shapes in the document.
func updateShapes(directory string) error {
	path := filepath.Join(directory, "benchmarks.md")
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(document), shapesTitle)
	_, after, more := strings.Cut(rest, "\n## ")
	if !ok || !more {
		return errors.New("the document has no section " + strings.TrimSpace(shapesTitle) + " that another one follows")
	}
	section, err := shapesSection()
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(before+section+"## "+after), 0o644)
}
