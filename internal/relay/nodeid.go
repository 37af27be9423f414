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
	// maxVMID is the maximum length of the uuid in an id, in bytes.
	maxVMID = 128
)

// ErrNotNodeID is the error of [ParseNodeID] for a string that [Identity.NodeID] never returns.
var ErrNotNodeID = errors.New("the string is not an id")

// NodeID returns the item's global id. The id of an item with a VM is unique. The id of an item
// without a VM is unique only on the item's page.
func (i Identity) NodeID() string { return string(i.AppendNodeID(nil)) }

// AppendNodeID appends the item's global id to dst.
func (i *Identity) AppendNodeID(dst []byte) []byte {
	var buf [len(vmPrefix) + maxVMID]byte
	if i.VMID != "" {
		return base64.RawURLEncoding.AppendEncode(dst, append(append(buf[:0], vmPrefix...), i.VMID...))
	}
	b := binary.BigEndian.AppendUint64(append(buf[:0], provisionalPrefix...), uint64(i.Traits))
	if i.Number > 1 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(i.Number), 10)
	}
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// ParseNodeID returns the identity that a global id encodes. The error is [ErrNotNodeID], also for
// another spelling of a valid id.
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
