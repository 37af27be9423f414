package check

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSON writes the report as a JSON document on one line.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

// WriteText writes the report for people: one line per step, followed by its differences or
// versions, and a summary.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	count := map[Status]int{}
	for _, step := range r.Steps {
		count[step.Status]++
		status := string(step.Status)
		if step.Status == StatusFailed {
			status = strings.ToUpper(status)
		}
		fmt.Fprintf(&b, "%-8s %-18s %s\n", status, step.Name, step.Message)
		for _, d := range step.Differences {
			fmt.Fprintf(&b, "%28s%s\n", "", d)
		}
		for _, v := range step.Versions {
			fmt.Fprintf(&b, "%28s%-10s %s\n", "", v.Version, v.Message)
		}
		if step.More > 0 {
			fmt.Fprintf(&b, "%28sand %d more\n", "", step.More)
		}
	}
	fmt.Fprintf(&b, "\n%d failed, %d with a warning, %d ok, %d skipped\n", count[StatusFailed], count[StatusWarning], count[StatusOK], count[StatusSkipped])
	_, err := io.WriteString(w, b.String())
	return err
}
