package telemetry

import "runtime/debug"

// VersionOf is versionOf, for tests: those of a test binary's own build are always the same.
func VersionOf(info *debug.BuildInfo) string { return versionOf(info) }
