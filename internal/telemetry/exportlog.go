package telemetry

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

const (
	// exportLogPause is the time between two lines about spans that are not sent: an outage of their receiver fails several times a
	// minute.
	exportLogPause = time.Minute
	// maxExportError bounds what is said of an error, in bytes: it may hold a whole answer of the receiver.
	maxExportError = 300
)

// exportLog takes what goes wrong with spans.
type exportLog struct {
	failed func() // is told of each error
	logger *slog.Logger
	last   atomic.Int64 // when a line was written, in nanoseconds since 1970
}

// Handle takes an error of OpenTelemetry's.
func (l *exportLog) Handle(err error) {
	l.failed()
	now, last := time.Now().UnixNano(), l.last.Load()
	if last != 0 && now-last < int64(exportLogPause) || !l.last.CompareAndSwap(last, now) {
		return
	}
	l.logger.Warn("traces are not sent", "error", shortened(err.Error()))
}

// shortened returns the beginning of a text.
func shortened(text string) string {
	if len(text) <= maxExportError {
		return text
	}
	end := maxExportError
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// withoutValues logs what OpenTelemetry says of itself, without the settings that it quotes: they may be credentials of its receiver.
type withoutValues struct{ slog.Handler }

// Handle writes the message alone.
func (h withoutValues) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "OpenTelemetry: "+r.Message, r.PC))
}

// WithAttrs leaves them out.
func (h withoutValues) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup leaves it out.
func (h withoutValues) WithGroup(string) slog.Handler { return h }
