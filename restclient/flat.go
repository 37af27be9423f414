package restclient

// flatCvm has the keys of an item in [ShapeFlat]. Its values are copied to a [Cvm], whose tags flat
// name the keys. The tags have the same meanings as there. Nothing is copied from a key in a tag
// skipped.
type flatCvm struct {
	ID                  *string       `json:"id" wire:"identifier" empty:"absent" required:"true"`
	Name                *string       `json:"name" required:"true"`
	AppID               *string       `json:"app_id"`
	VMUUID              *string       `json:"vm_uuid" empty:"absent"`
	InstanceID          *string       `json:"instance_id"`
	Resource            *flatResource `json:"resource" required:"true"`
	NodeInfo            *flatNode     `json:"node_info"`
	OS                  *CvmOs        `json:"os"`
	KmsType             *string       `json:"kms_type"`
	KmsInfo             *flatKms      `json:"kms_info"`
	Status              *string       `json:"status" required:"true"`
	InProgress          bool          `json:"in_progress"`
	Progress            *CvmProgress  `json:"progress"`
	ComposeHash         *string       `json:"compose_hash"`
	DockerComposeHash   *string       `json:"docker_compose_hash"`
	PreLaunchScriptHash *string       `json:"pre_launch_script_hash"`
	Gateway             *flatGateway  `json:"gateway" required:"true"`
	Logs                *CvmLogs      `json:"logs"`
	_                   struct{}      `skipped:"services"`
	Endpoints           []PublicUrl   `json:"endpoints"`
	PublicLogs          bool          `json:"public_logs"`
	PublicSysinfo       bool          `json:"public_sysinfo"`
	PublicTcbinfo       bool          `json:"public_tcbinfo" default:"true"`
	GatewayEnabled      bool          `json:"gateway_enabled"`
	SecureTime          bool          `json:"secure_time"`
	StorageFs           *string       `json:"storage_fs"`
	Workspace           *Workspace    `json:"workspace"`
	Creator             *flatCreator  `json:"creator"`
	CreatedAt           *string       `json:"created_at"`
	DeletedAt           *string       `json:"deleted_at"`
	Listed              bool          `json:"listed"`
	ProjectType         *string       `json:"project_type"`
	UpdatedAt           *string       `json:"updated_at"`
	AppURL              *string       `json:"app_url"`
	BaseImage           *string       `json:"base_image"`
	Features            []string      `json:"features"`
	Runner              *string       `json:"runner"`
	ManifestVersion     *int32        `json:"manifest_version" wire:"text"`
	HourlyRate          *HourlyRate   `json:"hourly_rate"`
	BillingInterval     *string       `json:"billing_interval"`
	_                   struct{}      `skipped:"gpu_rental_order"`
	_                   struct{}      `skipped:"managed_env"`
}

type flatResource struct {
	InstanceType *string `json:"instance_type"`
	Vcpu         *int32  `json:"vcpu"`
	// Memory is in megabytes.
	Memory              *int32  `json:"memory_in_gb" wire:"gigabytes"`
	DiskSize            *int32  `json:"disk_in_gb"`
	Gpus                *int32  `json:"gpus"`
	ComputeBillingPrice *string `json:"compute_billing_price"`
	BillingPeriod       *string `json:"billing_period"`
}

type flatNode struct {
	_ struct{} `skipped:"object_type"`
	// ID is the number that Filter.NodeID selects. node_id is that of the physical machine.
	ID       *int32   `json:"id"`
	_        struct{} `skipped:"node_id"`
	Name     *string  `json:"name"`
	Region   *string  `json:"region"`
	DeviceID *string  `json:"device_id"`
	_        struct{} `skipped:"device_ids"`
	Ppid     *string  `json:"ppid"`
	Status   *string  `json:"status"`
	Version  *string  `json:"version"`
}

type flatKms struct {
	ChainID            *int64   `json:"chain_id"`
	KmsAddress         *string  `json:"dstack_kms_address" empty:"absent"`
	AppAddress         *string  `json:"dstack_app_address"`
	DeployerAddress    *string  `json:"deployer_address"`
	RPCEndpoint        *string  `json:"rpc_endpoint"`
	EncryptedEnvPubkey *string  `json:"encrypted_env_pubkey"`
	_                  struct{} `skipped:"k256_pubkey"`
}

type flatGateway struct {
	BaseDomain *string `json:"base_domain"`
	Cname      *string `json:"cname"`
}

type flatCreator struct {
	_        struct{} `skipped:"object_type"`
	ID       *string  `json:"id" wire:"identifier" empty:"absent"`
	Username *string  `json:"username"`
	_        struct{} `skipped:"avatar_url"`
}

// HourlyRate is a price as decimal numbers, in US dollars per hour.
type HourlyRate struct {
	// Total is the sum of the other prices.
	Total   *string `json:"total"`
	Compute *string `json:"compute"`
	Disk    *string `json:"disk"`
}

// CvmOs is an image of the guest's operating system.
type CvmOs struct {
	// Name is the image's name, such as dstack-0.5.9.
	Name *string `json:"name"`
	// Version is the image's version, such as 0.5.9.
	Version *string `json:"version"`
	// IsDev reports whether the image is for development. Its guests can be logged in to.
	IsDev *bool `json:"is_dev"`
	// OsImageHash is the image's measured hash, in hex digits.
	OsImageHash *string `json:"os_image_hash"`
}

// CvmProgress is an operation that is in progress.
type CvmProgress struct {
	// Target is the status that the operation leads to.
	Target *string `json:"target"`
	// StartedAt is a point in time as the upstream writes it.
	StartedAt *string `json:"started_at"`
	// CorrelationID identifies the operation.
	CorrelationID *string `json:"correlation_id"`
}

// Workspace is the workspace that a CVM belongs to.
type Workspace struct {
	_ struct{} `skipped:"object_type"`
	// WorkspaceID is the workspace's id, such as wks_0123abcd.
	WorkspaceID *string `json:"id" empty:"absent" required:"true"`
	// Name is the name that people see, and Slug the one in addresses.
	Name *string `json:"name" required:"true"`
	Slug *string `json:"slug"`
	// AvatarURL is the address of a picture.
	AvatarURL *string `json:"avatar_url"`
}

// CvmLogs are addresses of logs. They can contain a token and must not be logged.
type CvmLogs struct {
	// Serial, Stdout and Stderr are the guest's console and the outputs of its containers.
	Serial *string `json:"serial"`
	Stdout *string `json:"stdout"`
	Stderr *string `json:"stderr"`
	// ContainerLogBase is the start of the addresses of single containers' logs.
	ContainerLogBase *string `json:"container_log_base"`
}
