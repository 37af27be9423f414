package telemetry

import (
	"context"
	"log/slog"
	"strings"

	"golang.org/x/time/rate"
)

// maxExportError bounds what is said of an error, in bytes: it may hold a whole answer of the receiver.
const maxExportError = 300

// exportLog takes what goes wrong with spans: during an outage of their receiver that is several times a minute.
type exportLog struct {
	failed func() // is told of each error
	logger *slog.Logger
	lines  rate.Sometimes
}

func newExportLog(failed func(), logger *slog.Logger) *exportLog {
	return &exportLog{failed: failed, logger: logger, lines: rate.Sometimes{Interval: logInterval}}
}

// Handle takes an error of OpenTelemetry's.
func (l *exportLog) Handle(err error) {
	l.failed()
	l.lines.Do(func() { l.logger.Warn("trace export failed", "error", shortened(err.Error())) })
}

// shortened returns the beginning of a text.
func shortened(text string) string {
	if len(text) <= maxExportError {
		return text
	}
	return strings.ToValidUTF8(text[:maxExportError], "") + "…"
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
