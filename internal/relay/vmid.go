package relay

import "strings"

const (
	// uuidLength is the length of a uuid with dashes.
	uuidLength = len("1a09d706-2686-4e0a-8b1d-323ff0e3504b")
	urnPrefix  = "urn:uuid:"
)

// VMIdentity returns the identity of the item whose VM has this uuid. It is the same for each
// spelling of the uuid: upper or lower case, with or without dashes, in braces, or after urn:uuid:.
// A string that is not a uuid identifies only the item with exactly this string.
func VMIdentity(uuid string) Identity { return Identity{VMID: canonicalUUID(uuid)} }

// canonicalUUID returns the uuid in lower case and with dashes. It returns other strings unchanged.
func canonicalUUID(s string) string {
	if isCanonicalUUID(s) || len(s) > len(urnPrefix)+uuidLength {
		return s
	}
	bare := strings.TrimPrefix(strings.ToLower(s), urnPrefix)
	if inner, ok := strings.CutPrefix(bare, "{"); ok {
		if bare, ok = strings.CutSuffix(inner, "}"); !ok {
			return s
		}
	}
	if len(bare) == uuidLength-4 {
		bare = bare[:8] + "-" + bare[8:12] + "-" + bare[12:16] + "-" + bare[16:20] + "-" + bare[20:]
	}
	if !isCanonicalUUID(bare) {
		return s
	}
	return bare
}

// isCanonicalUUID reports whether s is a uuid in lower case with dashes.
func isCanonicalUUID(s string) bool {
	if len(s) != uuidLength {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}
