package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// machine is the state of one CVM: its identity, its node and its lifecycle. The other values of
// its item are drawn from key when the item is encoded. A machine in a list is immutable: next
// returns its successor.
type machine struct {
	catalog    *catalog
	key        uint64
	name       string // unique in its list, RFC 1123, 5 to 63 characters
	id         string // UUID
	appID      string
	instanceID string // empty if the machine has none
	app        *app
	node       *node        // nil if it has no node yet
	owner      *managedUser // nil if it has no owner
	release    int          // index in the catalog's releases
	gpus       *gpuConfig   // nil if unknown

	createdAt time.Time

	stage      stage
	bootSteps  int       // completed steps of the current boot
	identified bool      // whether the guest has reported its instance id
	observedAt time.Time // when the host observed the state below
	bootedAt   time.Time // start of the last boot; zero if there was none
	stoppedAt  time.Time // end of the last run; zero while it runs
	bootError  string
	events     []event // oldest first
}

// newMachine returns a machine that is being provisioned. Equal seeds and serials give equal
// machines. The tag makes the name unique.
func newMachine(c *catalog, seed, serial uint64, tag string) *machine {
	r := rand.New(rand.NewPCG(seed, serial))
	m := &machine{
		catalog:    c,
		key:        r.Uint64(),
		id:         uuid(r),
		appID:      hexText(r, 40),
		instanceID: hexText(r, 40),
		app:        &c.apps[r.IntN(len(c.apps))],
	}
	m.name = name(r, m.app.name, tag)
	if chance(r, 10) { // some machines are replicas of one app
		m.appID = hexText(rand.New(rand.NewPCG(seed, r.Uint64N(6))), 40)
	}
	if !chance(r, 3) {
		m.node = c.nodes[r.IntN(len(c.nodes))]
	}
	if !chance(r, 5) {
		m.owner = c.owners[r.IntN(len(c.owners))]
	}
	m.release = min(r.IntN(len(c.releases)), r.IntN(len(c.releases)))
	if !chance(r, 1) {
		m.gpus = drawGPUs(r, m.node)
	}
	if chance(r, 3) {
		m.instanceID = ""
	}
	return m
}

func drawGPUs(r *rand.Rand, n *node) *gpuConfig {
	c := &gpuConfig{GPUs: []gpu{}, AttachMode: "listed"}
	switch {
	case n == nil || n.gpus == nil:
	case chance(r, 25):
		c.AttachMode = "all"
	default:
		for _, i := range r.Perm(len(n.gpus))[:1+r.IntN(2)] {
			g := gpu{Slot: n.gpus[i]}
			if !chance(r, 20) {
				g.ProductID = new("2335")
			}
			c.GPUs = append(c.GPUs, g)
		}
	}
	return c
}

// name returns a host name for an app. A few have the maximum length.
func name(r *rand.Rand, app, tag string) string {
	if chance(r, 30) {
		app = []string{"staging-", "eu-", "team-b-", "v2-"}[r.IntN(4)] + app
	}
	if chance(r, 2) {
		app = "end-to-end-environment-of-the-nightly-build-for-" + app + "-replica"
	}
	app = app[:min(len(app), 63-1-len(tag))]
	return strings.TrimRight(app, "-") + "-" + tag
}

// gateway returns the gateway's domain. It is empty if the machine has no node.
func (m *machine) gateway() string {
	if m.node == nil {
		return ""
	}
	return m.node.domain
}

// reportsNothing reports whether the machine's release reports neither progress nor events.
func (m *machine) reportsNothing() bool { return m.release >= firstSilentRelease }

// bootScript returns the events of a boot in their order, without timestamps.
func (m *machine) bootScript() []event {
	disk := "initializing data disk"
	if m.identified {
		disk = "mounting data disk"
	}
	progress := func(body string) event { return event{Event: "boot.progress", Body: body} }
	script := []event{
		progress(disk),
		progress("requesting app keys"),
		{Event: "instance.info", Body: fmt.Sprintf(
			`{"instance_id_seed":"%016x%024x","instance_id":"%s","app_id":"%s"}`,
			m.key, m.key>>8, m.instanceID, m.appID)},
		progress("data disk ready"),
		progress("setting up dstack-gateway"),
		progress("setting up docker"),
		progress("pre-launch"),
		progress("starting containers"),
		progress("done"),
	}
	if m.gpus != nil && (len(m.gpus.GPUs) > 0 || m.gpus.AttachMode == "all") {
		script = slices.Insert(script, 4, progress("attesting GPU"))
	}
	return script
}

// maxEvents is the maximum number of events that a host stores.
const maxEvents = 20

// record appends events, the last of which occurred at the given time. It removes the oldest events
// if there are too many.
func (m *machine) record(at time.Time, events ...event) {
	if m.reportsNothing() {
		return
	}
	last := int64(0)
	if n := len(m.events); n > 0 {
		last = m.events[n-1].Timestamp
	}
	for i := range events {
		before := int64(len(events)-1-i) * int64(700+m.key%1900)
		last = max(last, at.UnixMilli()-before)
		events[i].Timestamp = last
	}
	// Concat, because append could overwrite events of the predecessor.
	m.events = slices.Concat(m.events, events)
	m.events = m.events[max(0, len(m.events)-maxEvents):]
}

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func hexText(r *rand.Rand, digits int) string {
	const hex = "0123456789abcdef"
	b := make([]byte, digits)
	var bits uint64
	for i := range b {
		if i%16 == 0 {
			bits = r.Uint64()
		}
		b[i] = hex[bits&15]
		bits >>= 4
	}
	return string(b)
}

func uuid(r *rand.Rand) string {
	h := hexText(r, 31)
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-" + "89ab"[h[30]&3:][:1] + h[15:18] + "-" + h[18:30]
}
