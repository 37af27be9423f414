package demo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The types of this file are the items of a response in the flat shape, with the keys of the real
// API in its order. A value of type [json.RawMessage] is copied from the hosted shape as it is, so
// that wrong types which a test wrote are wrong in both shapes.

type flatItem struct {
	ID                  string          `json:"id"`
	Name                json.RawMessage `json:"name"`
	AppID               json.RawMessage `json:"app_id"`
	VMUUID              json.RawMessage `json:"vm_uuid"`
	InstanceID          json.RawMessage `json:"instance_id"`
	Resource            flatResource    `json:"resource"`
	NodeInfo            *flatNode       `json:"node_info"`
	OS                  *flatOS         `json:"os"`
	KMSType             *string         `json:"kms_type"`
	KMSInfo             *flatKMS        `json:"kms_info"`
	Status              json.RawMessage `json:"status"`
	InProgress          json.RawMessage `json:"in_progress"`
	Progress            *flatProgress   `json:"progress"`
	ComposeHash         *string         `json:"compose_hash"`
	DockerComposeHash   *string         `json:"docker_compose_hash"`
	PreLaunchScriptHash *string         `json:"pre_launch_script_hash"`
	Gateway             flatGateway     `json:"gateway"`
	Logs                flatLogs        `json:"logs"`
	Services            []any           `json:"services"`
	Endpoints           json.RawMessage `json:"endpoints"`
	PublicLogs          json.RawMessage `json:"public_logs"`
	PublicSysinfo       json.RawMessage `json:"public_sysinfo"`
	PublicTCBInfo       json.RawMessage `json:"public_tcbinfo"`
	GatewayEnabled      json.RawMessage `json:"gateway_enabled"`
	SecureTime          json.RawMessage `json:"secure_time"`
	StorageFS           json.RawMessage `json:"storage_fs"`
	Workspace           *flatWorkspace  `json:"workspace"`
	Creator             *flatCreator    `json:"creator"`
	CreatedAt           string          `json:"created_at"`
	DeletedAt           *string         `json:"deleted_at"`
	Listed              json.RawMessage `json:"listed"`
	ProjectType         json.RawMessage `json:"project_type"`

	// Only the SDKs of the real API know the following keys.
	UpdatedAt       string          `json:"updated_at"`
	AppURL          json.RawMessage `json:"app_url"`
	BaseImage       json.RawMessage `json:"base_image"`
	Features        json.RawMessage `json:"features"`
	Runner          json.RawMessage `json:"runner"`
	ManifestVersion json.RawMessage `json:"manifest_version"`
	HourlyRate      *flatRate       `json:"hourly_rate"`
	BillingInterval *string         `json:"billing_interval"`
	GPURentalOrder  *flatGPUOrder   `json:"gpu_rental_order"`
	ManagedEnv      bool            `json:"managed_env"`
}

type flatResource struct {
	InstanceType        *string         `json:"instance_type"`
	VCPU                json.RawMessage `json:"vcpu"`
	MemoryInGB          json.RawMessage `json:"memory_in_gb"`
	DiskInGB            json.RawMessage `json:"disk_in_gb"`
	GPUs                *int            `json:"gpus"`
	ComputeBillingPrice *money          `json:"compute_billing_price"`
	BillingPeriod       json.RawMessage `json:"billing_period"`
}

type flatNode struct {
	ObjectType string          `json:"object_type"`
	ID         json.RawMessage `json:"id"`
	NodeID     int             `json:"node_id"`
	Name       json.RawMessage `json:"name"`
	Region     json.RawMessage `json:"region"`
	DeviceID   *string         `json:"device_id"`
	DeviceIDs  []flatDevice    `json:"device_ids"`
	PPID       *string         `json:"ppid"`
	Status     string          `json:"status"`
	Version    string          `json:"version"`
}

type flatDevice struct {
	DeviceID         string `json:"device_id"`
	AlgorithmVersion string `json:"algorithm_version"`
	Enabled          bool   `json:"enabled"`
}

type flatOS struct {
	Name        json.RawMessage `json:"name"`
	Version     json.RawMessage `json:"version"`
	IsDev       *bool           `json:"is_dev"`
	OSImageHash *string         `json:"os_image_hash"`
}

type flatKMS struct {
	ChainID            json.RawMessage `json:"chain_id"`
	DstackKMSAddress   json.RawMessage `json:"dstack_kms_address"` // "" if there is none
	DstackAppAddress   json.RawMessage `json:"dstack_app_address"`
	DeployerAddress    json.RawMessage `json:"deployer_address"`
	RPCEndpoint        json.RawMessage `json:"rpc_endpoint"`
	EncryptedEnvPubkey string          `json:"encrypted_env_pubkey"`
	K256Pubkey         string          `json:"k256_pubkey"`
}

type flatProgress struct {
	Target        *string `json:"target"`
	StartedAt     *string `json:"started_at"`
	CorrelationID *string `json:"correlation_id"`
}

type flatGateway struct {
	BaseDomain json.RawMessage `json:"base_domain"`
	CNAME      *string         `json:"cname"`
}

type flatLogs struct {
	Serial           *string `json:"serial"`
	Stdout           *string `json:"stdout"`
	Stderr           *string `json:"stderr"`
	ContainerLogBase *string `json:"container_log_base"`
}

type flatWorkspace struct {
	ObjectType string  `json:"object_type"`
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Slug       *string `json:"slug"`
	AvatarURL  *string `json:"avatar_url"`
}

type flatCreator struct {
	ObjectType string          `json:"object_type"`
	ID         *string         `json:"id"`
	Username   json.RawMessage `json:"username"`
	AvatarURL  *string         `json:"avatar_url"`
}

type flatRate struct {
	Total   money `json:"total"`
	Compute money `json:"compute"`
	Disk    money `json:"disk"`
}

type flatGPUOrder struct {
	OrderID    string `json:"order_id"`
	Status     string `json:"status"`
	HourlyRate money  `json:"hourly_rate"`
	StartedAt  string `json:"started_at"`
	EndsAt     string `json:"ends_at"`
}

// money is an amount in millionths of a dollar. Its encoded form is a decimal string.
type money int64

// MarshalJSON implements [json.Marshaler].
func (m money) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `"%d.%06d"`, m/1_000_000, m%1_000_000), nil
}

// floatText returns a number like the real API, which is written in Python: with a fraction.
func floatText(f float64) json.RawMessage {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.RawMessage(text)
}
