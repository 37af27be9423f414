package relay

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// VMNodeID returns the global id of the CVM whose VM has this uuid.
func VMNodeID(vmID string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("Cvm:" + vmID))
}

// ProvisionalNodeID returns the global id of a CVM that has no VM yet, from what else tells it apart. Items with equal
// traits are numbered in the order of the list, from 1.
func ProvisionalNodeID(traits Fingerprint, number int) string {
	b := binary.BigEndian.AppendUint64([]byte("CvmProvisional:"), uint64(traits))
	if number > 1 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(number), 10)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
