package restclient_test

import (
	"cvmgraph/internal/wire"
	"cvmgraph/restclient"
)

func (o *oracle) cvm(m map[string]any) restclient.Cvm {
	cvm := restclient.Cvm{
		Hosted:           oracleObject(o, m, "hosted", o.hosted),
		Name:             o.string(m, "name"),
		Status:           o.string(m, "status"),
		PublicURLs:       oracleObjects(o, m, "public_urls", o.publicURL),
		ManagedUser:      oracleObject(o, m, "managed_user", o.managedUser),
		Node:             oracleObject(o, m, "node", o.node),
		Listed:           o.boolean(m, "listed", false),
		InProgress:       o.boolean(m, "in_progress", false),
		DappDashboardURL: o.string(m, "dapp_dashboard_url"),
		SyslogEndpoint:   o.string(m, "syslog_endpoint"),
		AllowUpgrade:     o.nullable(m, "allow_upgrade", false),
		ProjectID:        o.string(m, "project_id"),
		ProjectType:      o.string(m, "project_type"),
		BillingPeriod:    o.string(m, "billing_period"),
		KmsInfo:          oracleObject(o, m, "kms_info", o.kmsInfo),
		ContractAddress:  o.string(m, "contract_address"),
		DeployerAddress:  o.string(m, "deployer_address"),
		Vcpu:             o.int32(m, "vcpu"),
		Memory:           o.int32(m, "memory"),
		DiskSize:         o.int32(m, "disk_size"),
		GatewayDomain:    o.string(m, "gateway_domain"),
	}
	if hosted := cvm.Hosted; hosted != nil {
		cvm.VMID = hosted.VMID
		hosted.UptimeSeconds, hosted.SecondsSinceExit = oracleSeconds(hosted.Uptime), oracleSeconds(hosted.ExitedAt)
		if hosted.Configuration != nil && hosted.Configuration.Gpus != nil {
			count := int32(len(hosted.Configuration.Gpus.Gpus))
			cvm.GPUCount = &count
		}
	}
	return cvm
}

// oracleSeconds returns a duration in seconds. FuzzSeconds in package wire tests the parser.
func oracleSeconds(duration *string) *int64 {
	if duration == nil {
		return nil
	}
	seconds, ok := wire.Seconds([]byte(*duration))
	if !ok {
		return nil
	}
	return &seconds
}

func (o *oracle) hosted(m map[string]any) restclient.HostedVm {
	return restclient.HostedVm{
		VMID:             notEmpty(o.string(m, "id")),
		Name:             o.string(m, "name"),
		Status:           o.string(m, "status"),
		Uptime:           o.string(m, "uptime"),
		AppID:            o.string(m, "app_id"),
		AppURL:           o.string(m, "app_url"),
		InstanceID:       o.string(m, "instance_id"),
		Configuration:    oracleObject(o, m, "configuration", o.configuration),
		ExitedAt:         o.string(m, "exited_at"),
		BootProgress:     o.string(m, "boot_progress"),
		BootError:        o.string(m, "boot_error"),
		ShutdownProgress: o.string(m, "shutdown_progress"),
		ImageVersion:     o.string(m, "image_version"),
		Events:           oracleObjects(o, m, "events", o.event),
	}
}

func (o *oracle) event(m map[string]any) restclient.VmEvent {
	return restclient.VmEvent{
		Event:     o.string(m, "event"),
		Body:      o.string(m, "body"),
		Timestamp: o.int64(m, "timestamp"),
	}
}

func (o *oracle) configuration(m map[string]any) restclient.VmConfiguration {
	return restclient.VmConfiguration{
		Name:         o.string(m, "name"),
		Image:        o.string(m, "image"),
		Vcpu:         o.int32(m, "vcpu"),
		Memory:       o.int32(m, "memory"),
		DiskSize:     o.int32(m, "disk_size"),
		ComposeFile:  oracleObject(o, m, "compose_file", o.composeFile),
		Ports:        oracleObjects(o, m, "ports", o.port),
		EncryptedEnv: o.string(m, "encrypted_env"),
		AppID:        o.string(m, "app_id"),
		UserConfig:   o.string(m, "user_config"),
		Hugepages:    o.nullable(m, "hugepages", false),
		PinNuma:      o.nullable(m, "pin_numa", false),
		Gpus:         oracleObject(o, m, "gpus", o.gpus),
		KmsURLs:      o.strings(m, "kms_urls"),
		GatewayURLs:  o.strings(m, "gateway_urls"),
	}
}

func (o *oracle) composeFile(m map[string]any) restclient.ComposeFile {
	return restclient.ComposeFile{
		Name:                    o.string(m, "name"),
		AllowedEnvs:             o.strings(m, "allowed_envs"),
		BashScript:              o.string(m, "bash_script"),
		DefaultGatewayDomain:    o.string(m, "default_gateway_domain"),
		DockerComposeFile:       o.string(m, "docker_compose_file"),
		InitScript:              o.string(m, "init_script"),
		KmsEnabled:              o.nullable(m, "kms_enabled", true),
		LocalKeyProviderEnabled: o.nullable(m, "local_key_provider_enabled", false),
		ManifestVersion:         o.int32(m, "manifest_version"),
		NoInstanceID:            o.nullable(m, "no_instance_id", false),
		PreLaunchScript:         o.string(m, "pre_launch_script"),
		PublicLogs:              o.boolean(m, "public_logs", true),
		PublicSysinfo:           o.boolean(m, "public_sysinfo", true),
		PublicTcbinfo:           o.boolean(m, "public_tcbinfo", true),
		Runner:                  o.string(m, "runner"),
		GatewayEnabled:          o.boolean(m, "gateway_enabled", true),
		Features:                o.strings(m, "features"),
		Salt:                    o.string(m, "salt"),
		SecureTime:              o.boolean(m, "secure_time", false),
		StorageFs:               o.string(m, "storage_fs"),
		TproxyEnabled:           o.boolean(m, "tproxy_enabled", true),
	}
}

func (o *oracle) port(m map[string]any) restclient.PortMapping {
	return restclient.PortMapping{
		Protocol:    o.string(m, "protocol"),
		HostPort:    o.int32(m, "host_port"),
		VMPort:      o.int32(m, "vm_port"),
		HostAddress: o.string(m, "host_address"),
	}
}

func (o *oracle) gpus(m map[string]any) restclient.GpuConfig {
	return restclient.GpuConfig{
		Gpus:       oracleObjects(o, m, "gpus", o.gpu),
		AttachMode: o.string(m, "attach_mode"),
	}
}

func (o *oracle) gpu(m map[string]any) restclient.Gpu {
	return restclient.Gpu{Slot: o.string(m, "slot"), ProductID: o.string(m, "product_id")}
}

func (o *oracle) kmsInfo(m map[string]any) restclient.KmsInfo {
	return restclient.KmsInfo{
		KmsID:              notEmpty(o.string(m, "id")),
		URL:                o.string(m, "url"),
		Version:            o.string(m, "version"),
		Slug:               o.string(m, "slug"),
		ChainID:            o.int64(m, "chain_id"),
		KmsContractAddress: o.string(m, "kms_contract_address"),
		GatewayAppID:       o.string(m, "gateway_app_id"),
	}
}

func (o *oracle) publicURL(m map[string]any) restclient.PublicUrl {
	return restclient.PublicUrl{App: o.string(m, "app"), Instance: o.string(m, "instance")}
}

func (o *oracle) node(m map[string]any) restclient.CvmNode {
	return restclient.CvmNode{
		NodeID:           o.int32(m, "id"),
		Name:             o.string(m, "name"),
		RegionIdentifier: o.string(m, "region_identifier"),
	}
}

func (o *oracle) managedUser(m map[string]any) restclient.ManagedUser {
	return restclient.ManagedUser{UserID: notEmpty(o.identifier(m, "id")), Username: o.string(m, "username")}
}
