package telemetry

import (
	"log/slog"
	"runtime/debug"
)

// RevisionSuffix exports revisionSuffix: the settings of a test binary's own build have no
// revision.
func RevisionSuffix(settings []debug.BuildSetting) string { return revisionSuffix(settings) }

// NewExportLog returns the handler of OpenTelemetry's errors.
func NewExportLog(failed func(), logger *slog.Logger) interface{ Handle(error) } {
	return newExportLog(failed, logger)
}

// WithoutValues returns the handler of OpenTelemetry's log.
func WithoutValues(h slog.Handler) slog.Handler { return withoutValues{h} }
