package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// stage is where a machine stands in its life.
type stage int

const (
	provisioning stage = iota // no host has it yet
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

// passing tells whether a machine leaves the stage by itself.
func (s stage) passing() bool {
	switch s {
	case provisioning, starting, restarting, updating, shuttingDown, maintenance:
		return true
	case running, stopped, exited, failed:
	}
	return false
}

// status returns the backend's word for the stage and the host's.
func (s stage) status() (backend, host string) {
	switch s {
	case provisioning:
		return "provisioning", ""
	case starting:
		return "starting", "running"
	case running:
		return "running", "running"
	case restarting:
		return "restarting", "stopping"
	case updating:
		return "updating", "stopped"
	case shuttingDown:
		return "shutting_down", "stopping"
	case maintenance:
		return "maintenance", "running"
	case stopped:
		return "stopped", "stopped"
	case exited:
		return "exited", "exited"
	case failed:
		return "error", "running"
	}
	panic("demo: unknown stage")
}

// settle gives a fresh machine a past, so that it stands in a list as if it
// had been there long before now.
func (m *machine) settle(now time.Time) {
	r := rand.New(rand.NewPCG(m.key, 0))
	m.seen = now
	dice := r.IntN(100)
	if dice < 3 {
		return // still provisioning
	}
	if dice < 6 {
		m.boot(now, 1+r.IntN(8))
		return
	}
	// Ages from minutes to months, every magnitude about as often.
	age := time.Duration(r.Int64N(int64(time.Hour) << r.IntN(12)))
	since := now.Add(-age)
	for hours := r.IntN(4) - 1; hours > 0; hours-- {
		m.run(since.Add(-time.Duration(hours) * time.Hour))
		m.halt(stopped, since.Add(-time.Duration(hours)*time.Hour+20*time.Minute))
	}
	if dice < 8 {
		m.boot(since, 2)
		m.fail(since)
		m.seen = now
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
	m.seen = now
	if len(m.events) > 1 && chance(r, 2) {
		m.events[0].Timestamp = 0 // as of a host that did not know it
	}
}

// boot starts a boot, or goes on with one, until the given number of its steps
// is done.
func (m *machine) boot(at time.Time, steps int) {
	if m.stage != starting {
		m.stage, m.booted, m.up, m.down, m.bootError = starting, 0, at, time.Time{}, ""
	}
	script := m.bootScript()
	steps = min(steps, len(script))
	m.record(at, script[m.booted:steps]...)
	m.seen = at
	if m.booted = steps; steps == len(script) {
		m.stage, m.known = running, true
	}
}

// run boots m to the end.
func (m *machine) run(at time.Time) {
	m.boot(at, maxEvents)
}

// halt ends a run, or begins to end it.
func (m *machine) halt(to stage, at time.Time) {
	if to == exited {
		m.record(at, event{Event: "vmm.auto_restart.exhausted", Body: "exit status 1, 5 restarts within 10m"})
	} else if m.stage == running {
		m.record(at, event{Event: "shutdown.progress", Body: "powering off"})
	}
	if _, host := to.status(); host == "stopped" || host == "exited" {
		m.down = at
	}
	m.stage, m.seen = to, at
}

// fail ends a boot halfway.
func (m *machine) fail(at time.Time) {
	m.bootError = "Failed to request app keys: app is not allowed by the contract"
	if m.key%3 == 0 {
		m.bootError = "Failed to pull \"" + m.app.image + "\": \x1b[31mtoomanyrequests\x1b[0m\n\tretry later – später"
	}
	m.stage, m.seen = failed, at
	m.record(at, event{Event: "boot.error", Body: m.bootError})
}

// next returns the machine as it is one change later.
func (m *machine) next(r *rand.Rand, now time.Time) *machine {
	n := *m
	switch n.stage {
	case provisioning, starting:
		if n.booted >= 3 && chance(r, 4) {
			n.fail(now)
		} else {
			n.boot(now, n.booted+3+r.IntN(2))
		}
	case restarting, updating, stopped, exited, failed:
		n.boot(now, 1+r.IntN(4))
	case shuttingDown:
		n.halt(stopped, now)
	case maintenance:
		n.stage, n.seen = running, now
	case running:
		switch r.IntN(6) {
		case 0:
			n.stage, n.seen = maintenance, now
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

// progress returns the last boot step that is done, "" before the first.
func (m *machine) progress() string {
	script := m.bootScript()
	for i := min(m.booted, len(script)) - 1; i >= 0; i-- {
		if script[i].Event == "boot.progress" {
			return script[i].Body
		}
	}
	return ""
}

// shutdown returns the shutdown step, "" outside of one.
func (m *machine) shutdown() string {
	if m.stage == shuttingDown || m.stage == restarting {
		return "powering off"
	}
	return ""
}

// words spells a duration as the host does: "3days 4h 12m 9s".
func words(d time.Duration) string {
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
