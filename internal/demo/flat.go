package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// flatItem is an item of the API versions since 2026-01-21: the parts of hosted are at the top
// level. It has enough keys to recognize the shape, not all keys of the real API.
type flatItem struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	AppID       *string      `json:"app_id"`
	VMUUID      *string      `json:"vm_uuid"`
	InstanceID  *string      `json:"instance_id"`
	Resource    flatResource `json:"resource"`
	NodeInfo    *flatNode    `json:"node_info"`
	OS          *flatOS      `json:"os"`
	KMSType     *string      `json:"kms_type"`
	Status      string       `json:"status"`
	InProgress  bool         `json:"in_progress"`
	Progress    any          `json:"progress"`
	Gateway     flatGateway  `json:"gateway"`
	Services    []any        `json:"services"`
	Endpoints   []publicURL  `json:"endpoints"`
	Listed      bool         `json:"listed"`
	ProjectType *string      `json:"project_type"`
	DeletedAt   any          `json:"deleted_at"`
}

type flatResource struct {
	InstanceType  *string `json:"instance_type"`
	VCPU          *int    `json:"vcpu"`
	MemoryInGB    *int    `json:"memory_in_gb"`
	DiskInGB      *int    `json:"disk_in_gb"`
	GPUs          int     `json:"gpus"`
	BillingPeriod *string `json:"billing_period"`
}

type flatNode struct {
	ObjectType string  `json:"object_type"`
	ID         int     `json:"id"`
	Name       string  `json:"name"`
	Region     *string `json:"region"`
	Status     string  `json:"status"`
}

type flatOS struct {
	Name    *string `json:"name"`
	Version *string `json:"version"`
}

type flatGateway struct {
	BaseDomain *string `json:"base_domain"`
	CNAME      *string `json:"cname"`
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
		ID:          "cvm_" + hex.EncodeToString(sum[:4]),
		Name:        it.Name,
		Resource:    flatResource{VCPU: it.VCPU, DiskInGB: it.DiskSize, BillingPeriod: it.BillingPeriod},
		Status:      it.Status,
		InProgress:  it.InProgress,
		Gateway:     flatGateway{BaseDomain: it.GatewayDomain},
		Services:    []any{},
		Endpoints:   it.PublicURLs,
		Listed:      it.Listed,
		ProjectType: it.ProjectType,
	}
	if it.Memory != nil {
		flat.Resource.MemoryInGB = new(*it.Memory / 1024)
	}
	if it.Node != nil {
		flat.NodeInfo = &flatNode{"node", it.Node.ID, it.Node.Name, it.Node.RegionIdentifier, "online"}
	}
	if it.KMSInfo != nil {
		flat.KMSType = new(kmsType(it.KMSInfo.ChainID))
	}
	if it.Hosted == nil || *it.Hosted == nil {
		return mustEncode(flat)
	}
	h := *it.Hosted
	flat.AppID, flat.VMUUID, flat.InstanceID = &h.AppID, &h.ID, h.InstanceID
	if c := h.Configuration; c != nil {
		flat.OS = &flatOS{&c.Image, h.ImageVersion}
		if c.GPUs != nil {
			flat.Resource.GPUs = len(c.GPUs.GPUs)
		}
	}
	return mustEncode(flat)
}

func kmsType(chain *int64) string {
	switch {
	case chain == nil:
		return "phala"
	case *chain == 1:
		return "ethereum"
	case *chain == 8453:
		return "base"
	}
	return "legacy"
}
