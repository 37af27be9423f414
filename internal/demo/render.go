package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
)

// item returns the item of the machine. It draws all constant values before it uses the stage, so
// that an item keeps its configuration while its status changes.
func (m *machine) item() *item {
	r := rand.New(rand.NewPCG(m.key, 1))
	config := m.configuration(r)
	it := &item{
		Name:          m.name,
		PublicURLs:    []publicURL{},
		ManagedUser:   m.owner,
		Listed:        chance(r, 10),
		AllowUpgrade:  !chance(r, 30),
		ProjectType:   oneOf(r, 60, "user", "template", "agent"),
		BillingPeriod: oneOf(r, 5, "hourly", "hourly", "monthly", "skip"),
		GatewayDomain: nullable(m.gateway()),
	}
	if !chance(r, 10) {
		it.ProjectID = new("prj_" + hexText(r, 8))
	}
	deployer := "0x" + hexText(r, 40)
	withKMS, brief, bare, absent := !chance(r, 4), chance(r, 2), chance(r, 2), chance(r, 50)

	if m.node != nil {
		it.Node = &nodeInfo{m.node.id, m.node.name, m.node.region}
		if withKMS {
			it.KMSInfo = m.node.kms
		}
	}
	if it.KMSInfo != nil && it.KMSInfo.ChainID != nil {
		it.ContractAddress, it.DeployerAddress = new("0x"+m.appID), &deployer
	}
	it.Status, _ = m.stage.status()
	it.InProgress = m.stage.transient() && m.stage != maintenance
	if m.stage == provisioning {
		if !absent {
			it.Hosted = new((*hosted)(nil))
		}
		return it
	}

	it.VCPU, it.Memory, it.DiskSize = &config.VCPU, &config.Memory, &config.DiskSize
	h := m.hosted()
	it.Hosted = &h
	if !brief { // in brief mode the host omits the configuration
		h.Configuration = config
	}
	if bare { // the host does not know it yet
		h.ExitedAt = nil
	}
	if h.AppURL != nil {
		it.DappDashboardURL = h.AppURL
		it.SyslogEndpoint = new(*h.AppURL + "/logs?token=FAKE-DEMO-TOKEN-" + m.id[:8])
	}
	it.PublicURLs = m.publicURLs()
	return it
}

func (m *machine) hosted() *hosted {
	h := &hosted{
		ID:       m.id,
		Name:     m.name,
		AppID:    m.appID,
		Uptime:   "never",
		ExitedAt: new("never"),
		Events:   m.events,
	}
	if h.Events == nil {
		h.Events = []event{}
	}
	_, h.Status = m.stage.status()
	if !m.bootedAt.IsZero() {
		h.Uptime = formatDuration(m.observedAt.Sub(m.bootedAt))
	}
	if !m.stoppedAt.IsZero() {
		h.ExitedAt = new(formatDuration(m.observedAt.Sub(m.stoppedAt)))
	}
	if m.reported() {
		h.InstanceID = nullable(m.instanceID)
		if domain := m.gateway(); domain != "" {
			h.AppURL = new("https://" + cmp.Or(m.instanceID, m.appID) + "-8090." + domain)
		}
	}
	if !m.reportsNothing() {
		h.BootProgress = new(m.bootProgress())
		h.BootError = &m.bootError
		h.ShutdownProgress = new(m.shutdownProgress())
		h.ImageVersion = &m.catalog.releases[m.release]
	}
	return h
}

// reported reports whether the guest has reported its instance id, in the third step of its boot.
func (m *machine) reported() bool { return m.identified || m.bootSteps >= 3 }

// publicURLs returns the URLs of the machine's ports. The URL of an instance is empty until the
// instance has an id.
func (m *machine) publicURLs() []publicURL {
	urls := []publicURL{}
	if m.gateway() == "" {
		return urls
	}
	for _, p := range []int{80, m.app.port}[:1+m.key%2] {
		u := publicURL{App: fmt.Sprintf("https://%s-%d.%s", m.appID, p, m.gateway())}
		if m.instanceID != "" && m.reported() {
			u.Instance = fmt.Sprintf("https://%s-%d.%s", m.instanceID, p, m.gateway())
		}
		urls = append(urls, u)
	}
	return urls
}

func (m *machine) configuration(r *rand.Rand) *configuration {
	size := 1 << r.IntN(5)
	memory := size * 2048
	if size == 1 && m.key%4 == 0 {
		memory = 512
	}
	c := &configuration{
		Name:        m.name,
		Image:       m.image(r),
		VCPU:        size,
		Memory:      memory,
		DiskSize:    20 * (1 + r.IntN(size*2)),
		Ports:       ports(r),
		AppID:       &m.appID,
		UserConfig:  m.userConfig(r),
		Hugepages:   chance(r, 5),
		PinNUMA:     chance(r, 5),
		GPUs:        m.gpus,
		KMSURLs:     []string{},
		GatewayURLs: []string{},
	}
	if !chance(r, 2) {
		c.ComposeFile = m.composeFile(r)
	}
	if !chance(r, 15) {
		// A public key of 32 bytes and a nonce of 12 bytes precede the ciphertext.
		c.EncryptedEnv = new(hexText(r, 2*(32+12+64+r.IntN(500))))
	}
	if domain := m.gateway(); domain != "" && chance(r, 40) {
		c.KMSURLs = append(c.KMSURLs, "https://kms."+domain)
		c.GatewayURLs = append(c.GatewayURLs, "https://gateway."+domain, "https://gateway-2."+domain)
	}
	return c
}

func (m *machine) image(r *rand.Rand) string {
	switch version := m.catalog.releases[m.release]; {
	case m.node != nil && m.node.gpus != nil:
		return "dstack-nvidia-" + version
	case chance(r, 15):
		return "dstack-dev-" + version
	default:
		return "dstack-" + version
	}
}

// userConfig returns a JSON document for the guest, as a string.
func (m *machine) userConfig(r *rand.Rand) *string {
	if chance(r, 20) {
		return nil
	}
	keys := []string{}
	for range r.IntN(3) {
		keys = append(keys, "ssh-ed25519 AAAAFAKEDEMOKEY"+hexText(r, 41)+" demo@laptop")
	}
	config := struct {
		Hostname string   `json:"hostname"`
		Keys     []string `json:"ssh_authorized_keys"`
		Domain   *string  `json:"default_gateway_domain"`
		Motd     string   `json:"motd,omitempty"`
	}{Hostname: m.name, Keys: keys, Domain: nullable(m.gateway())}
	if chance(r, 5) {
		config.Motd = awkwardText
	}
	return new(string(mustEncode(config)))
}

func ports(r *rand.Rand) []port {
	if chance(r, 30) {
		return nil
	}
	list := []port{}
	for _, p := range []int{22, 8090, 9100, 51820}[:r.IntN(5)] {
		protocol := "tcp"
		if p == 51820 {
			protocol = "udp"
		}
		list = append(list, port{protocol, 10_000 + r.IntN(50_000), p, oneOf(r, 20, "127.0.0.1", "127.0.0.1", "0.0.0.0")})
	}
	return list
}

// oneOf returns one of the values, or nil with a probability of nilPercent.
func oneOf(r *rand.Rand, nilPercent int, values ...string) *string {
	i := r.IntN(len(values))
	if chance(r, nilPercent) {
		return nil
	}
	return &values[i]
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
