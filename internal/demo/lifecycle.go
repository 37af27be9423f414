package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// stage is the current stage of a machine's lifecycle.
type stage int

const (
	provisioning stage = iota // not on a host yet
	starting
	running
	restarting
	updating
	shuttingDown
	maintenance
	stopped
	exited
	failed
)

// transient reports whether a machine leaves the stage by itself.
func (s stage) transient() bool {
	return s != running && s != stopped && s != exited && s != failed
}

// status returns the status of a stage as reported by the backend and by the host.
func (s stage) status() (backend, host string) {
	status := [...]struct{ backend, host string }{
		provisioning: {"provisioning", ""},
		starting:     {"starting", "running"},
		running:      {"running", "running"},
		restarting:   {"restarting", "stopping"},
		updating:     {"updating", "stopped"},
		shuttingDown: {"shutting_down", "stopping"},
		maintenance:  {"maintenance", "running"},
		stopped:      {"stopped", "stopped"},
		exited:       {"exited", "exited"},
		failed:       {"error", "running"},
	}[s]
	return status.backend, status.host
}

// simulatePast simulates the lifecycle of a new machine up to now, so that a new list looks as if
// it had existed for a long time.
func (m *machine) simulatePast(now time.Time) {
	r := rand.New(rand.NewPCG(m.key, 0))
	m.observedAt, m.createdAt = now, now.Add(-time.Minute)
	dice := r.IntN(100)
	if dice < 3 {
		return // still provisioning
	}
	if dice < 6 {
		m.boot(now, 1+r.IntN(8))
		return
	}
	// Ages range from minutes to months, all magnitudes with about the same frequency.
	age := time.Duration(r.Int64N(int64(time.Hour) << r.IntN(12)))
	since := now.Add(-age)
	m.createdAt = since.Add(-4 * time.Hour)
	for hours := r.IntN(4) - 1; hours > 0; hours-- {
		m.run(since.Add(-time.Duration(hours) * time.Hour))
		m.halt(stopped, since.Add(-time.Duration(hours)*time.Hour+20*time.Minute))
	}
	if dice < 8 {
		m.boot(since, 2)
		m.fail(since)
		m.observedAt = now
		return
	}
	m.run(since)
	switch {
	case dice < 9:
		m.halt(restarting, now)
	case dice < 10:
		m.halt(updating, now)
	case dice < 11:
		m.halt(shuttingDown, now)
	case dice < 12:
		m.stage = maintenance
	case dice < 18:
		m.halt(stopped, now.Add(-age/2))
	case dice < 20:
		m.halt(exited, now.Add(-age/3))
	}
	m.observedAt = now
	if len(m.events) > 1 && chance(r, 2) {
		m.events[0].Timestamp = 0 // unknown to the host
	}
}

// boot starts or continues a boot until the given number of steps is complete.
func (m *machine) boot(at time.Time, steps int) {
	if m.stage != starting {
		m.stage, m.bootSteps, m.bootedAt, m.stoppedAt, m.bootError = starting, 0, at, time.Time{}, ""
	}
	script := m.bootScript()
	steps = min(steps, len(script))
	m.record(at, script[m.bootSteps:steps]...)
	m.observedAt = at
	if m.bootSteps = steps; steps == len(script) {
		m.stage, m.identified = running, true
	}
}

// run boots the machine completely.
func (m *machine) run(at time.Time) {
	m.boot(at, maxEvents)
}

// halt stops the machine or starts its shutdown.
func (m *machine) halt(to stage, at time.Time) {
	if to == exited {
		m.record(at, event{Event: "vmm.auto_restart.exhausted", Body: "exit status 1, 5 restarts within 10m"})
	} else if m.stage == running {
		m.record(at, event{Event: "shutdown.progress", Body: "powering off"})
	}
	if _, host := to.status(); host == "stopped" || host == "exited" {
		m.stoppedAt = at
	}
	m.stage, m.observedAt = to, at
}

// fail makes a boot fail.
func (m *machine) fail(at time.Time) {
	m.bootError = "Failed to request app keys: app is not allowed by the contract"
	if m.key%3 == 0 {
		m.bootError = "Failed to pull \"" + m.app.image + "\": \x1b[31mtoomanyrequests\x1b[0m\n\tretry later – später"
	}
	m.stage, m.observedAt = failed, at
	m.record(at, event{Event: "boot.error", Body: m.bootError})
}

// next returns the machine after one change.
func (m *machine) next(r *rand.Rand, now time.Time) *machine {
	n := *m
	switch n.stage {
	case provisioning, starting:
		if n.bootSteps >= 3 && chance(r, 4) {
			n.fail(now)
		} else {
			n.boot(now, n.bootSteps+3+r.IntN(2))
		}
	case restarting, updating, stopped, exited, failed:
		n.boot(now, 1+r.IntN(4))
	case shuttingDown:
		n.halt(stopped, now)
	case maintenance:
		n.stage, n.observedAt = running, now
	case running:
		switch r.IntN(6) {
		case 0:
			n.stage, n.observedAt = maintenance, now
		case 1:
			n.halt(exited, now)
		case 2:
			n.halt(updating, now)
		case 3:
			n.halt(restarting, now)
		default:
			n.halt(shuttingDown, now)
		}
	}
	return &n
}

// bootProgress returns the last completed boot step. It is empty before the first one.
func (m *machine) bootProgress() string {
	script := m.bootScript()
	for i := min(m.bootSteps, len(script)) - 1; i >= 0; i-- {
		if script[i].Event == "boot.progress" {
			return script[i].Body
		}
	}
	return ""
}

// shutdownProgress returns the shutdown step. It is empty unless the machine is shutting down.
func (m *machine) shutdownProgress() string {
	if m.stage == shuttingDown || m.stage == restarting {
		return "powering off"
	}
	return ""
}

// formatDuration formats a duration like the host: "3days 4h 12m 9s".
func formatDuration(d time.Duration) string {
	seconds := int64(d / time.Second)
	if seconds <= 0 {
		return "0s"
	}
	var parts []string
	for _, u := range []struct {
		seconds   int64
		one, more string
	}{
		{31_557_600, "year", "years"},
		{2_630_016, "month", "months"},
		{86_400, "day", "days"},
		{3_600, "h", "h"},
		{60, "m", "m"},
		{1, "s", "s"},
	} {
		if n := seconds / u.seconds; n > 0 {
			unit := u.more
			if n == 1 {
				unit = u.one
			}
			parts = append(parts, strconv.FormatInt(n, 10)+unit)
			seconds %= u.seconds
		}
	}
	return strings.Join(parts, " ")
}
