// Package model has the types of upstream pages. They are also bound to the schema.
package model

import (
	"encoding/base64"
	"strconv"
)

// Page is one page of the upstream's list.
type Page struct {
	Items []*Cvm `json:"items"`
	Total int    `json:"total"`
}

// Cvm is a confidential VM, as the upstream lists it.
type Cvm struct {
	Hosted           *HostedVm    `json:"hosted"`
	Name             *string      `json:"name"`
	Status           *string      `json:"status"`
	PublicUrls       []*PublicUrl `json:"public_urls"`
	ManagedUser      *ManagedUser `json:"managed_user"`
	Node             *CvmNode     `json:"node"`
	Listed           bool         `json:"listed"`
	InProgress       bool         `json:"in_progress"`
	DappDashboardUrl *string      `json:"dapp_dashboard_url"`
	SyslogEndpoint   *string      `json:"syslog_endpoint"`
	AllowUpgrade     bool         `json:"allow_upgrade"`
	ProjectId        *string      `json:"project_id"`
	ProjectType      *string      `json:"project_type"`
	BillingPeriod    *string      `json:"billing_period"`
	KmsInfo          *KmsInfo     `json:"kms_info"`
	ContractAddress  *string      `json:"contract_address"`
	DeployerAddress  *string      `json:"deployer_address"`
	Vcpu             *int         `json:"vcpu"`
	Memory           *int         `json:"memory"`
	DiskSize         *int         `json:"disk_size"`
	GatewayDomain    *string      `json:"gateway_domain"`
}

// HostedVm is what the node reports about a VM.
type HostedVm struct {
	VmId             *string          `json:"id"`
	Name             *string          `json:"name"`
	Status           *string          `json:"status"`
	Uptime           *string          `json:"uptime"`
	AppId            *string          `json:"app_id"`
	AppUrl           *string          `json:"app_url"`
	InstanceId       *string          `json:"instance_id"`
	Configuration    *VmConfiguration `json:"configuration"`
	ExitedAt         *string          `json:"exited_at"`
	BootProgress     *string          `json:"boot_progress"`
	BootError        *string          `json:"boot_error"`
	ShutdownProgress *string          `json:"shutdown_progress"`
	ImageVersion     *string          `json:"image_version"`
	Events           []*VmEvent       `json:"events"`
}

// VmEvent is an event in the life of a guest.
type VmEvent struct {
	Event     *string `json:"event"`
	Body      *string `json:"body"`
	Timestamp *int64  `json:"timestamp"`
}

// VmConfiguration is what a VM was launched with.
type VmConfiguration struct {
	Name         *string        `json:"name"`
	Image        *string        `json:"image"`
	Vcpu         *int           `json:"vcpu"`
	Memory       *int           `json:"memory"`
	DiskSize     *int           `json:"disk_size"`
	ComposeFile  *ComposeFile   `json:"compose_file"`
	Ports        []*PortMapping `json:"ports"`
	EncryptedEnv *string        `json:"encrypted_env"`
	AppId        *string        `json:"app_id"`
	UserConfig   *string        `json:"user_config"`
	Hugepages    bool           `json:"hugepages"`
	PinNuma      bool           `json:"pin_numa"`
	Gpus         *GpuConfig     `json:"gpus"`
	KmsUrls      []string       `json:"kms_urls"`
	GatewayUrls  []string       `json:"gateway_urls"`
}

// ComposeFile is an application as it was handed to the guest.
type ComposeFile struct {
	Name                    *string  `json:"name"`
	AllowedEnvs             []string `json:"allowed_envs"`
	BashScript              *string  `json:"bash_script"`
	DefaultGatewayDomain    *string  `json:"default_gateway_domain"`
	DockerComposeFile       *string  `json:"docker_compose_file"`
	InitScript              *string  `json:"init_script"`
	KmsEnabled              bool     `json:"kms_enabled"`
	LocalKeyProviderEnabled bool     `json:"local_key_provider_enabled"`
	ManifestVersion         *int     `json:"manifest_version"`
	NoInstanceId            bool     `json:"no_instance_id"`
	PreLaunchScript         *string  `json:"pre_launch_script"`
	PublicLogs              bool     `json:"public_logs"`
	PublicSysinfo           bool     `json:"public_sysinfo"`
	PublicTcbinfo           bool     `json:"public_tcbinfo"`
	Runner                  *string  `json:"runner"`
	GatewayEnabled          bool     `json:"gateway_enabled"`
	Features                []string `json:"features"`
	Salt                    *string  `json:"salt"`
	SecureTime              bool     `json:"secure_time"`
	StorageFs               *string  `json:"storage_fs"`
	TproxyEnabled           bool     `json:"tproxy_enabled"`
}

// PortMapping is a mapping of a host port to a VM port.
type PortMapping struct {
	Protocol    *string `json:"protocol"`
	HostPort    *int    `json:"host_port"`
	VmPort      *int    `json:"vm_port"`
	HostAddress *string `json:"host_address"`
}

// GpuConfig has the GPUs of a VM.
type GpuConfig struct {
	Gpus       []*Gpu  `json:"gpus"`
	AttachMode *string `json:"attach_mode"`
}

// Gpu is one GPU.
type Gpu struct {
	Slot      *string `json:"slot"`
	ProductId *string `json:"product_id"`
}

// PublicUrl is a public address of a CVM.
type PublicUrl struct {
	App      *string `json:"app"`
	Instance *string `json:"instance"`
}

// ManagedUser is the owner of a CVM.
type ManagedUser struct {
	RawID    any     `json:"id"`
	Username *string `json:"username"`
}

// CvmNode is a machine that runs VMs.
type CvmNode struct {
	NodeId           *int    `json:"id"`
	Name             *string `json:"name"`
	RegionIdentifier *string `json:"region_identifier"`
}

// KmsInfo is a key management service.
type KmsInfo struct {
	KmsId              *string `json:"id"`
	Url                *string `json:"url"`
	Version            *string `json:"version"`
	Slug               *string `json:"slug"`
	ChainId            *int64  `json:"chain_id"`
	KmsContractAddress *string `json:"kms_contract_address"`
	GatewayAppId       *string `json:"gateway_app_id"`
}

// ID returns a global id.
func (c *Cvm) ID() string {
	if id := c.VMID(); id != nil {
		return base64.StdEncoding.EncodeToString([]byte("Cvm:" + *id))
	}
	return ""
}

// VMID returns the VM's UUID. If there is no VM, it returns nil.
func (c *Cvm) VMID() *string {
	if c.Hosted == nil {
		return nil
	}
	return c.Hosted.VmId
}

// UserID returns the owner's id. Upstream, it is a number or a string.
func (u *ManagedUser) UserID() *string {
	switch id := u.RawID.(type) {
	case string:
		return &id
	case float64:
		return new(strconv.FormatFloat(id, 'f', -1, 64))
	}
	return nil
}
