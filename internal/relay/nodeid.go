package relay

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

const (
	vmPrefix          = "Cvm:"
	provisionalPrefix = "CvmProvisional:"
	// maxVMID bounds the uuid in an id, in bytes.
	maxVMID = 128
)

// ErrNotNodeID is what [ParseNodeID] returns for a text that [Identity.NodeID] never made.
var ErrNotNodeID = errors.New("the text is not an id")

// NodeID returns the item's global id, which no other item of the list has.
func (i Identity) NodeID() string { return string(i.AppendNodeID(nil)) }

// AppendNodeID appends the item's global id to dst.
func (i *Identity) AppendNodeID(dst []byte) []byte {
	var room [len(vmPrefix) + maxVMID]byte
	if i.VMID != "" {
		return base64.RawURLEncoding.AppendEncode(dst, append(append(room[:0], vmPrefix...), i.VMID...))
	}
	b := binary.BigEndian.AppendUint64(append(room[:0], provisionalPrefix...), uint64(i.Traits))
	if i.Number > 1 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(i.Number), 10)
	}
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// ParseNodeID returns the identity that a global id was made of. Another spelling of an id is [ErrNotNodeID].
func ParseNodeID(id string) (Identity, error) {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return Identity{}, ErrNotNodeID
	}
	var identity Identity
	if vmID, ok := strings.CutPrefix(string(b), vmPrefix); ok {
		identity.VMID = vmID
	} else if rest, ok := strings.CutPrefix(string(b), provisionalPrefix); ok && len(rest) >= 8 {
		identity.Traits = Fingerprint(binary.BigEndian.Uint64([]byte(rest)))
		identity.Number = 1
		if number, ok := strings.CutPrefix(rest[8:], ":"); ok {
			if identity.Number, err = strconv.Atoi(number); err != nil {
				return Identity{}, ErrNotNodeID
			}
		}
	}
	if len(identity.VMID) > maxVMID || identity.VMID == "" && identity.Number < 1 || identity.NodeID() != id {
		return Identity{}, ErrNotNodeID
	}
	return identity, nil
}
