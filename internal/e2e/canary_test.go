package e2e_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

// Canaries are secrets that the tests look for in everything that the program writes.
const (
	canaryBearer    = "canarybearer"    // a credential, which only the upstream may receive
	canaryKey       = "canaryapikey"    // likewise
	canaryWorkspace = "canaryworkspace" // likewise
	canaryUpstream  = "canaryupstream"  // the upstream's, which is only in the fields that have it
	canaryPassword  = "canarypassword"  // which only Redis may receive
	canaryShared    = "canarysharedkey-and-more-of-it!!"
	canaryText      = "canarytext" // the caller's strings, which no log may have
)

func secrets() []string {
	return []string{canaryBearer, canaryKey, canaryWorkspace, canaryUpstream, canaryPassword, canaryShared}
}

// findCanary returns the first of the canaries that a string contains in plain, in hexadecimal or
// in base64, or an empty string.
func findCanary(text string, canaries ...string) string {
	text = strings.ToLower(text)
	for _, canary := range canaries {
		if strings.Contains(text, canary) || strings.Contains(text, hex.EncodeToString([]byte(canary))) {
			return canary
		}
		for shift := range 3 { // base64 has three encodings of a string, depending on its position
			encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + canary))
			whole := strings.ToLower(encoded[(shift*8+5)/6+1 : len(encoded)-2])
			if strings.Contains(text, whole) {
				return canary
			}
		}
	}
	return ""
}

func TestFindCanary(t *testing.T) {
	t.Parallel()
	for _, hidden := range []string{
		"x canarybearer", "CanaryBearer", hex.EncodeToString([]byte("so canarybearer so")),
		base64.StdEncoding.EncodeToString([]byte("canarybearer")), base64.StdEncoding.EncodeToString([]byte("a canarybearer")),
		base64.RawURLEncoding.EncodeToString([]byte("a: canarybearer and more")), "%!s(*x={canarybearer})",
	} {
		if got := findCanary(hidden, canaryKey, canaryBearer); got != canaryBearer {
			t.Errorf("in %s: got %q, want %s", hidden, got, canaryBearer)
		}
	}
	if got := findCanary("canary bearer, canaryb earer", secrets()...); got != "" {
		t.Errorf("got %s, want no canary", got)
	}
}
