package demo

// catalog holds the nodes, owners, apps and releases that machines are drawn from. All of them are
// invented, except names from the examples of the real API. It is immutable.
type catalog struct {
	nodes    []*node
	owners   []*managedUser
	apps     []app
	sidecars []app    // additional services of an app
	releases []string // guest image versions, newest first
}

// firstSilentRelease is the index in releases from which hosts report neither boot progress nor
// events.
const firstSilentRelease = 4

// node is a host of machines, with their gateway and their key management service.
type node struct {
	id     int
	name   string
	region *string
	domain string // of the gateway
	kms    *kmsInfo
	gpus   []string // PCI slots; nil if the node has no GPUs
}

// app is a program that machines run.
type app struct {
	name  string
	image string
	port  int // that it listens on
	envs  []string
}

func newCatalog() *catalog {
	kmsBase := kmsInfo{
		ID: "kms_0123abcd", Slug: new("kms-base-prod9"), URL: "https://kms.dstack-base-prod9.phala.network",
		Version: "v0.5.7", ChainID: new(int64(8453)),
		ContractAddress: new("0x2f83172A49584C017F2B256F0FB2Dca14126Ba9C"),
		GatewayAppID:    new("0x55760b065A3f1EAbdb1a4d7AbB94950f31B91A84"),
	}
	kmsEthereum := kmsInfo{
		ID: "kms_77c0ffee", Slug: new("kms-eth-prod7"), URL: "https://kms.dstack-eth-prod7.phala.network",
		Version: "v0.5.3 (git:abc123)", ChainID: new(int64(1)),
		ContractAddress: new("0xd0d0d0d0a49584c017f2b256f0fb2dca14126ba9"),
		GatewayAppID:    new("0x1badb0025a3f1eabdb1a4d7abb94950f31b91a84"),
	}
	kmsLocal := kmsInfo{
		ID: "kms_00000de5", Slug: new("kms-anvil-dev1"), URL: "https://kms.dstack-dev1.phala.network:9201",
		Version: "v0.5.9", ChainID: new(int64(31337)),
		ContractAddress: new("0x5fbdb2315678afecb367f032d93f642f64180aa3"),
		GatewayAppID:    new("e7f1725e7734ce288f8367e1bb143e90bb3f0512"),
	}
	kmsOffChain := kmsInfo{ID: "kms_1e9ac700", URL: "https://kms.dstack-prod2.phala.network", Version: "v0.4.2"}
	return &catalog{
		nodes: []*node{
			{id: 18, name: "prod9", region: new("US-WEST-1"), domain: "dstack-base-prod9.phala.network", kms: &kmsBase},
			{id: 12, name: "prod5", region: new("us-west-1"), domain: "dstack-base-prod5.phala.network", kms: &kmsBase},
			{id: 21, name: "prod7", region: new("FR-PARIS-1"), domain: "dstack-eth-prod7.phala.network", kms: &kmsEthereum},
			{id: 26, name: "prod10", domain: "dstack-base-prod10.phala.network", kms: &kmsBase},
			{id: 3, name: "prod2", region: new("EU-WEST-1"), domain: "dstack-prod2.phala.network", kms: &kmsOffChain},
			{id: 7, name: "dev1", region: new("US-EAST-1"), domain: "dstack-dev1.phala.network", kms: &kmsLocal},
			{
				id: 40, name: "gpu-h200-1", region: new("US-EAST-1"), domain: "dstack-base-gpu1.phala.network", kms: &kmsBase,
				gpus: []string{"18:00.0", "2a:00.0", "3a:00.0", "5d:00.0", "9a:00.0", "ab:00.0", "ba:00.0", "db:00.0"},
			},
		},
		owners: []*managedUser{ // with ids of both types of the real API
			{ID: 1042, Username: "alice"},
			{ID: 1043, Username: "bob"},
			{ID: 1107, Username: "carol"},
			{ID: 1215, Username: "dave"},
			{ID: 1388, Username: "erin"},
			{ID: 1502, Username: "frank"},
			{ID: 2077, Username: "grace"},
			{ID: "usr_heidi", Username: "heidi"},
		},
		apps: []app{
			{"my-app", "ghcr.io/phala-network/phala-cloud-bun-starter:latest", 3000, []string{"OPENAI_API_KEY", "DATABASE_URL"}},
			{"rag-worker", "registry.example/rag-worker:1.14.2", 8080, []string{"MODEL_URL", "VECTOR_DB_URL", "VECTOR_DB_PASSWORD"}},
			{"price-oracle", "registry.example/price-oracle:2026.6", 9000, []string{"RPC_URL", "SIGNER_SEED"}},
			{"mpc-signer", "registry.example/mpc-signer:0.9.1", 7443, []string{"PEERS", "SHARE_PASSPHRASE"}},
			{"indexer", "registry.example/indexer:3.2.0", 4000, []string{"RPC_URL", "DATABASE_URL", "START_BLOCK"}},
			{"chat-agent", "registry.example/chat-agent:latest", 3000, []string{"BOT_TOKEN", "MODEL_URL", "ADMIN_IDS"}},
			{"llm-serve", "registry.example/llm-serve:0.11.0-cuda", 8000, []string{"HF_TOKEN", "MODEL_NAME"}},
			{"api", "registry.example/api:5", 80, nil},
		},
		sidecars: []app{
			{"cache", "registry.example/cache:7", 6379, []string{"CACHE_PASSWORD"}},
			{"db", "registry.example/db:17-alpine", 5432, []string{"DB_PASSWORD", "DB_NAME"}},
			{"proxy", "registry.example/proxy:1.27", 8443, nil},
			{"metrics", "registry.example/metrics:0.107", 4318, []string{"METRICS_TOKEN"}},
		},
		releases: []string{"0.5.9", "0.5.8", "0.5.7", "0.5.3", "0.3.6"},
	}
}

// awkwardText is text that breaks incorrect string handling.
const awkwardText = "# größe \"prod\" – 日本語 🚀 C:\\data\t<b>&amp;</b> 'it''s' \u2028 \x1b[32mok\x1b[0m\n"
