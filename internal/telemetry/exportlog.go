package telemetry

import (
	"context"
	"log/slog"
	"strings"

	"golang.org/x/time/rate"
)

// maxExportError is the size limit of a logged error, in bytes. An error may contain a whole
// response of the receiver.
const maxExportError = 300

// exportLog handles errors of exporting spans. It counts all errors, and logs one a minute.
type exportLog struct {
	failed func() // called for each error
	logger *slog.Logger
	lines  rate.Sometimes
}

func newExportLog(failed func(), logger *slog.Logger) *exportLog {
	return &exportLog{failed: failed, logger: logger, lines: rate.Sometimes{Interval: logInterval}}
}

// Handle implements otel.ErrorHandler.
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

// withoutValues is the log handler of the OpenTelemetry library. It removes all attributes, because
// they may contain settings, such as the credential of the receiver.
type withoutValues struct{ slog.Handler }

// Handle logs the message without its attributes.
func (h withoutValues) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "OpenTelemetry: "+r.Message, r.PC))
}

// WithAttrs drops the attributes.
func (h withoutValues) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup drops the group.
func (h withoutValues) WithGroup(string) slog.Handler { return h }
