package restclient_test

import (
	"slices"
	"testing"

	"cvmgraph/restclient"
)

func TestShapeOf(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]restclient.Shape{
		"":           restclient.ShapeHosted,
		"2024-01-01": restclient.ShapeHosted,
		"2025-05-31": restclient.ShapeHosted,
		"2025-10-28": restclient.ShapeHosted,
		"2026-01-20": restclient.ShapeHosted,
		"2026-01-21": restclient.ShapeFlat,
		"2026-05-22": restclient.ShapeFlat,
		"2026-06-23": restclient.ShapeFlat,
		"2027-01-01": restclient.ShapeFlat,
		"LATEST":     restclient.ShapeFlat,
	} {
		if got := restclient.ShapeOf(version); got != want {
			t.Errorf("version %q: got %s, want %s", version, got, want)
		}
	}
}

func TestKnownVersions_orderAndDefault(t *testing.T) {
	t.Parallel()
	versions := restclient.KnownVersions()
	if !slices.IsSorted(versions) || !slices.Contains(versions, restclient.DefaultAPIVersion) {
		t.Errorf("got %v, want sorted versions with %s", versions, restclient.DefaultAPIVersion)
	}
}
