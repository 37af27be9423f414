package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// flatItem is an item of the API versions since 2026-01-21: the parts of hosted are at the top
// level. It has enough keys to recognize the shape, not all keys of the real API.
type flatItem struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	VMUUID   *string      `json:"vm_uuid"`
	Resource flatResource `json:"resource"`
	NodeInfo *flatNode    `json:"node_info"`
	Status   string       `json:"status"`
	Gateway  flatGateway  `json:"gateway"`
}

type flatResource struct {
	VCPU     *int `json:"vcpu"`
	DiskInGB *int `json:"disk_in_gb"`
}

type flatNode struct {
	ID     int     `json:"id"`
	Name   string  `json:"name"`
	Region *string `json:"region"`
}

type flatGateway struct {
	BaseDomain *string `json:"base_domain"`
}

// flatten returns the flat shape of an encoded item, or null if it is not an item. It works on the
// encoded form because an item that a test wrote has no other.
func flatten(encoded []byte) []byte {
	var it item
	if json.Unmarshal(encoded, &it) != nil {
		return []byte("null")
	}
	sum := sha256.Sum256([]byte(it.Name))
	flat := flatItem{
		ID:       "cvm_" + hex.EncodeToString(sum[:4]),
		Name:     it.Name,
		Resource: flatResource{it.VCPU, it.DiskSize},
		Status:   it.Status,
		Gateway:  flatGateway{it.GatewayDomain},
	}
	if it.Node != nil {
		flat.NodeInfo = &flatNode{it.Node.ID, it.Node.Name, it.Node.RegionIdentifier}
	}
	if it.Hosted != nil && *it.Hosted != nil {
		flat.VMUUID = &(*it.Hosted).ID
	}
	return mustEncode(flat)
}
