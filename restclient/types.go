package restclient

// Cvm is one entry of the upstream's list: a confidential VM as the backend knows it.
//
// The rules of all types of this file: a nil pointer is a value that was absent, null or of the
// wrong type upstream; "" is an empty string upstream. A list is never nil after decoding. A
// boolean that was absent, null or of the wrong type has the upstream's documented default, which
// is false unless the field says otherwise. Values belong to whoever holds the [CvmPage]; nothing of
// this package writes to them after the decoding, so they may be read concurrently.
//
// The tag required:"true" is on the keys that the upstream's reference promises. The decoder does not
// mind where one is missing; [Compare] does.
type Cvm struct {
	// Hosted is the VM on its node, nil while the CVM has none yet: then the key may be missing, whatever
	// the reference promises.
	Hosted *HostedVm `json:"hosted"`
	// Name is the CVM's name in the backend.
	Name *string `json:"name" required:"true"`
	// Status is the backend's state, an open set: running, stopped, starting, … It may lag behind
	// the VM and differ from HostedVm.Status.
	Status *string `json:"status" required:"true"`
	// PublicURLs has one entry for every published port.
	PublicURLs []PublicUrl `json:"public_urls" required:"true"`
	// ManagedUser is the owner.
	ManagedUser *ManagedUser `json:"managed_user"`
	// Node is the machine the CVM is placed on.
	Node *CvmNode `json:"node"`
	// Listed tells that the CVM is listed publicly.
	Listed bool `json:"listed"`
	// InProgress tells that an operation on the CVM is under way.
	InProgress bool `json:"in_progress"`
	// DappDashboardURL is the address of the guest's dashboard.
	DappDashboardURL *string `json:"dapp_dashboard_url"`
	// SyslogEndpoint is the address of the log stream. It may carry a token: a secret, never logged.
	SyslogEndpoint *string `json:"syslog_endpoint"`
	// AllowUpgrade tells that the CVM may be upgraded.
	AllowUpgrade bool `json:"allow_upgrade"`
	// ProjectID is the project's hashed id, such as prj_0123abcd.
	ProjectID *string `json:"project_id"`
	// ProjectType is how the CVM was provisioned, free text.
	ProjectType *string `json:"project_type"`
	// BillingPeriod is the unit of billing: skip, hourly, monthly, …
	BillingPeriod *string `json:"billing_period"`
	// KmsInfo is the key management service the CVM's keys come from.
	KmsInfo *KmsInfo `json:"kms_info"`
	// ContractAddress is the app's contract, 0x and 40 hex digits.
	ContractAddress *string `json:"contract_address"`
	// DeployerAddress is the deployer's wallet, 0x and 40 hex digits.
	DeployerAddress *string `json:"deployer_address"`
	// Vcpu is the number of virtual CPUs.
	Vcpu *int32 `json:"vcpu"`
	// Memory is in megabytes.
	Memory *int32 `json:"memory"`
	// DiskSize is in gigabytes.
	DiskSize *int32 `json:"disk_size"`
	// GatewayDomain is the base domain of the gateway in front of the CVM.
	GatewayDomain *string `json:"gateway_domain"`
}

// VMID returns the VM's uuid, Hosted.VMID. It is nil when there is no VM yet or its id is empty.
func (c *Cvm) VMID() *string {
	if c.Hosted == nil || c.Hosted.VMID == nil || *c.Hosted.VMID == "" {
		return nil
	}
	return c.Hosted.VMID
}

// HostedVm is the VM as the monitor of its node reports it.
type HostedVm struct {
	// VMID is the VM's uuid, the upstream's hosted.id; unique among all CVMs.
	VMID *string `json:"id" required:"true"`
	// Name is the VM's name.
	Name *string `json:"name" required:"true"`
	// Status is the monitor's state: running, exited, stopping, stopped, removing.
	Status *string `json:"status" required:"true"`
	// Uptime is the time since the last start, as text such as "3days 4h 12m 9s", or "never".
	Uptime *string `json:"uptime" required:"true"`
	// AppID is the application's id, 40 lower-case hex digits. Replicas share it.
	AppID *string `json:"app_id" required:"true"`
	// AppURL is the address of the guest agent's dashboard.
	AppURL *string `json:"app_url"`
	// InstanceID is the instance's id, 40 lower-case hex digits; nil before the first boot.
	InstanceID *string `json:"instance_id"`
	// Configuration is what the VM was launched with.
	Configuration *VmConfiguration `json:"configuration"`
	// ExitedAt is no point in time but the time since the exit, as text such as "5m 3s", or "never".
	ExitedAt *string `json:"exited_at"`
	// BootProgress is the last step of the last boot, such as "starting containers" or "done".
	BootProgress *string `json:"boot_progress"`
	// BootError is the last error of a boot, "" where there was none.
	BootError *string `json:"boot_error"`
	// ShutdownProgress is the step of a shutdown, "" where there is none.
	ShutdownProgress *string `json:"shutdown_progress"`
	// ImageVersion is the version of the guest's image, such as "0.5.9".
	ImageVersion *string `json:"image_version"`
	// Events are the last events of the guest's life, at most 20, the oldest first.
	Events []VmEvent `json:"events"`
}

// VmEvent is one event of a guest's life.
type VmEvent struct {
	// Event is the type, such as boot.progress or instance.info.
	Event *string `json:"event" required:"true"`
	// Body is the payload, at most 4096 bytes. That of instance.info is JSON text.
	Body *string `json:"body" required:"true"`
	// Timestamp is when the event was received, in milliseconds since the epoch; 0 is unknown.
	Timestamp *int64 `json:"timestamp"`
}

// VmConfiguration is what a VM was launched with.
type VmConfiguration struct {
	// Name is the VM's name.
	Name *string `json:"name" required:"true"`
	// Image is the guest's operating system image, such as dstack-0.5.9.
	Image *string `json:"image" required:"true"`
	// Vcpu is the number of virtual CPUs.
	Vcpu *int32 `json:"vcpu" required:"true"`
	// Memory is in megabytes.
	Memory *int32 `json:"memory" required:"true"`
	// DiskSize is in gigabytes.
	DiskSize *int32 `json:"disk_size" required:"true"`
	// ComposeFile is the application's definition.
	ComposeFile *ComposeFile `json:"compose_file"`
	// Ports are the node's ports that lead to the VM.
	Ports []PortMapping `json:"ports"`
	// EncryptedEnv is the encrypted environment, as hex digits. Sensitive, never logged.
	EncryptedEnv *string `json:"encrypted_env"`
	// AppID is the application's id, 40 lower-case hex digits.
	AppID *string `json:"app_id"`
	// UserConfig is the content of /dstack/.user-config, JSON text. Sensitive, never logged.
	UserConfig *string `json:"user_config"`
	// Hugepages tells that the memory is in pages of 1 GB.
	Hugepages bool `json:"hugepages"`
	// PinNuma tells that the VM is pinned to a NUMA node.
	PinNuma bool `json:"pin_numa"`
	// Gpus are the attached GPUs; nil when absent.
	Gpus *GpuConfig `json:"gpus"`
	// KmsURLs replace the node's key management services for this VM.
	KmsURLs []string `json:"kms_urls"`
	// GatewayURLs replace the node's gateways for this VM.
	GatewayURLs []string `json:"gateway_urls"`
}

// ComposeFile is an application's definition (app-compose). The upstream drops keys it does not
// know and fills in defaults, so the compose hash on the chain cannot be computed from it.
type ComposeFile struct {
	// Name is the application's name.
	Name *string `json:"name" required:"true"`
	// AllowedEnvs are the names of the environment variables the guest accepts.
	AllowedEnvs []string `json:"allowed_envs"`
	// BashScript is what the runner bash runs.
	BashScript *string `json:"bash_script"`
	// DefaultGatewayDomain is the gateway's base domain where the node names none.
	DefaultGatewayDomain *string `json:"default_gateway_domain"`
	// DockerComposeFile is YAML text. Sensitive, never logged.
	DockerComposeFile *string `json:"docker_compose_file"`
	// InitScript runs in the early boot.
	InitScript *string `json:"init_script"`
	// KmsEnabled tells that keys come from the key management service. Default true.
	KmsEnabled bool `json:"kms_enabled" default:"true"`
	// LocalKeyProviderEnabled tells that keys come from the node's local key provider.
	LocalKeyProviderEnabled bool `json:"local_key_provider_enabled"`
	// ManifestVersion is the version of this format, 2 today.
	ManifestVersion *int32 `json:"manifest_version"`
	// NoInstanceID tells that the instance gets no id of its own.
	NoInstanceID bool `json:"no_instance_id"`
	// PreLaunchScript runs before the containers start. Sensitive, never logged.
	PreLaunchScript *string `json:"pre_launch_script"`
	// PublicLogs tells that anybody may read the logs. Default true.
	PublicLogs bool `json:"public_logs" default:"true"`
	// PublicSysinfo tells that anybody may read the system's figures. Default true.
	PublicSysinfo bool `json:"public_sysinfo" default:"true"`
	// PublicTcbinfo tells that anybody may read the TCB information. Default true.
	PublicTcbinfo bool `json:"public_tcbinfo" default:"true"`
	// Runner is what runs the application: docker-compose, bash or nerdctl-compose.
	Runner *string `json:"runner"`
	// GatewayEnabled tells that the gateway routes to the application. Default true.
	GatewayEnabled bool `json:"gateway_enabled" default:"true"`
	// Features are deprecated upstream. Absent is [] here, not the upstream's default.
	Features []string `json:"features"`
	// Salt makes equal definitions differ. Sensitive, never logged.
	Salt *string `json:"salt"`
	// SecureTime tells that the guest waits for a secure clock.
	SecureTime bool `json:"secure_time"`
	// StorageFs is the file system of the data disk: zfs or ext4.
	StorageFs *string `json:"storage_fs"`
	// TproxyEnabled is the old name of GatewayEnabled. Default true.
	TproxyEnabled bool `json:"tproxy_enabled" default:"true"`
}

// PortMapping is one port of the node that leads to a port of the VM.
type PortMapping struct {
	// Protocol is tcp or udp.
	Protocol *string `json:"protocol" required:"true"`
	// HostPort is the node's port.
	HostPort *int32 `json:"host_port" required:"true"`
	// VMPort is the VM's port.
	VMPort *int32 `json:"vm_port" required:"true"`
	// HostAddress is the node's address the port is bound to.
	HostAddress *string `json:"host_address"`
}

// GpuConfig says which GPUs a VM gets.
type GpuConfig struct {
	// Gpus are the listed GPUs.
	Gpus []Gpu `json:"gpus" required:"true"`
	// AttachMode is listed, all, or another text.
	AttachMode *string `json:"attach_mode"`
}

// Gpu is one GPU of a node.
type Gpu struct {
	// Slot is the PCI slot, such as "18:00.0".
	Slot *string `json:"slot" required:"true"`
	// ProductID is the product's id.
	ProductID *string `json:"product_id"`
}

// KmsInfo is a key management service.
type KmsInfo struct {
	// KmsID is the service's id, the upstream's kms_info.id, such as kms_0123abcd.
	KmsID *string `json:"id" required:"true"`
	// URL is the service's address.
	URL *string `json:"url" required:"true"`
	// Version is free text such as "v0.5.7".
	Version *string `json:"version" required:"true"`
	// Slug is the service's readable name.
	Slug *string `json:"slug"`
	// ChainID is the chain of the service's contract: 1 Ethereum, 8453 Base, 31337 Anvil.
	ChainID *int64 `json:"chain_id"`
	// KmsContractAddress is the service's contract, 0x and 40 hex digits.
	KmsContractAddress *string `json:"kms_contract_address"`
	// GatewayAppID is the gateway's application id, hex digits.
	GatewayAppID *string `json:"gateway_app_id"`
}

// PublicUrl holds the addresses of one published port.
type PublicUrl struct {
	// App leads to any replica of the application.
	App *string `json:"app" required:"true"`
	// Instance leads to this instance.
	Instance *string `json:"instance" required:"true"`
}

// CvmNode is the machine a CVM is placed on.
type CvmNode struct {
	// NodeID is the node's id, the upstream's node.id; what Filter.NodeID asks for.
	NodeID *int32 `json:"id" required:"true"`
	// Name is the node's name, such as prod9.
	Name *string `json:"name" required:"true"`
	// RegionIdentifier is the node's region; its case varies.
	RegionIdentifier *string `json:"region_identifier"`
}

// ManagedUser is the owner of a CVM.
type ManagedUser struct {
	// UserID is the upstream's managed_user.id, which is a number or a string there: the string, or
	// the number's decimal text. A number that is no integer of 64 bits is a fault.
	UserID *string `json:"id" wire:"identifier" required:"true"`
	// Username is the owner's name.
	Username *string `json:"username" required:"true"`
}
