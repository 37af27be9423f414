package relay

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint identifies an item or a list. It is 64 bits of a hash that is the same in every
// process.
type Fingerprint uint64

// FingerprintOf returns the fingerprint of the parts, in this order. Moving characters from one
// part to the next changes it.
func FingerprintOf(parts ...string) Fingerprint {
	buf := make([]byte, 0, 128)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return Fingerprint(binary.BigEndian.Uint64(sum[:]))
}

// Identity identifies an item of a list by the uuid of its VM. If VMID is empty, its other traits
// identify it.
type Identity struct {
	VMID   string
	Traits Fingerprint
	// Number distinguishes items without a VM that have equal traits. It counts from 1 in the order
	// of the list. If it counts in the order of a page, items of different pages can have the same
	// number.
	Number int
}

// Fingerprint returns the item's fingerprint in cursors.
func (i Identity) Fingerprint() Fingerprint {
	if i.VMID != "" {
		return FingerprintOf(i.VMID)
	}
	return alikeFingerprint(i.Traits)&^numberMask | Fingerprint(i.Number)<<numberShift&numberMask
}

// Alike reports whether both items have the same VM, or neither has one and their traits are equal.
func (i Identity) Alike(other Identity) bool { return i.VMID == other.VMID && i.Traits == other.Traits }
