package restclient

// Cvm is one entry of the upstream's list: a confidential VM as the backend knows it.
//
// All types of this file follow the same rules. A nil pointer is a value that was absent, null or
// of the wrong type upstream, or that the API version does not have; "" is an empty string
// upstream. An id with the tag empty:"absent" is nil if it is an empty string upstream. A list is
// never nil after decoding. A bool that was absent, null or of the wrong type has the upstream's
// documented default, which is false unless the field's comment has another one. The package does
// not modify values after decoding, so they can be read concurrently. Several pointers can refer to
// the same value.
//
// The tags are the only description of the upstream's items. A field's key in [ShapeHosted] is the
// tag json, and its place in [ShapeFlat] is the tag flat: the keys of flatCvm and its objects, with
// dots between them. A field with json:"-" has no key of its own in ShapeHosted. It can have the
// tag hosted, which is the place of another field. A field without a place in a shape is nil or
// empty there. See wire.NewTable.
//
// The tag required:"true" marks the keys that the upstream's reference promises. Decoding ignores
// it, and [Shape.Compare] reports missing ones.
type Cvm struct {
	// VMID is the VM's uuid, the same as Hosted.VMID. It is nil if there is no VM yet.
	VMID *string `json:"-" hosted:"hosted.id" flat:"vm_uuid"`
	// CvmID is the CVM's id in the backend, such as cvm_0123abcd. It exists before the VM.
	CvmID *string `json:"-" flat:"id"`
	// Hosted is the VM on its node. It is nil if the CVM has no VM yet; the key can be missing
	// then, although the reference promises it.
	Hosted *HostedVm `json:"hosted" flat:"vm_uuid"`
	// Name is the CVM's name in the backend.
	Name *string `json:"name" required:"true" flat:"name"`
	// Status is the backend's state, an open set: running, stopped, starting, … It can be older
	// than, and differ from, HostedVm.Status.
	Status *string `json:"status" required:"true" flat:"status"`
	// PublicURLs has one entry for every published port.
	PublicURLs []PublicUrl `json:"public_urls" required:"true" flat:"endpoints"`
	// ManagedUser is the owner.
	ManagedUser *ManagedUser `json:"managed_user" flat:"creator"`
	// Node is the machine the CVM is placed on.
	Node *CvmNode `json:"node" flat:"node_info"`
	// Listed reports whether the CVM is listed publicly.
	Listed bool `json:"listed" flat:"listed"`
	// InProgress reports whether an operation on the CVM is running.
	InProgress bool `json:"in_progress" flat:"in_progress"`
	// DappDashboardURL is the address of the guest's dashboard.
	DappDashboardURL *string `json:"dapp_dashboard_url" flat:"app_url"`
	// SyslogEndpoint is the address of the log stream. It can contain a token and must not be
	// logged.
	SyslogEndpoint *string `json:"syslog_endpoint" flat:"logs.serial" suffix:"&ch=serial"`
	// AllowUpgrade reports whether the CVM may be upgraded. The default in ShapeHosted is false.
	AllowUpgrade *bool `json:"allow_upgrade" default:"false"`
	// ProjectID is the project's hashed id, such as prj_0123abcd.
	ProjectID *string `json:"project_id"`
	// ProjectType is how the CVM was provisioned, in free form.
	ProjectType *string `json:"project_type" flat:"project_type"`
	// BillingPeriod is the unit of billing: skip, hourly, monthly, …
	BillingPeriod *string `json:"billing_period" flat:"resource.billing_period"`
	// KmsInfo is the key management service the CVM's keys come from.
	KmsInfo *KmsInfo `json:"kms_info" flat:"kms_info"`
	// ContractAddress is the app's contract, 0x and 40 hex digits.
	ContractAddress *string `json:"contract_address" flat:"kms_info.dstack_app_address"`
	// DeployerAddress is the deployer's wallet, 0x and 40 hex digits.
	DeployerAddress *string `json:"deployer_address" flat:"kms_info.deployer_address"`
	// Vcpu is the number of virtual CPUs.
	Vcpu *int32 `json:"vcpu" flat:"resource.vcpu"`
	// Memory is in megabytes.
	Memory *int32 `json:"memory" flat:"resource.memory_in_gb"`
	// DiskSize is in gigabytes.
	DiskSize *int32 `json:"disk_size" flat:"resource.disk_in_gb"`
	// GatewayDomain is the base domain of the gateway in front of the CVM.
	GatewayDomain *string `json:"gateway_domain" flat:"gateway.base_domain"`
	// GatewayCname is the operator's alias of GatewayDomain.
	GatewayCname *string `json:"-" flat:"gateway.cname"`
	// GPUCount is the number of GPUs.
	GPUCount *int32 `json:"-" hosted:"hosted.configuration.gpus.gpus" flat:"resource.gpus"`
	// InstanceType is the size of the VM, such as tdx.medium.
	InstanceType *string `json:"-" flat:"resource.instance_type"`
	// ComputeBillingPrice is a decimal number, in US dollars per hour.
	ComputeBillingPrice *string `json:"-" flat:"resource.compute_billing_price"`
	// BillingInterval is how often the CVM is billed.
	BillingInterval *string `json:"-" flat:"billing_interval"`
	// HourlyRate is the current price.
	HourlyRate *HourlyRate `json:"-" flat:"hourly_rate"`
	// KmsType is the kind of key management: phala, ethereum, base or legacy.
	KmsType *string `json:"-" flat:"kms_type"`
	// OS is the image of the guest's operating system.
	OS *CvmOs `json:"-" flat:"os"`
	// Progress is the operation that is in progress. Between operations, it is nil or has no
	// values.
	Progress *CvmProgress `json:"-" flat:"progress"`
	// Workspace is the workspace that the CVM belongs to.
	Workspace *Workspace `json:"-" flat:"workspace"`
	// Logs are the addresses of the logs.
	Logs *CvmLogs `json:"-" flat:"logs"`
	// ComposeHash is the SHA-256 of the application's definition, in hex digits.
	ComposeHash *string `json:"-" flat:"compose_hash"`
	// DockerComposeHash is the SHA-256 of the Docker compose file, in hex digits.
	DockerComposeHash *string `json:"-" flat:"docker_compose_hash"`
	// PreLaunchScriptHash is the SHA-256 of the script that runs before the containers start, in
	// hex digits.
	PreLaunchScriptHash *string `json:"-" flat:"pre_launch_script_hash"`
	// CreatedAt, UpdatedAt and DeletedAt are points in time as the upstream writes them, such as
	// 2026-06-20T11:58:47.512000Z.
	CreatedAt *string `json:"-" flat:"created_at"`
	UpdatedAt *string `json:"-" flat:"updated_at"`
	DeletedAt *string `json:"-" flat:"deleted_at"`
}

// HostedVm is the VM as the monitor of its node reports it.
type HostedVm struct {
	// VMID is the VM's uuid, the upstream's hosted.id; unique among all CVMs.
	VMID *string `json:"id" empty:"absent" required:"true" flat:"vm_uuid"`
	// Name is the VM's name.
	Name *string `json:"name" required:"true" flat:"name"`
	// Status is the monitor's state: running, exited, stopping, stopped, removing.
	Status *string `json:"status" required:"true"`
	// Uptime is the time since the last start, such as "3days 4h 12m 9s", or "never".
	Uptime *string `json:"uptime" required:"true"`
	// UptimeSeconds is Uptime in seconds. It is nil if Uptime is "never" or another word.
	UptimeSeconds *int64 `json:"-" hosted:"hosted.uptime"`
	// AppID is the application's id, 40 lower-case hex digits. Replicas share it.
	AppID *string `json:"app_id" required:"true" flat:"app_id"`
	// AppURL is the address of the guest agent's dashboard.
	AppURL *string `json:"app_url" flat:"app_url"`
	// InstanceID is the instance's id, 40 lower-case hex digits. It is nil before the first boot.
	InstanceID *string `json:"instance_id" flat:"instance_id"`
	// Configuration is the configuration that the VM was launched with.
	Configuration *VmConfiguration `json:"configuration" flat:"vm_uuid"`
	// ExitedAt is the time since the exit, such as "5m 3s", or "never". It is not a point in time.
	ExitedAt *string `json:"exited_at"`
	// SecondsSinceExit is ExitedAt in seconds. It is nil if ExitedAt is "never" or another word.
	SecondsSinceExit *int64 `json:"-" hosted:"hosted.exited_at"`
	// BootProgress is the last step of the last boot, such as "starting containers" or "done".
	BootProgress *string `json:"boot_progress"`
	// BootError is the last error of a boot, or "" if there was none.
	BootError *string `json:"boot_error"`
	// ShutdownProgress is the step of a shutdown, or "" if no shutdown is in progress.
	ShutdownProgress *string `json:"shutdown_progress"`
	// ImageVersion is the version of the guest's image, such as "0.5.9".
	ImageVersion *string `json:"image_version" flat:"os.version"`
	// Events are the last events of the guest's life, at most 20, the oldest first.
	Events []VmEvent `json:"events"`
}

// VmEvent is one event of a guest's life.
type VmEvent struct {
	// Event is the type, such as boot.progress or instance.info.
	Event *string `json:"event" required:"true"`
	// Body is the payload, at most 4096 bytes. The payload of instance.info is JSON.
	Body *string `json:"body" required:"true"`
	// Timestamp is the time of receipt, in milliseconds since the epoch. 0 means unknown.
	Timestamp *int64 `json:"timestamp"`
}

// VmConfiguration is the configuration that a VM was launched with.
type VmConfiguration struct {
	// Name is the VM's name.
	Name *string `json:"name" required:"true" flat:"name"`
	// Image is the guest's operating system image, such as dstack-0.5.9.
	Image *string `json:"image" required:"true" flat:"os.name,base_image"`
	// Vcpu is the number of virtual CPUs.
	Vcpu *int32 `json:"vcpu" required:"true" flat:"resource.vcpu"`
	// Memory is in megabytes.
	Memory *int32 `json:"memory" required:"true" flat:"resource.memory_in_gb"`
	// DiskSize is in gigabytes.
	DiskSize *int32 `json:"disk_size" required:"true" flat:"resource.disk_in_gb"`
	// ComposeFile is the application's definition.
	ComposeFile *ComposeFile `json:"compose_file" flat:"vm_uuid"`
	// Ports are the node's ports that are forwarded to the VM.
	Ports []PortMapping `json:"ports"`
	// EncryptedEnv is the encrypted environment, as hex digits. It is sensitive and must not be
	// logged.
	EncryptedEnv *string `json:"encrypted_env"`
	// AppID is the application's id, 40 lower-case hex digits.
	AppID *string `json:"app_id" flat:"app_id"`
	// UserConfig is the JSON content of /dstack/.user-config. It is sensitive and must not be
	// logged.
	UserConfig *string `json:"user_config"`
	// Hugepages reports whether the memory consists of pages of 1 GB. The default in ShapeHosted is
	// false.
	Hugepages *bool `json:"hugepages" default:"false"`
	// PinNuma reports whether the VM is pinned to a NUMA node. The default in ShapeHosted is false.
	PinNuma *bool `json:"pin_numa" default:"false"`
	// Gpus are the attached GPUs. It is nil if absent.
	Gpus *GpuConfig `json:"gpus"`
	// KmsURLs are key management services that replace the node's.
	KmsURLs []string `json:"kms_urls"`
	// GatewayURLs are gateways that replace the node's.
	GatewayURLs []string `json:"gateway_urls"`
}

// ComposeFile is an application's definition (app-compose). The upstream drops keys it does not
// know and fills in defaults, so the compose hash on the chain cannot be computed from it.
type ComposeFile struct {
	// Name is the application's name.
	Name *string `json:"name" required:"true"`
	// AllowedEnvs are the names of the environment variables the guest accepts.
	AllowedEnvs []string `json:"allowed_envs"`
	// BashScript is the script of the runner bash.
	BashScript *string `json:"bash_script"`
	// DefaultGatewayDomain is the base domain of the gateway if the node has none.
	DefaultGatewayDomain *string `json:"default_gateway_domain"`
	// DockerComposeFile is a YAML document. It is sensitive and must not be logged.
	DockerComposeFile *string `json:"docker_compose_file"`
	// InitScript runs in the early boot.
	InitScript *string `json:"init_script"`
	// KmsEnabled reports whether keys come from the key management service. The default in
	// ShapeHosted is true.
	KmsEnabled *bool `json:"kms_enabled" default:"true"`
	// LocalKeyProviderEnabled reports whether keys come from the node's local key provider. The
	// default in ShapeHosted is false.
	LocalKeyProviderEnabled *bool `json:"local_key_provider_enabled" default:"false"`
	// ManifestVersion is the version of this format, 2 today.
	ManifestVersion *int32 `json:"manifest_version" flat:"manifest_version"`
	// NoInstanceID reports whether the instance gets no id of its own. The default in ShapeHosted
	// is false.
	NoInstanceID *bool `json:"no_instance_id" default:"false"`
	// PreLaunchScript runs before the containers start. It is sensitive and must not be logged.
	PreLaunchScript *string `json:"pre_launch_script"`
	// PublicLogs reports whether the logs are public. The default is true
	// in ShapeHosted, and false in ShapeFlat.
	PublicLogs bool `json:"public_logs" default:"true" flat:"public_logs"`
	// PublicSysinfo reports whether the system information is public. The default is
	// true in ShapeHosted, and false in ShapeFlat.
	PublicSysinfo bool `json:"public_sysinfo" default:"true" flat:"public_sysinfo"`
	// PublicTcbinfo reports whether the TCB information is public. The default is true.
	PublicTcbinfo bool `json:"public_tcbinfo" default:"true" flat:"public_tcbinfo"`
	// Runner is the program that runs the application: docker-compose, bash or nerdctl-compose.
	Runner *string `json:"runner" flat:"runner"`
	// GatewayEnabled reports whether the gateway routes to the application. The default is
	// true in ShapeHosted, and false in ShapeFlat.
	GatewayEnabled bool `json:"gateway_enabled" default:"true" flat:"gateway_enabled"`
	// Features is deprecated upstream. If absent, it is empty, and not the upstream's default.
	Features []string `json:"features" flat:"features"`
	// Salt makes equal definitions differ. It is sensitive and must not be logged.
	Salt *string `json:"salt"`
	// SecureTime reports whether the guest waits for a secure clock.
	SecureTime bool `json:"secure_time" flat:"secure_time"`
	// StorageFs is the file system of the data disk: zfs or ext4.
	StorageFs *string `json:"storage_fs" flat:"storage_fs"`
	// TproxyEnabled is the old name of GatewayEnabled, with the same defaults.
	TproxyEnabled bool `json:"tproxy_enabled" default:"true" flat:"gateway_enabled"`
}

// PortMapping is one port of the node that is forwarded to a port of the VM.
type PortMapping struct {
	// Protocol is tcp or udp.
	Protocol *string `json:"protocol" required:"true"`
	// HostPort is the node's port.
	HostPort *int32 `json:"host_port" required:"true"`
	// VMPort is the VM's port.
	VMPort *int32 `json:"vm_port" required:"true"`
	// HostAddress is the address of the node that the port is bound to.
	HostAddress *string `json:"host_address"`
}

// GpuConfig is the configuration of a VM's GPUs.
type GpuConfig struct {
	// Gpus are the listed GPUs.
	Gpus []Gpu `json:"gpus" required:"true"`
	// AttachMode is listed, all, or another string.
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
	KmsID *string `json:"id" empty:"absent" required:"true"`
	// URL is the service's address.
	URL *string `json:"url" required:"true" flat:"kms_info.rpc_endpoint"`
	// Version is a string in free form, such as "v0.5.7".
	Version *string `json:"version" required:"true"`
	// Slug is the service's readable name.
	Slug *string `json:"slug"`
	// ChainID is the chain of the service's contract: 1 Ethereum, 8453 Base, 31337 Anvil.
	ChainID *int64 `json:"chain_id" flat:"kms_info.chain_id"`
	// KmsContractAddress is the service's contract, 0x and 40 hex digits.
	KmsContractAddress *string `json:"kms_contract_address" flat:"kms_info.dstack_kms_address"`
	// GatewayAppID is the gateway's application id, hex digits.
	GatewayAppID *string `json:"gateway_app_id"`
	// EncryptedEnvPubkey is the public key that environment variables are encrypted with, in hex
	// digits.
	EncryptedEnvPubkey *string `json:"-" flat:"kms_info.encrypted_env_pubkey"`
}

// PublicUrl holds the addresses of one published port.
type PublicUrl struct {
	// App is the address of any replica of the application.
	App *string `json:"app" required:"true"`
	// Instance is the address of this instance.
	Instance *string `json:"instance" required:"true"`
}

// CvmNode is the machine a CVM is placed on.
type CvmNode struct {
	// NodeID is the node's id, the upstream's node.id. Filter.NodeID selects it.
	NodeID *int32 `json:"id" required:"true" flat:"node_info.id"`
	// Name is the node's name, such as prod9.
	Name *string `json:"name" required:"true" flat:"node_info.name"`
	// RegionIdentifier is the node's region; its case varies.
	RegionIdentifier *string `json:"region_identifier" flat:"node_info.region"`
	// Status is the node's state: ONLINE, OFFLINE, MAINTENANCE, …
	Status *string `json:"-" flat:"node_info.status"`
	// Version is the version of the node's software, such as v0.5.7.
	Version *string `json:"-" flat:"node_info.version"`
	// DeviceID identifies the node's hardware, in hex digits.
	DeviceID *string `json:"-" flat:"node_info.device_id"`
	// Ppid is the platform provisioning id of the node's processor, in hex digits.
	Ppid *string `json:"-" flat:"node_info.ppid"`
}

// ManagedUser is the owner of a CVM.
type ManagedUser struct {
	// UserID is the upstream's managed_user.id, which is a string or a number. A number is decoded
	// to its decimal digits, and is a field error if it is not an integer of 64 bits.
	UserID *string `json:"id" wire:"identifier" empty:"absent" required:"true" flat:"creator.id"`
	// Username is the owner's name.
	Username *string `json:"username" required:"true" flat:"creator.username"`
}
