package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// origin determines the values of an item that only the flat shape has. An item keeps its origin
// when it changes.
type origin struct {
	key       uint64
	createdAt time.Time
}

// originOf returns the origin of an item that a test wrote, from its identity.
func originOf(identity string) origin {
	key := seededBy("item", json.RawMessage(identity)).Uint64()
	return origin{key: key, createdAt: newItemTime().Add(-time.Duration(key%(1<<20)) * time.Second)}
}

// hostedItem is an item in the hosted shape. It has the keys which have a place in the flat shape.
type hostedItem struct {
	Hosted *struct {
		ID            json.RawMessage `json:"id"`
		AppID         json.RawMessage `json:"app_id"`
		AppURL        json.RawMessage `json:"app_url"`
		InstanceID    json.RawMessage `json:"instance_id"`
		ImageVersion  json.RawMessage `json:"image_version"`
		Configuration *struct {
			Image       json.RawMessage `json:"image"`
			ComposeFile json.RawMessage `json:"compose_file"`
			GPUs        *struct {
				GPUs []json.RawMessage `json:"gpus"`
			} `json:"gpus"`
		} `json:"configuration"`
	} `json:"hosted"`
	Name        json.RawMessage `json:"name"`
	Status      json.RawMessage `json:"status"`
	PublicURLs  json.RawMessage `json:"public_urls"`
	ManagedUser *struct {
		ID       json.RawMessage `json:"id"`
		Username json.RawMessage `json:"username"`
	} `json:"managed_user"`
	Node *struct {
		ID               json.RawMessage `json:"id"`
		Name             json.RawMessage `json:"name"`
		RegionIdentifier json.RawMessage `json:"region_identifier"`
	} `json:"node"`
	Listed         json.RawMessage `json:"listed"`
	InProgress     json.RawMessage `json:"in_progress"`
	SyslogEndpoint *string         `json:"syslog_endpoint"`
	ProjectType    json.RawMessage `json:"project_type"`
	BillingPeriod  json.RawMessage `json:"billing_period"`
	KMSInfo        *struct {
		URL             json.RawMessage `json:"url"`
		ChainID         json.RawMessage `json:"chain_id"`
		ContractAddress json.RawMessage `json:"kms_contract_address"`
	} `json:"kms_info"`
	ContractAddress json.RawMessage `json:"contract_address"`
	DeployerAddress json.RawMessage `json:"deployer_address"`
	VCPU            json.RawMessage `json:"vcpu"`
	Memory          json.RawMessage `json:"memory"`
	DiskSize        json.RawMessage `json:"disk_size"`
	GatewayDomain   json.RawMessage `json:"gateway_domain"`
}

// hostedCompose is the part of a compose file that has a place in the flat shape.
type hostedCompose struct {
	DockerComposeFile *string         `json:"docker_compose_file"`
	PreLaunchScript   *string         `json:"pre_launch_script"`
	PublicLogs        json.RawMessage `json:"public_logs"`
	PublicSysinfo     json.RawMessage `json:"public_sysinfo"`
	PublicTCBInfo     json.RawMessage `json:"public_tcbinfo"`
	GatewayEnabled    json.RawMessage `json:"gateway_enabled"`
	SecureTime        json.RawMessage `json:"secure_time"`
	StorageFS         json.RawMessage `json:"storage_fs"`
	Features          json.RawMessage `json:"features"`
	Runner            json.RawMessage `json:"runner"`
	ManifestVersion   json.RawMessage `json:"manifest_version"`
}

// flatten returns the flat shape of an encoded item. It works on the encoded form, because an item
// that a test wrote has no other. It returns other values than JSON objects unchanged.
func flatten(encoded []byte, from origin, changedAt time.Time) []byte {
	var it hostedItem
	if !bytes.HasPrefix(bytes.TrimSpace(encoded), []byte("{")) || decode(encoded, &it) != nil {
		return encoded
	}
	r := rand.New(rand.NewPCG(from.key, 2))
	flat := flatItem{
		ID:          "cvm_" + strconv.FormatUint(from.key, 36),
		Name:        it.Name,
		NodeInfo:    it.node(),
		KMSInfo:     it.kms(r),
		Status:      it.Status,
		InProgress:  orDefault(it.InProgress, "false"),
		Progress:    it.progress(r, changedAt),
		Gateway:     flatGateway{BaseDomain: it.GatewayDomain},
		Services:    []any{},
		Workspace:   it.workspace(),
		Creator:     it.creator(),
		CreatedAt:   timeText(from.createdAt),
		UpdatedAt:   timeText(changedAt),
		Listed:      orDefault(it.Listed, "false"),
		ProjectType: it.ProjectType,
	}
	if flat.KMSInfo != nil && it.KMSInfo != nil {
		flat.KMSType = new(kmsType(it.KMSInfo.ChainID))
	}
	if chance(r, 10) {
		flat.Gateway.CNAME = new("apps.example.com")
	}
	if text(it.Status) == "deleted" {
		flat.DeletedAt = &flat.UpdatedAt
	}
	it.addApp(&flat, r)
	it.addResources(&flat, r, from.createdAt)
	return mustEncode(flat)
}

// addApp adds the values of the VM and of its compose file.
func (it *hostedItem) addApp(flat *flatItem, r *rand.Rand) {
	var compose hostedCompose
	if address, ok := strings.CutPrefix(text(it.ContractAddress), "0x"); ok {
		flat.AppID = mustEncode(address)
	}
	if h := it.Hosted; h != nil {
		if text(h.ID) != "" {
			flat.VMUUID, flat.Endpoints = h.ID, it.PublicURLs
		}
		flat.InstanceID, flat.AppURL = h.InstanceID, h.AppURL
		if h.AppID != nil {
			flat.AppID = h.AppID
		}
		if c := h.Configuration; c != nil {
			flat.BaseImage = c.Image
			if !isNull(c.ComposeFile) {
				_ = decode(c.ComposeFile, &compose)
				flat.ComposeHash = new(hash(string(c.ComposeFile)))
			}
		}
		flat.OS = flatOSOf(flat.BaseImage, h.ImageVersion, chance(r, 10))
	}
	flat.DockerComposeHash = hashOf(compose.DockerComposeFile)
	flat.PreLaunchScriptHash = hashOf(compose.PreLaunchScript)
	flat.PublicLogs = orDefault(compose.PublicLogs, "false")
	flat.PublicSysinfo = orDefault(compose.PublicSysinfo, "false")
	flat.PublicTCBInfo = orDefault(compose.PublicTCBInfo, "true")
	flat.GatewayEnabled = orDefault(compose.GatewayEnabled, "false")
	flat.SecureTime = orDefault(compose.SecureTime, "false")
	flat.StorageFS = orDefault(compose.StorageFS, `"zfs"`)
	flat.Features, flat.Runner = compose.Features, compose.Runner
	if flat.ManifestVersion = compose.ManifestVersion; isNumber(compose.ManifestVersion) {
		flat.ManifestVersion = mustEncode(string(compose.ManifestVersion))
	}
	if endpoint := it.SyslogEndpoint; endpoint != nil {
		flat.Logs.Serial = new(*endpoint + "&ch=serial")
		flat.Logs.Stdout = new(*endpoint + "&ch=stdout")
		flat.Logs.Stderr = new(*endpoint + "&ch=stderr")
		if flat.NodeInfo != nil {
			flat.Logs.ContainerLogBase = new("https://cloud-api.phala.com/logs/" + text(flat.NodeInfo.Name) + "/containers/" + text(flat.AppID))
		}
	}
}

// flatOSOf returns the guest's operating system. Some items have its name only in base_image.
func flatOSOf(image, version json.RawMessage, unnamed bool) *flatOS {
	name := text(image)
	if name == "" && isNull(version) {
		return nil
	}
	os := &flatOS{Version: version}
	if name != "" {
		os.IsDev, os.OSImageHash = new(strings.Contains(name, "-dev-")), new(hash(name))
	}
	if !unnamed {
		os.Name = image
	}
	return os
}

// The prices of the real API, per hour.
const (
	pricePerVCPU = money(58_000)
	pricePerGB   = money(139) // of the disk
	pricePerGPU  = money(2_560_000)
)

// addResources adds the size of the VM and what it costs.
func (it *hostedItem) addResources(flat *flatItem, r *rand.Rand, createdAt time.Time) {
	flat.Resource = flatResource{VCPU: it.VCPU, MemoryInGB: it.Memory, DiskInGB: it.DiskSize, BillingPeriod: it.BillingPeriod}
	if memory, err := strconv.ParseFloat(string(it.Memory), 64); err == nil { // a string is quoted
		flat.Resource.MemoryInGB = floatText(memory / 1024)
	}
	gpus := 0
	if h := it.Hosted; h != nil && h.Configuration != nil && h.Configuration.GPUs != nil {
		gpus = len(h.Configuration.GPUs.GPUs)
		flat.Resource.GPUs = &gpus
	}
	vcpu, err := strconv.Atoi(string(it.VCPU))
	if err != nil {
		return
	}
	flat.Resource.InstanceType = instanceType(vcpu, gpus)
	period := text(it.BillingPeriod)
	if period == "" || period == "skip" {
		return
	}
	disk, _ := strconv.Atoi(string(it.DiskSize))
	rate := flatRate{Compute: money(vcpu)*pricePerVCPU + money(gpus)*pricePerGPU, Disk: money(disk) * pricePerGB}
	rate.Total = rate.Compute + rate.Disk
	flat.Resource.ComputeBillingPrice, flat.HourlyRate, flat.BillingInterval = &rate.Compute, &rate, &period
	if gpus > 0 && chance(r, 50) {
		flat.GPURentalOrder = &flatGPUOrder{
			OrderID: "ord_" + hexText(r, 8), Status: "active", HourlyRate: money(gpus) * pricePerGPU,
			StartedAt: timeText(createdAt), EndsAt: timeText(createdAt.AddDate(1, 0, 0)),
		}
	}
}

func instanceType(vcpu, gpus int) *string {
	if gpus > 0 {
		return new(fmt.Sprintf("h200.%dx", gpus))
	}
	switch vcpu {
	case 1:
		return new("tdx.small")
	case 2:
		return new("tdx.medium")
	case 4:
		return new("tdx.large")
	case 8:
		return new("tdx.xlarge")
	case 16:
		return new("tdx.2xlarge")
	}
	return nil
}

func (it *hostedItem) node() *flatNode {
	if it.Node == nil {
		return nil
	}
	r := seededBy("node", it.Node.ID)
	n := &flatNode{
		ObjectType: "node", ID: it.Node.ID, NodeID: 1 + r.IntN(100), Name: it.Node.Name, Region: it.Node.RegionIdentifier,
		DeviceIDs: []flatDevice{}, Status: "ONLINE", Version: "v0.5.7",
	}
	switch r.IntN(8) {
	case 0:
		n.Status = "OFFLINE"
	case 1:
		n.Status = "MAINTENANCE"
	}
	if !chance(r, 10) {
		n.DeviceID, n.PPID = new(hexText(r, 64)), new(hexText(r, 32))
		n.DeviceIDs = append(n.DeviceIDs, flatDevice{*n.DeviceID, "v3.0.0", true})
	}
	return n
}

// kms returns null if there is no key management service. One that is not on a chain has no
// addresses: that of the service is "", and the others are null.
func (it *hostedItem) kms(r *rand.Rand) *flatKMS {
	pubkey := hexText(r, 64)
	if it.KMSInfo == nil && isNull(it.ContractAddress) && isNull(it.DeployerAddress) {
		return nil
	}
	k := &flatKMS{
		DstackKMSAddress: json.RawMessage(`""`), DstackAppAddress: it.ContractAddress, DeployerAddress: it.DeployerAddress,
		EncryptedEnvPubkey: pubkey,
	}
	if it.KMSInfo != nil {
		k.ChainID, k.RPCEndpoint = it.KMSInfo.ChainID, it.KMSInfo.URL
		k.DstackKMSAddress = orDefault(it.KMSInfo.ContractAddress, `""`)
		k.K256Pubkey = "02" + hexText(seededBy("kms", it.KMSInfo.URL), 64)
	}
	return k
}

func kmsType(chain json.RawMessage) string {
	switch string(chain) {
	case "", "null":
		return "phala"
	case "1":
		return "ethereum"
	case "8453":
		return "base"
	}
	return "legacy"
}

// progress returns the operation in progress. Without one it is null, or an object of nulls.
func (it *hostedItem) progress(r *rand.Rand, since time.Time) *flatProgress {
	correlation, absent := uuid(r), chance(r, 50)
	if string(it.InProgress) != "true" {
		if absent {
			return nil
		}
		return &flatProgress{}
	}
	target := "running"
	if text(it.Status) == "shutting_down" {
		target = "stopped"
	}
	return &flatProgress{Target: &target, StartedAt: new(timeText(since)), CorrelationID: &correlation}
}

func (it *hostedItem) workspace() *flatWorkspace {
	if it.ManagedUser == nil {
		return nil
	}
	r := seededBy("workspace", it.ManagedUser.Username)
	w := &flatWorkspace{ObjectType: "workspace", ID: "wks_" + hexText(r, 8), Name: "Workspace of " + text(it.ManagedUser.Username)}
	if !chance(r, 20) {
		w.Slug = new("workspace-" + w.ID[4:])
	}
	if chance(r, 30) {
		w.AvatarURL = new("https://avatars.example/" + w.ID)
	}
	return w
}

func (it *hostedItem) creator() *flatCreator {
	if it.ManagedUser == nil {
		return nil
	}
	return &flatCreator{
		ObjectType: "user", ID: nullable(userID(it.ManagedUser.ID, it.ManagedUser.Username)), Username: it.ManagedUser.Username,
	}
}

// userID returns the id of a user for the flat shape and for filters, from an id and a name of the
// hosted shape. It is empty if the user has neither.
func userID(id, username json.RawMessage) string {
	if hashed := text(id); strings.HasPrefix(hashed, userPrefix) {
		return hashed
	}
	if name := text(username); name != "" {
		return userPrefix + name
	}
	return ""
}

const userPrefix = "usr_"

// decode decodes JSON into a struct. Members of the wrong type remain null.
func decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if _, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // Unmarshal returns it unwrapped
		return nil
	}
	return err
}

// text returns the value of a string, and "" for other values.
func text(v json.RawMessage) (s string) {
	_ = json.Unmarshal(v, &s)
	return s
}

func isNumber(v json.RawMessage) bool { return json.Unmarshal(v, new(float64)) == nil && !isNull(v) }

func isNull(v json.RawMessage) bool { return v == nil || string(v) == "null" }

func orDefault(v json.RawMessage, fallback string) json.RawMessage {
	if isNull(v) {
		return json.RawMessage(fallback)
	}
	return v
}

// timeText formats a time like the real API.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func hashOf(s *string) *string {
	if s == nil {
		return nil
	}
	return new(hash(*s))
}

// seededBy returns a source of values that depend only on the kind and the id of an object.
func seededBy(kind string, id json.RawMessage) *rand.Rand {
	sum := sha256.Sum256([]byte(kind + string(id)))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
}
