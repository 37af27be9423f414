package demo

// The types of this file are the items of a response, with the keys of the real API's reference in
// its order. Pointers and anys are null if the value is unknown.

type item struct {
	Hosted           **hosted     `json:"hosted,omitempty"` // nil to omit the key; a pointer to nil for null
	Name             string       `json:"name"`
	Status           string       `json:"status"`
	PublicURLs       []publicURL  `json:"public_urls"`
	ManagedUser      *managedUser `json:"managed_user"`
	Node             *nodeInfo    `json:"node"`
	Listed           bool         `json:"listed"`
	InProgress       bool         `json:"in_progress"`
	DappDashboardURL *string      `json:"dapp_dashboard_url"`
	SyslogEndpoint   *string      `json:"syslog_endpoint"`
	AllowUpgrade     bool         `json:"allow_upgrade"`
	ProjectID        *string      `json:"project_id"`
	ProjectType      *string      `json:"project_type"`
	BillingPeriod    *string      `json:"billing_period"`
	KMSInfo          *kmsInfo     `json:"kms_info"`
	ContractAddress  *string      `json:"contract_address"`
	DeployerAddress  *string      `json:"deployer_address"`
	VCPU             *int         `json:"vcpu"`
	Memory           *int         `json:"memory"`    // MB
	DiskSize         *int         `json:"disk_size"` // GB
	GatewayDomain    *string      `json:"gateway_domain"`
}

type hosted struct {
	ID               string         `json:"id"`
	Name             string         `json:"name"`
	Status           string         `json:"status"`
	Uptime           string         `json:"uptime"`
	AppID            string         `json:"app_id"`
	AppURL           *string        `json:"app_url"`
	InstanceID       *string        `json:"instance_id"`
	Configuration    *configuration `json:"configuration"`
	ExitedAt         *string        `json:"exited_at"` // a duration like "3days 4h"
	BootProgress     *string        `json:"boot_progress"`
	BootError        *string        `json:"boot_error"`
	ShutdownProgress *string        `json:"shutdown_progress"`
	ImageVersion     *string        `json:"image_version"`
	Events           []event        `json:"events"`
}

type event struct {
	Event     string `json:"event"`
	Body      string `json:"body"`
	Timestamp int64  `json:"timestamp"` // ms since 1970; 0 if unknown
}

type configuration struct {
	Name         string       `json:"name"`
	Image        string       `json:"image"`
	VCPU         int          `json:"vcpu"`
	Memory       int          `json:"memory"`    // MB
	DiskSize     int          `json:"disk_size"` // GB
	ComposeFile  *composeFile `json:"compose_file"`
	Ports        []port       `json:"ports"`
	EncryptedEnv *string      `json:"encrypted_env"` // hex
	AppID        *string      `json:"app_id"`
	UserConfig   *string      `json:"user_config"`
	Hugepages    bool         `json:"hugepages"`
	PinNUMA      bool         `json:"pin_numa"`
	GPUs         *gpuConfig   `json:"gpus"`
	KMSURLs      []string     `json:"kms_urls"`
	GatewayURLs  []string     `json:"gateway_urls"`
}

type composeFile struct {
	Name                    string   `json:"name"`
	AllowedEnvs             []string `json:"allowed_envs"`
	BashScript              *string  `json:"bash_script"`
	DefaultGatewayDomain    *string  `json:"default_gateway_domain"`
	DockerComposeFile       *string  `json:"docker_compose_file"`
	InitScript              *string  `json:"init_script"`
	KMSEnabled              bool     `json:"kms_enabled"`
	LocalKeyProviderEnabled bool     `json:"local_key_provider_enabled"`
	ManifestVersion         int      `json:"manifest_version"`
	NoInstanceID            bool     `json:"no_instance_id"`
	PreLaunchScript         *string  `json:"pre_launch_script"`
	PublicLogs              bool     `json:"public_logs"`
	PublicSysinfo           bool     `json:"public_sysinfo"`
	PublicTCBInfo           bool     `json:"public_tcbinfo"`
	Runner                  string   `json:"runner"`
	GatewayEnabled          bool     `json:"gateway_enabled"`
	Features                []string `json:"features"`
	Salt                    *string  `json:"salt"`
	SecureTime              bool     `json:"secure_time"`
	StorageFS               *string  `json:"storage_fs"`
	TProxyEnabled           bool     `json:"tproxy_enabled"`
}

type port struct {
	Protocol    string  `json:"protocol"`
	HostPort    int     `json:"host_port"`
	VMPort      int     `json:"vm_port"`
	HostAddress *string `json:"host_address"`
}

type gpuConfig struct {
	GPUs       []gpu  `json:"gpus"`
	AttachMode string `json:"attach_mode"`
}

type gpu struct {
	Slot      string  `json:"slot"`
	ProductID *string `json:"product_id"`
}

type publicURL struct {
	App      string `json:"app"`
	Instance string `json:"instance"`
}

type managedUser struct {
	ID       any    `json:"id"` // an int or a string
	Username string `json:"username"`
}

// userID returns the user's id in filters. In the flat shape it is the only one.
func (u *managedUser) userID() string { return userPrefix + u.Username }

type nodeInfo struct {
	ID               int     `json:"id"`
	Name             string  `json:"name"`
	RegionIdentifier *string `json:"region_identifier"`
}

type kmsInfo struct {
	ID              string  `json:"id"`
	URL             string  `json:"url"`
	Version         string  `json:"version"`
	Slug            *string `json:"slug"`
	ChainID         *int64  `json:"chain_id"`
	ContractAddress *string `json:"kms_contract_address"`
	GatewayAppID    *string `json:"gateway_app_id"`
}
