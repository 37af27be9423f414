package restclient_test

import "cvmgraph/restclient"

func (o *oracle) cvm(m map[string]any) restclient.Cvm {
	return restclient.Cvm{
		Hosted:           oracleObject(o, m, "hosted", o.hosted),
		Name:             o.text(m, "name"),
		Status:           o.text(m, "status"),
		PublicURLs:       oracleObjects(o, m, "public_urls", o.publicURL),
		ManagedUser:      oracleObject(o, m, "managed_user", o.managedUser),
		Node:             oracleObject(o, m, "node", o.node),
		Listed:           o.boolean(m, "listed", false),
		InProgress:       o.boolean(m, "in_progress", false),
		DappDashboardURL: o.text(m, "dapp_dashboard_url"),
		SyslogEndpoint:   o.text(m, "syslog_endpoint"),
		AllowUpgrade:     o.boolean(m, "allow_upgrade", false),
		ProjectID:        o.text(m, "project_id"),
		ProjectType:      o.text(m, "project_type"),
		BillingPeriod:    o.text(m, "billing_period"),
		KmsInfo:          oracleObject(o, m, "kms_info", o.kmsInfo),
		ContractAddress:  o.text(m, "contract_address"),
		DeployerAddress:  o.text(m, "deployer_address"),
		Vcpu:             o.int32(m, "vcpu"),
		Memory:           o.int32(m, "memory"),
		DiskSize:         o.int32(m, "disk_size"),
		GatewayDomain:    o.text(m, "gateway_domain"),
	}
}

func (o *oracle) hosted(m map[string]any) restclient.HostedVm {
	return restclient.HostedVm{
		VMID:             o.text(m, "id"),
		Name:             o.text(m, "name"),
		Status:           o.text(m, "status"),
		Uptime:           o.text(m, "uptime"),
		AppID:            o.text(m, "app_id"),
		AppURL:           o.text(m, "app_url"),
		InstanceID:       o.text(m, "instance_id"),
		Configuration:    oracleObject(o, m, "configuration", o.configuration),
		ExitedAt:         o.text(m, "exited_at"),
		BootProgress:     o.text(m, "boot_progress"),
		BootError:        o.text(m, "boot_error"),
		ShutdownProgress: o.text(m, "shutdown_progress"),
		ImageVersion:     o.text(m, "image_version"),
		Events:           oracleObjects(o, m, "events", o.event),
	}
}

func (o *oracle) event(m map[string]any) restclient.VmEvent {
	return restclient.VmEvent{
		Event:     o.text(m, "event"),
		Body:      o.text(m, "body"),
		Timestamp: o.int64(m, "timestamp"),
	}
}

func (o *oracle) configuration(m map[string]any) restclient.VmConfiguration {
	return restclient.VmConfiguration{
		Name:         o.text(m, "name"),
		Image:        o.text(m, "image"),
		Vcpu:         o.int32(m, "vcpu"),
		Memory:       o.int32(m, "memory"),
		DiskSize:     o.int32(m, "disk_size"),
		ComposeFile:  oracleObject(o, m, "compose_file", o.composeFile),
		Ports:        oracleObjects(o, m, "ports", o.port),
		EncryptedEnv: o.text(m, "encrypted_env"),
		AppID:        o.text(m, "app_id"),
		UserConfig:   o.text(m, "user_config"),
		Hugepages:    o.boolean(m, "hugepages", false),
		PinNuma:      o.boolean(m, "pin_numa", false),
		Gpus:         oracleObject(o, m, "gpus", o.gpus),
		KmsURLs:      o.texts(m, "kms_urls"),
		GatewayURLs:  o.texts(m, "gateway_urls"),
	}
}

func (o *oracle) composeFile(m map[string]any) restclient.ComposeFile {
	return restclient.ComposeFile{
		Name:                    o.text(m, "name"),
		AllowedEnvs:             o.texts(m, "allowed_envs"),
		BashScript:              o.text(m, "bash_script"),
		DefaultGatewayDomain:    o.text(m, "default_gateway_domain"),
		DockerComposeFile:       o.text(m, "docker_compose_file"),
		InitScript:              o.text(m, "init_script"),
		KmsEnabled:              o.boolean(m, "kms_enabled", true),
		LocalKeyProviderEnabled: o.boolean(m, "local_key_provider_enabled", false),
		ManifestVersion:         o.int32(m, "manifest_version"),
		NoInstanceID:            o.boolean(m, "no_instance_id", false),
		PreLaunchScript:         o.text(m, "pre_launch_script"),
		PublicLogs:              o.boolean(m, "public_logs", true),
		PublicSysinfo:           o.boolean(m, "public_sysinfo", true),
		PublicTcbinfo:           o.boolean(m, "public_tcbinfo", true),
		Runner:                  o.text(m, "runner"),
		GatewayEnabled:          o.boolean(m, "gateway_enabled", true),
		Features:                o.texts(m, "features"),
		Salt:                    o.text(m, "salt"),
		SecureTime:              o.boolean(m, "secure_time", false),
		StorageFs:               o.text(m, "storage_fs"),
		TproxyEnabled:           o.boolean(m, "tproxy_enabled", true),
	}
}

func (o *oracle) port(m map[string]any) restclient.PortMapping {
	return restclient.PortMapping{
		Protocol:    o.text(m, "protocol"),
		HostPort:    o.int32(m, "host_port"),
		VMPort:      o.int32(m, "vm_port"),
		HostAddress: o.text(m, "host_address"),
	}
}

func (o *oracle) gpus(m map[string]any) restclient.GpuConfig {
	return restclient.GpuConfig{
		Gpus:       oracleObjects(o, m, "gpus", o.gpu),
		AttachMode: o.text(m, "attach_mode"),
	}
}

func (o *oracle) gpu(m map[string]any) restclient.Gpu {
	return restclient.Gpu{Slot: o.text(m, "slot"), ProductID: o.text(m, "product_id")}
}

func (o *oracle) kmsInfo(m map[string]any) restclient.KmsInfo {
	return restclient.KmsInfo{
		KmsID:              o.text(m, "id"),
		URL:                o.text(m, "url"),
		Version:            o.text(m, "version"),
		Slug:               o.text(m, "slug"),
		ChainID:            o.int64(m, "chain_id"),
		KmsContractAddress: o.text(m, "kms_contract_address"),
		GatewayAppID:       o.text(m, "gateway_app_id"),
	}
}

func (o *oracle) publicURL(m map[string]any) restclient.PublicUrl {
	return restclient.PublicUrl{App: o.text(m, "app"), Instance: o.text(m, "instance")}
}

func (o *oracle) node(m map[string]any) restclient.CvmNode {
	return restclient.CvmNode{
		NodeID:           o.int32(m, "id"),
		Name:             o.text(m, "name"),
		RegionIdentifier: o.text(m, "region_identifier"),
	}
}

func (o *oracle) managedUser(m map[string]any) restclient.ManagedUser {
	return restclient.ManagedUser{UserID: o.identifier(m, "id"), Username: o.text(m, "username")}
}
