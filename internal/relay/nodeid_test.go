package relay_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"cvmgraph/internal/relay"
)

func TestNodeID_differs(t *testing.T) {
	t.Parallel()
	traits := relay.FingerprintOf("x")
	seen := map[string]relay.Identity{}
	for _, identity := range []relay.Identity{
		{VMID: "1a09d706-2686-4e0a-8b1d-323ff0e3504b"},
		{VMID: "1A09D706-2686-4E0A-8B1D-323FF0E3504B"},
		{VMID: ":2"},
		{Traits: traits, Number: 1},
		{Traits: traits, Number: 2},
		{Traits: traits, Number: 21},
		{Traits: relay.FingerprintOf("y"), Number: 1},
	} {
		id := identity.NodeID()
		if other, ok := seen[id]; ok {
			t.Errorf("%+v: got the id of %+v, want another", identity, other)
		}
		seen[id] = identity
		if got, err := relay.ParseNodeID(id); err != nil || got != identity {
			t.Errorf("ParseNodeID(%s): got %+v, %v, want %+v", id, got, err, identity)
		}
	}
}

func TestParseNodeID_invalid(t *testing.T) {
	t.Parallel()
	spell := func(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }
	for name, id := range map[string]string{
		"an empty string":         "",
		"a number":                "1",
		"a uuid":                  "1a09d706-2686-4e0a-8b1d-323ff0e3504b",
		"another type":            spell("User:1"),
		"no uuid":                 spell("Cvm:"),
		"a uuid without end":      spell("Cvm:" + strings.Repeat("a", 200)),
		"padding":                 base64.URLEncoding.EncodeToString([]byte("Cvm:a")),
		"spare bits":              turnLastBit(spell("Cvm:a")), // of 5 bytes, which leave 2
		"a line break at the end": spell("Cvm:a") + "\n",
		"a space":                 spell("Cvm:a") + " ",
		"another alphabet":        base64.RawStdEncoding.EncodeToString([]byte("Cvm:\xff\xff")),
		"a line break":            spell("Cvm:abc")[:4] + "\n" + spell("Cvm:abc")[4:],
		"too few traits":          spell("CvmProvisional:1234567"),
		"the number 1":            spell("CvmProvisional:12345678:1"),
		"the number 0":            spell("CvmProvisional:12345678:0"),
		"a number below 0":        spell("CvmProvisional:12345678:-2"),
		"a number with a 0":       spell("CvmProvisional:12345678:02"),
		"an invalid number":       spell("CvmProvisional:12345678:x"),
	} {
		if got, err := relay.ParseNodeID(id); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func FuzzParseNodeID(f *testing.F) {
	f.Add(relay.Identity{VMID: "1a09d706-2686-4e0a-8b1d-323ff0e3504b"}.NodeID())
	f.Add(relay.Identity{Traits: 7, Number: 12}.NodeID())
	f.Fuzz(func(t *testing.T, id string) {
		identity, err := relay.ParseNodeID(id)
		if err == nil && identity.NodeID() != id {
			t.Fatalf("ParseNodeID(%q).NodeID(): got %q, want the same string", id, identity.NodeID())
		}
	})
}
