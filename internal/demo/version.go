package demo

import (
	"slices"
	"strings"
)

// hostedVersions and flatVersions return the API versions of each shape, oldest first.
func hostedVersions() []string { return []string{"2025-05-31", "2025-10-28"} }
func flatVersions() []string   { return []string{"2026-01-21", "2026-05-22", "2026-06-23"} }

// latest is the alias of the newest version, in any case.
const latest = "LATEST"

// isFlat reports whether a request has the flat shape as its response, by the header
// X-Phala-Version. Ok is false if the upstream refuses the version.
func (o *Options) isFlat(header string) (flat, ok bool) {
	if header == "" {
		header = o.DefaultVersion
	}
	if flat, ok := o.shapeOf(header); ok {
		return flat, true
	}
	if !o.ServeUnknownVersions {
		return false, false
	}
	return o.shapeOf(o.DefaultVersion)
}

// shapeOf returns the shape of a version that the upstream still has.
func (o *Options) shapeOf(version string) (flat, ok bool) {
	serves := func(version string) bool { return !slices.Contains(o.WithdrawnVersions, version) }
	if strings.EqualFold(version, latest) {
		flat = slices.ContainsFunc(flatVersions(), serves)
		return flat, flat || slices.ContainsFunc(hostedVersions(), serves)
	}
	flat = slices.Contains(flatVersions(), version)
	return flat, (flat || slices.Contains(hostedVersions(), version)) && serves(version)
}
