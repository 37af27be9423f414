// Resolvers for the fields whose names differ in the upstream's items.

import { GraphQLScalarType } from 'graphql';
import { connection } from './connection.js';

const Int64 = new GraphQLScalarType({ name: 'Int64', serialize: Number });

/** The resolvers. Their context must have a page loader. */
export const resolvers = {
  Int64,
  Query: {
    cvms: (_, args, context) => connection(args, context.loader),
  },
  Cvm: {
    id: (cvm) => Buffer.from(`Cvm:${cvm.hosted?.id ?? cvm.name}`).toString('base64'),
    vmId: (cvm) => cvm.hosted?.id,
    publicUrls: (cvm) => cvm.public_urls ?? [],
    managedUser: (cvm) => cvm.managed_user,
    inProgress: (cvm) => cvm.in_progress,
    dappDashboardUrl: (cvm) => cvm.dapp_dashboard_url,
    syslogEndpoint: (cvm) => cvm.syslog_endpoint,
    allowUpgrade: (cvm) => cvm.allow_upgrade,
    projectId: (cvm) => cvm.project_id,
    projectType: (cvm) => cvm.project_type,
    billingPeriod: (cvm) => cvm.billing_period,
    kmsInfo: (cvm) => cvm.kms_info,
    contractAddress: (cvm) => cvm.contract_address,
    deployerAddress: (cvm) => cvm.deployer_address,
    diskSize: (cvm) => cvm.disk_size,
    gatewayDomain: (cvm) => cvm.gateway_domain,
  },
  HostedVm: {
    vmId: (vm) => vm.id,
    appId: (vm) => vm.app_id,
    appUrl: (vm) => vm.app_url,
    instanceId: (vm) => vm.instance_id,
    exitedAt: (vm) => vm.exited_at,
    bootProgress: (vm) => vm.boot_progress,
    bootError: (vm) => vm.boot_error,
    shutdownProgress: (vm) => vm.shutdown_progress,
    imageVersion: (vm) => vm.image_version,
    events: (vm) => vm.events ?? [],
  },
  VmConfiguration: {
    diskSize: (config) => config.disk_size,
    composeFile: (config) => config.compose_file,
    ports: (config) => config.ports ?? [],
    encryptedEnv: (config) => config.encrypted_env,
    appId: (config) => config.app_id,
    userConfig: (config) => config.user_config,
    pinNuma: (config) => config.pin_numa,
    kmsUrls: (config) => config.kms_urls ?? [],
    gatewayUrls: (config) => config.gateway_urls ?? [],
  },
  ComposeFile: {
    allowedEnvs: (file) => file.allowed_envs ?? [],
    bashScript: (file) => file.bash_script,
    defaultGatewayDomain: (file) => file.default_gateway_domain,
    dockerComposeFile: (file) => file.docker_compose_file,
    initScript: (file) => file.init_script,
    kmsEnabled: (file) => file.kms_enabled,
    localKeyProviderEnabled: (file) => file.local_key_provider_enabled,
    manifestVersion: (file) => file.manifest_version,
    noInstanceId: (file) => file.no_instance_id,
    preLaunchScript: (file) => file.pre_launch_script,
    publicLogs: (file) => file.public_logs,
    publicSysinfo: (file) => file.public_sysinfo,
    publicTcbinfo: (file) => file.public_tcbinfo,
    gatewayEnabled: (file) => file.gateway_enabled,
    features: (file) => file.features ?? [],
    secureTime: (file) => file.secure_time,
    storageFs: (file) => file.storage_fs,
    tproxyEnabled: (file) => file.tproxy_enabled,
  },
  PortMapping: {
    hostPort: (port) => port.host_port,
    vmPort: (port) => port.vm_port,
    hostAddress: (port) => port.host_address,
  },
  GpuConfig: {
    gpus: (gpus) => gpus.gpus ?? [],
    attachMode: (gpus) => gpus.attach_mode,
  },
  Gpu: {
    productId: (gpu) => gpu.product_id,
  },
  ManagedUser: {
    userId: (user) => user.id,
  },
  CvmNode: {
    nodeId: (node) => node.id,
    regionIdentifier: (node) => node.region_identifier,
  },
  KmsInfo: {
    kmsId: (kms) => kms.id,
    chainId: (kms) => kms.chain_id,
    kmsContractAddress: (kms) => kms.kms_contract_address,
    gatewayAppId: (kms) => kms.gateway_app_id,
  },
};
