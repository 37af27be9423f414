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

// These limits keep many invented tokens from filling the memory. An item takes about 5 KB once it
// was served.
const (
	maxTenants = 1024
	maxItems   = 1 << 16 // of all tenants, when created
)

// A tenant whose credential starts with changingPrefix has a list that changes with each response.
const (
	changingPrefix     = "changing-"
	changingItems      = 80 // at most, plus or minus 5 %; so one page of 100 contains all of them
	changesPerResponse = 5
)

// Tenant identifies the list that a credential sees. It is comparable. Either Bearer or APIKey is
// set. The same string in Bearer and in APIKey identifies two different lists.
type Tenant struct {
	Bearer    string // the token after "Authorization: Bearer "
	APIKey    string // the value of X-API-Key
	Workspace string // the value of X-Phala-Workspace, or empty
}

// changing reports whether the tenant's list changes before each response instead of by the clock.
func (t Tenant) changing() bool {
	return strings.HasPrefix(cmp.Or(t.Bearer, t.APIKey), changingPrefix)
}

type digest [sha256.Size]byte

// tenants holds the lists of the most recently used tenants.
type tenants struct {
	options Options
	catalog *catalog
	limit   int

	mu     sync.Mutex
	lists  map[digest]*list.Element // of *fleet
	recent *list.List               // most recently used first
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

// list returns the list of a tenant. It creates the list if necessary.
func (ts *tenants) list(t Tenant) *fleet {
	// The digest has a fixed size, and no credential is stored.
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
		catalog:     ts.catalog,
		key:         key,
		seed:        binary.LittleEndian.Uint64(key[:]),
		changeEvery: ts.options.ChangeEvery,
		target:      ts.options.Items,
	}
	if t.changing() {
		f.changeEvery, f.changesPerResponse, f.target = 0, changesPerResponse, min(f.target, changingItems)
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
	catalog     *catalog
	key         digest
	seed        uint64
	changeEvery time.Duration // between two changes by the clock; 0 for no changes

	changesPerResponse int // changes before each response

	mu      sync.Mutex
	created time.Time // zero if entries do not exist yet
	target  int       // the number of items that changes stay near
	serial  uint64    // of the next machine
	steps   int64     // number of changes so far
	entries []*entry  // replaced and never modified, so readers need no lock
}

// at returns the list at a time. The caller must not modify it.
func (f *fleet) at(now time.Time) []*entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(now)
	return f.entries
}

// forResponse returns the list for a response at a time, after the changes that each response
// makes. The caller must not modify it.
func (f *fleet) forResponse(now time.Time) []*entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(now)
	if f.changesPerResponse > 0 {
		entries := slices.Clone(f.entries)
		for range f.changesPerResponse {
			f.steps++
			entries = f.change(entries, now)
		}
		f.entries = entries
	}
	return f.entries
}

// edit replaces the list at a time by the result of fn, which must not modify its argument.
func (f *fleet) edit(now time.Time, fn func([]*entry) []*entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance(now)
	before := len(f.entries)
	f.entries = fn(f.entries)
	f.target = max(0, f.target+len(f.entries)-before)
}

// newMachine returns a machine that the fleet never had. The caller holds f.mu.
func (f *fleet) newMachine() *machine {
	f.serial++
	return newMachine(f.catalog, f.seed, f.serial, strconv.FormatUint(f.serial, 10))
}

// advance makes the changes that are due. At the first use it creates the list, so that creating
// one does not block other tenants. The caller holds f.mu.
func (f *fleet) advance(now time.Time) {
	if f.created.IsZero() {
		f.created = now
		f.entries = make([]*entry, f.target)
		for i := range f.entries {
			m := f.newMachine()
			m.simulatePast(now)
			f.entries[i] = newEntry(m)
		}
	}
	if f.changeEvery <= 0 {
		return
	}
	due := int64(now.Sub(f.created) / f.changeEvery)
	if due <= f.steps {
		return
	}
	// After a long time without requests, most overdue changes are skipped.
	f.steps = max(f.steps, due-maxCatchUp)
	entries := slices.Clone(f.entries)
	for f.steps < due {
		f.steps++
		entries = f.change(entries, f.created.Add(time.Duration(f.steps)*f.changeEvery))
	}
	f.entries = entries
}
