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

// NewLogger returns a logger that writes lines of at least the level to w, each in one call of Write. isTerminal says
// whether w is one; it matters to FormatAuto alone, and any other format that is unknown is taken for that. The
// logger may be used by any number of goroutines.
func NewLogger(w io.Writer, level slog.Leveler, format Format, isTerminal bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == FormatText || format != FormatJSON && isTerminal {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
