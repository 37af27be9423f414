// Package telemetry has the logger, request ids, metrics, traces and the version of the program.
package telemetry

import (
	"io"
	"log/slog"
	"os"
)

// Format is the format of log lines.
type Format string

// Formats. FormatAuto is FormatText on a terminal and FormatJSON elsewhere.
const (
	FormatAuto Format = "auto"
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// IsText reports whether the format is text for people. isTerminal reports whether the output is a
// terminal; it is used for FormatAuto only. An unknown format is treated as FormatAuto.
func (f Format) IsText(isTerminal bool) bool {
	return f == FormatText || f != FormatJSON && isTerminal
}

// NewLogger returns a logger that writes lines of at least the given level to w. Each line is one
// call of Write. isTerminal reports whether w is a terminal; see [Format.IsText]. The logger is
// safe for concurrent use.
func NewLogger(w io.Writer, level slog.Leveler, format Format, isTerminal bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format.IsText(isTerminal) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
