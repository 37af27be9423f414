package relay

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// Fingerprint stands for an item or for a list: 64 bits of a hash that is the same in every process.
type Fingerprint uint64

// FingerprintOf returns the fingerprint of the parts, in this order. Moving text from one part to the next changes it.
func FingerprintOf(parts ...string) Fingerprint {
	buf := make([]byte, 0, 128)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return Fingerprint(binary.BigEndian.Uint64(sum[:]))
}

// Identity is what tells an item of a list apart: the uuid of its VM, or, where VMID is empty, its other traits.
type Identity struct {
	VMID   string
	Traits Fingerprint
	// Number counts items without a VM that have equal traits, from 1, in the order of their page.
	Number int
}

// Fingerprint returns the fingerprint by which cursors remember the item.
func (i Identity) Fingerprint() Fingerprint {
	if i.VMID != "" {
		return FingerprintOf(i.VMID)
	}
	return FingerprintOf("", strconv.FormatUint(uint64(i.Traits), 16), strconv.Itoa(i.Number))
}
