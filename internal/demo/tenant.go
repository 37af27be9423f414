package demo

import (
	"cmp"
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A flood of made-up tokens must not fill the memory: an item takes about 5 KB
// once it was served.
const (
	maxTenants = 1024
	maxItems   = 1 << 16 // of all tenants together, as they were created
)

// What a credential has that begins with changingPrefix.
const (
	changingPrefix  = "changing-"
	changingItems   = 80 // at most, give or take a twentieth: one page of 100 holds all of them
	changesAnAnswer = 5
)

// Tenant names the list that a credential sees. It is comparable. Of Bearer
// and APIKey one is set; equal texts in the two name two different lists.
type Tenant struct {
	Bearer    string // the token after "Authorization: Bearer "
	APIKey    string // the value of X-API-Key
	Workspace string // the value of X-Phala-Workspace, "" for none
}

// changing tells whether the tenant's list changes before each answer instead
// of by the clock.
func (t Tenant) changing() bool {
	return strings.HasPrefix(cmp.Or(t.Bearer, t.APIKey), changingPrefix)
}

type digest [sha256.Size]byte

// tenants keeps the lists of the tenants seen last.
type tenants struct {
	options Options
	catalog *catalog
	limit   int

	mu     sync.Mutex
	lists  map[digest]*list.Element // of *fleet
	recent *list.List               // front: seen last
}

func newTenants(options Options) tenants {
	return tenants{
		options: options,
		catalog: newCatalog(),
		limit:   min(maxTenants, max(1, maxItems/max(1, options.Items))),
		lists:   make(map[digest]*list.Element),
		recent:  list.New(),
	}
}

// list returns the list of t, which is a new one for a tenant not seen before,
// or not seen for so long that it was forgotten.
func (ts *tenants) list(t Tenant) *fleet {
	// A digest bounds what a long token costs, and no credential is kept.
	key := t.digest(ts.options.Seed)
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if e, ok := ts.lists[key]; ok {
		ts.recent.MoveToFront(e)
		return e.Value.(*fleet)
	}
	if ts.recent.Len() >= ts.limit {
		oldest := ts.recent.Remove(ts.recent.Back()).(*fleet)
		delete(ts.lists, oldest.key)
	}
	f := &fleet{
		catalog: ts.catalog,
		key:     key,
		seed:    binary.LittleEndian.Uint64(key[:]),
		every:   ts.options.ChangeEvery,
		target:  ts.options.Items,
	}
	if t.changing() {
		f.every, f.anAnswer, f.target = 0, changesAnAnswer, min(f.target, changingItems)
	}
	ts.lists[key] = ts.recent.PushFront(f)
	return f
}

func (t Tenant) digest(seed uint64) digest {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	for _, s := range []string{t.Bearer, t.APIKey, t.Workspace} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// fleet is the list of one tenant.
type fleet struct {
	catalog *catalog
	key     digest
	seed    uint64
	every   time.Duration // between two changes by the clock, 0: none

	anAnswer int // changes before each answer

	mu     sync.Mutex
	born   time.Time // zero: not built yet
	target int       // the size that changes stay near
	serial uint64    // of the next machine
	steps  int64     // changes since born
	cells  []*cell   // replaced as a whole, so that readers need no lock
}

// at returns the list at the given time, newest changes included. The caller
// must not write to it.
func (f *fleet) at(now time.Time) []*cell {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp(now)
	return f.cells
}

// answer returns the list for an answer at the given time, behind the changes
// that come with each answer. The caller must not write to it.
func (f *fleet) answer(now time.Time) []*cell {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp(now)
	if f.anAnswer > 0 {
		cells := slices.Clone(f.cells)
		for range f.anAnswer {
			f.steps++
			cells = f.change(cells, now)
		}
		f.cells = cells
	}
	return f.cells
}

// edit replaces the list at the given time by what fn makes of it. fn must
// leave its argument as it is.
func (f *fleet) edit(now time.Time, fn func([]*cell) []*cell) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp(now)
	before := len(f.cells)
	f.cells = fn(f.cells)
	f.target = max(0, f.target+len(f.cells)-before)
}

// newMachine returns a machine that the fleet never had. f.mu is held.
func (f *fleet) newMachine() *machine {
	f.serial++
	return newMachine(f.catalog, f.seed, f.serial, strconv.FormatUint(f.serial, 10))
}

// catchUp builds the list at its first use, outside the lock of all tenants,
// and makes the changes that are due. f.mu is held.
func (f *fleet) catchUp(now time.Time) {
	if f.born.IsZero() {
		f.born = now
		f.cells = make([]*cell, f.target)
		for i := range f.cells {
			m := f.newMachine()
			m.settle(now)
			f.cells[i] = newCell(m)
		}
	}
	if f.every <= 0 {
		return
	}
	due := int64(now.Sub(f.born) / f.every)
	if due <= f.steps {
		return
	}
	// Whoever comes back after a night does not wait for all of it.
	f.steps = max(f.steps, due-maxSteps)
	cells := slices.Clone(f.cells)
	for f.steps < due {
		f.steps++
		cells = f.change(cells, f.born.Add(time.Duration(f.steps)*f.every))
	}
	f.cells = cells
}
