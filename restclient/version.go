package restclient

import "slices"

// Shape is the form of the list's items. It depends on the API version.
type Shape string

// The shapes.
const (
	// ShapeHosted has the VM in the object hosted, as its node reports it.
	ShapeHosted Shape = "hosted"
	// ShapeFlat has no hosted: the upstream answers from its database, and asks no node.
	ShapeFlat Shape = "flat"
)

// KnownVersions returns the API versions that this package was made for, oldest first.
func KnownVersions() []string {
	return []string{DefaultAPIVersion, "2026-01-21", "2026-05-22", "2026-06-23"}
}

// ShapeOf returns the shape of an API version. An unknown version is probably newer than the known
// ones, so its shape is that of the latest. An empty version is [DefaultAPIVersion].
func ShapeOf(version string) Shape {
	if slices.Contains([]string{"", "2025-05-31", DefaultAPIVersion}, version) {
		return ShapeHosted
	}
	return ShapeFlat
}
