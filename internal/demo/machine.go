package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// machine is one CVM of a list: who and where it is, and how far its life has
// come. The rest of its item is drawn from key when the item is encoded. A
// machine in a list is never changed; next returns its successor.
type machine struct {
	catalog    *catalog
	key        uint64
	name       string // unique in its list, RFC 1123, 5 to 63 characters
	id         string // UUID
	appID      string
	instanceID string
	app        *app
	node       *node        // nil: not placed
	owner      *managedUser // nil: nobody
	release    int          // place in the catalogue's releases
	gpus       *gpuConfig   // nil: unknown

	stage     stage
	booted    int       // steps of the current boot that are done
	known     bool      // the guest has told its instance id once
	seen      time.Time // when the state below was observed
	up        time.Time // start of the last boot, zero for none
	down      time.Time // end of the last run, zero while it runs
	bootError string
	events    []event // oldest first
}

// newMachine returns a machine that is being provisioned. Equal seeds and
// serials give equal machines; tag makes the name unique.
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
	if chance(r, 10) { // replicas: some machines run the same app
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

// name returns a host name for an app. A few are as long as they may be.
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

// gateway returns the domain that the machine is reached under, "" for none.
func (m *machine) gateway() string {
	if m.node == nil {
		return ""
	}
	return m.node.domain
}

// silent tells whether the machine's host reports no progress.
func (m *machine) silent() bool { return m.release >= silentRelease }

// bootScript returns the events of a boot in their order, without times.
func (m *machine) bootScript() []event {
	disk := "initializing data disk"
	if m.known {
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

// maxEvents is the number of events that a host keeps.
const maxEvents = 20

// record appends events, of which the last happened at the given time, and
// forgets the oldest when there are too many.
func (m *machine) record(at time.Time, events ...event) {
	if m.silent() {
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
	// Concat, not append: the predecessor's events must stay as they are.
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
