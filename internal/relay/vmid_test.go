package relay_test

import (
	"testing"

	"cvmgraph/internal/relay"
)

func TestVMIdentity_spellings(t *testing.T) {
	t.Parallel()
	const uuid = "1a09d706-2686-4e0a-8b1d-323ff0e3504b"
	want := relay.Identity{VMID: uuid}
	for name, spelling := range map[string]string{
		"lower case":                uuid,
		"upper case":                "1A09D706-2686-4E0A-8B1D-323FF0E3504B",
		"mixed case":                "1a09D706-2686-4e0A-8b1d-323FF0e3504b",
		"without dashes":            "1a09d70626864e0a8b1d323ff0e3504b",
		"upper case without dashes": "1A09D70626864E0A8B1D323FF0E3504B",
		"in braces":                 "{1A09D706-2686-4E0A-8B1D-323FF0E3504B}",
		"as a URN":                  "urn:uuid:1a09d706-2686-4e0a-8b1d-323ff0e3504b",
	} {
		if got := relay.VMIdentity(spelling); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestVMIdentity_noUUID(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"an empty string":        "",
		"a name":                 "VM-2",
		"a digit too few":        "1A09D706-2686-4E0A-8B1D-323FF0E3504",
		"a digit too many":       "1A09D706-2686-4E0A-8B1D-323FF0E3504BB",
		"dashes elsewhere":       "1A09D7062-686-4E0A-8B1D-323FF0E3504B",
		"some of the dashes":     "1A09D706-26864E0A-8B1D-323FF0E3504B",
		"another letter":         "1A09D706-2686-4E0A-8B1D-323FF0E3504G",
		"an open brace":          "{1A09D706-2686-4E0A-8B1D-323FF0E3504B",
		"a space":                " 1A09D706-2686-4E0A-8B1D-323FF0E3504B",
		"32 bytes of two each":   "\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9\u00c9",
		"a character of 3 bytes": "1A09D706-2686-4E0A-8B1D-323FF0E3\u212a4",
	} {
		if got := relay.VMIdentity(s); got.VMID != s {
			t.Errorf("%s: got %+v, want %q unchanged", name, got, s)
		}
	}
}

//nolint:paralleltest // testing.AllocsPerRun cannot run in parallel
func TestVMIdentity_allocations(t *testing.T) {
	if got := testing.AllocsPerRun(100, func() { _ = relay.VMIdentity("1a09d706-2686-4e0a-8b1d-323ff0e3504b") }); got > 0 {
		t.Errorf("got %v allocations for the usual spelling, want none", got)
	}
}
