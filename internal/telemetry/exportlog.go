package telemetry

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// exportLogPause is the time between two lines about spans that are not sent: an outage of their receiver fails several times a minute.
const exportLogPause = time.Minute

// exportLog logs what goes wrong with spans.
type exportLog struct {
	logger *slog.Logger
	last   atomic.Int64 // when a line was written, in nanoseconds since 1970
}

// Handle logs an error of OpenTelemetry, which is of its receiver's and not of the upstream's.
func (l *exportLog) Handle(err error) {
	now, last := time.Now().UnixNano(), l.last.Load()
	if last != 0 && now-last < int64(exportLogPause) || !l.last.CompareAndSwap(last, now) {
		return
	}
	l.logger.Warn("traces are not sent", "error", err)
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
