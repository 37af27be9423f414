package restclient_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"cvmgraph/restclient"
)

// below returns the object under a key, or nil. It adds the key to the path until end is called.
func (o *oracle) below(m map[string]any, key string) (object map[string]any, end func()) {
	object, isObject := m[key].(map[string]any)
	if !isObject && m[key] != nil {
		o.record("an object", key)
	}
	o.path = append(o.path, key)
	return object, func() { o.path = o.path[:len(o.path)-1] }
}

func copyOf[T any](value *T) *T {
	if value == nil {
		return nil
	}
	copied := *value
	return &copied
}

// flatCvm decodes an item of the flat shape, in the order in which the keys are documented.
func (o *oracle) flatCvm(m map[string]any) restclient.Cvm {
	cvm := restclient.Cvm{
		CvmID:               notEmpty(o.identifier(m, "id")),
		Name:                o.string(m, "name"),
		VMID:                notEmpty(o.string(m, "vm_uuid")),
		Status:              o.string(m, "status"),
		InProgress:          o.boolean(m, "in_progress", false),
		Listed:              o.boolean(m, "listed", false),
		ProjectType:         o.string(m, "project_type"),
		OS:                  oracleObject(o, m, "os", o.os),
		KmsType:             o.string(m, "kms_type"),
		Progress:            oracleObject(o, m, "progress", o.progress),
		ComposeHash:         o.string(m, "compose_hash"),
		DockerComposeHash:   o.string(m, "docker_compose_hash"),
		PreLaunchScriptHash: o.string(m, "pre_launch_script_hash"),
		Logs:                oracleObject(o, m, "logs", o.logs),
		PublicURLs:          oracleObjects(o, m, "endpoints", o.publicURL),
		Workspace:           oracleObject(o, m, "workspace", o.workspace),
		ManagedUser:         oracleObject(o, m, "creator", o.managedUser),
		CreatedAt:           o.string(m, "created_at"),
		DeletedAt:           o.string(m, "deleted_at"),
		UpdatedAt:           o.string(m, "updated_at"),
		DappDashboardURL:    o.string(m, "app_url"),
		HourlyRate:          oracleObject(o, m, "hourly_rate", o.hourlyRate),
		BillingInterval:     o.string(m, "billing_interval"),
		Node:                oracleObject(o, m, "node_info", o.nodeInfo),
	}
	o.flatResource(m, &cvm)
	o.flatKms(m, &cvm)
	gateway, end := o.below(m, "gateway")
	cvm.GatewayDomain, cvm.GatewayCname = o.string(gateway, "base_domain"), o.string(gateway, "cname")
	end()
	if cvm.Logs != nil && cvm.Logs.Serial != nil {
		endpoint := strings.TrimSuffix(*cvm.Logs.Serial, "&ch=serial")
		cvm.SyslogEndpoint = notEmpty(&endpoint)
	}
	hosted := o.flatHosted(m, &cvm)
	if cvm.VMID != nil {
		cvm.Hosted = hosted
	}
	return cvm
}

// flatHosted decodes the values that the VM and its configuration have.
func (o *oracle) flatHosted(m map[string]any, cvm *restclient.Cvm) *restclient.HostedVm {
	appID, gatewayEnabled := o.string(m, "app_id"), o.boolean(m, "gateway_enabled", false)
	image := o.string(m, "base_image")
	var version *string
	if cvm.OS != nil {
		version = cvm.OS.Version
		if cvm.OS.Name != nil {
			image = cvm.OS.Name
		}
	}
	return &restclient.HostedVm{
		VMID:         copyOf(cvm.VMID),
		Name:         copyOf(cvm.Name),
		AppID:        copyOf(appID),
		AppURL:       copyOf(cvm.DappDashboardURL),
		InstanceID:   o.string(m, "instance_id"),
		ImageVersion: copyOf(version),
		Events:       []restclient.VmEvent{},
		Configuration: &restclient.VmConfiguration{
			Name:        copyOf(cvm.Name),
			Image:       copyOf(image),
			Vcpu:        copyOf(cvm.Vcpu),
			Memory:      copyOf(cvm.Memory),
			DiskSize:    copyOf(cvm.DiskSize),
			Ports:       []restclient.PortMapping{},
			AppID:       copyOf(appID),
			KmsURLs:     []string{},
			GatewayURLs: []string{},
			ComposeFile: &restclient.ComposeFile{
				AllowedEnvs:     []string{},
				ManifestVersion: o.integerText(m, "manifest_version"),
				PublicLogs:      o.boolean(m, "public_logs", false),
				PublicSysinfo:   o.boolean(m, "public_sysinfo", false),
				PublicTcbinfo:   o.boolean(m, "public_tcbinfo", true),
				Runner:          o.string(m, "runner"),
				GatewayEnabled:  gatewayEnabled,
				Features:        o.strings(m, "features"),
				SecureTime:      o.boolean(m, "secure_time", false),
				StorageFs:       o.string(m, "storage_fs"),
				TproxyEnabled:   gatewayEnabled,
			},
		},
	}
}

func (o *oracle) flatResource(m map[string]any, cvm *restclient.Cvm) {
	resource, end := o.below(m, "resource")
	defer end()
	cvm.InstanceType = o.string(resource, "instance_type")
	cvm.Vcpu = o.int32(resource, "vcpu")
	cvm.Memory = o.megabytes(resource, "memory_in_gb")
	cvm.DiskSize = o.int32(resource, "disk_in_gb")
	cvm.GPUCount = o.int32(resource, "gpus")
	cvm.ComputeBillingPrice = o.string(resource, "compute_billing_price")
	cvm.BillingPeriod = o.string(resource, "billing_period")
}

func (o *oracle) flatKms(m map[string]any, cvm *restclient.Cvm) {
	kms, end := o.below(m, "kms_info")
	defer end()
	info := &restclient.KmsInfo{
		URL:                o.string(kms, "rpc_endpoint"),
		ChainID:            o.int64(kms, "chain_id"),
		KmsContractAddress: notEmpty(o.string(kms, "dstack_kms_address")),
		EncryptedEnvPubkey: o.string(kms, "encrypted_env_pubkey"),
	}
	cvm.ContractAddress = o.string(kms, "dstack_app_address")
	cvm.DeployerAddress = o.string(kms, "deployer_address")
	if kms != nil {
		cvm.KmsInfo = info
	}
}

func (o *oracle) nodeInfo(m map[string]any) restclient.CvmNode {
	return restclient.CvmNode{
		NodeID:           o.int32(m, "id"),
		Name:             o.string(m, "name"),
		RegionIdentifier: o.string(m, "region"),
		Status:           o.string(m, "status"),
		Version:          o.string(m, "version"),
		DeviceID:         o.string(m, "device_id"),
		Ppid:             o.string(m, "ppid"),
	}
}

func (o *oracle) os(m map[string]any) restclient.CvmOs {
	os := restclient.CvmOs{Name: o.string(m, "name"), Version: o.string(m, "version"), OsImageHash: o.string(m, "os_image_hash")}
	switch value := m["is_dev"].(type) {
	case nil:
	case bool:
		os.IsDev = &value
	default:
		o.record("true or false", "is_dev")
	}
	return os
}

func (o *oracle) progress(m map[string]any) restclient.CvmProgress {
	return restclient.CvmProgress{Target: o.string(m, "target"), StartedAt: o.string(m, "started_at"), CorrelationID: o.string(m, "correlation_id")}
}

func (o *oracle) logs(m map[string]any) restclient.CvmLogs {
	return restclient.CvmLogs{
		Serial: o.string(m, "serial"), Stdout: o.string(m, "stdout"), Stderr: o.string(m, "stderr"),
		ContainerLogBase: o.string(m, "container_log_base"),
	}
}

func (o *oracle) workspace(m map[string]any) restclient.Workspace {
	return restclient.Workspace{
		WorkspaceID: notEmpty(o.string(m, "id")), Name: o.string(m, "name"), Slug: o.string(m, "slug"), AvatarURL: o.string(m, "avatar_url"),
	}
}

func (o *oracle) hourlyRate(m map[string]any) restclient.HourlyRate {
	return restclient.HourlyRate{Total: o.string(m, "total"), Compute: o.string(m, "compute"), Disk: o.string(m, "disk")}
}

// integerText returns an integer that is a string or a number.
func (o *oracle) integerText(m map[string]any, key string) *int32 {
	value := m[key]
	if value == nil {
		return nil
	}
	if n, ok := oracleIntegerText(value); ok {
		return &n
	}
	o.record("an integer of 32 bits as a string", key)
	return nil
}

func oracleIntegerText(value any) (int32, bool) {
	if text, isString := value.(string); isString {
		var number json.Number
		if json.Unmarshal([]byte(text), &number) != nil || string(number) != text || text == "" {
			return 0, false
		}
		value = number
	}
	n, ok := oracleInteger(value)
	return int32(n), ok && n == int64(int32(n))
}

// megabytes returns a number of gigabytes in megabytes.
func (o *oracle) megabytes(m map[string]any, key string) *int32 {
	if m[key] == nil {
		return nil
	}
	if n, ok := oracleMegabytes(m[key]); ok {
		return &n
	}
	o.record("a number of gigabytes", key)
	return nil
}

func oracleMegabytes(value any) (int32, bool) {
	number, isNumber := value.(json.Number)
	gigabytes, err := strconv.ParseFloat(string(number), 64)
	if !isNumber || err != nil {
		return 0, false
	}
	megabytes := math.Round(1024 * gigabytes)
	return int32(megabytes), megabytes >= math.MinInt32 && megabytes <= math.MaxInt32
}
