package telemetry

import (
	"log/slog"
	"runtime/debug"
)

// VersionOf is versionOf, for tests: those of a test binary's own build are always the same.
func VersionOf(info *debug.BuildInfo) string { return versionOf(info) }

// NewExportLog returns what OpenTelemetry's errors go to.
func NewExportLog(failed func(), logger *slog.Logger) interface{ Handle(error) } {
	return newExportLog(failed, logger)
}

// WithoutValues is what OpenTelemetry's own log goes through.
func WithoutValues(h slog.Handler) slog.Handler { return withoutValues{h} }
