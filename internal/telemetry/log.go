// Package telemetry says what the program does: logs, the id that ties the lines of one request together, metrics, and
// the version that all of it comes from.
package telemetry

import (
	"io"
	"log/slog"
)

// Format is how log lines are written.
type Format string

// The formats. FormatAuto is FormatText on a terminal and FormatJSON elsewhere.
const (
	FormatAuto Format = "auto"
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// IsText says whether that is text for people, where isTerminal says whether it goes to a terminal, which matters to FormatAuto alone. Any
// other format that is unknown is taken for that.
func (f Format) IsText(isTerminal bool) bool {
	return f == FormatText || f != FormatJSON && isTerminal
}

// NewLogger returns a logger that writes lines of at least the level to w, each in one call of Write. isTerminal says
// whether w is one, as for [Format.IsText]. The logger may be used by any number of goroutines.
func NewLogger(w io.Writer, level slog.Leveler, format Format, isTerminal bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format.IsText(isTerminal) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
