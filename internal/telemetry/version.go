package telemetry

import "runtime/debug"

// sourceVersion is the version of this source. It ends in -dev between releases.
const sourceVersion = "0.9.0"

// stampedVersion replaces the version of the source if it is not empty. The linker sets it; see the
// build argument VERSION in the Dockerfile. Nothing else writes to it.
var stampedVersion string //nolint:gochecknoglobals // the linker sets variables only

// Version returns the version of the program: the version that the linker was called with, or else
// the version of the source. The latter is followed by the first 12 digits of the VCS revision if
// the build knows it, and by "dirty" if the tree had uncommitted changes:
// "0.9.0+0123456789ab.dirty".
func Version() string {
	if stampedVersion != "" {
		return stampedVersion
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return sourceVersion
	}
	return sourceVersion + revisionSuffix(info.Settings)
}

// revisionSuffix returns the revision as build metadata of a semantic version, or "" if the
// settings have no revision.
func revisionSuffix(settings []debug.BuildSetting) string {
	revision, dirty := "", ""
	for _, setting := range settings {
		switch {
		case setting.Key == "vcs.revision":
			revision = setting.Value[:min(12, len(setting.Value))]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			dirty = ".dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return "+" + revision + dirty
}
