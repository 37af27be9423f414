package demo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"sync"
	"time"
)

// Item is one CVM of a list, for use with [Upstream.Edit].
type Item struct {
	// ID is the item's hosted.id, a UUID. It is empty while the item has none.
	ID string

	// JSON is the item in responses of the API versions 2025-05-31 and 2025-10-28. Its bytes must
	// not be modified: to change an item, assign another slice. Other versions have the same values
	// in the flat shape. Bytes that are not a JSON object are served unchanged. After JSON is
	// assigned, the item no longer changes by itself.
	JSON []byte

	entry *entry
}

// Flat returns the item in responses of the API versions since 2026-01-21.
func (it Item) Flat() []byte { return it.toEntry().flat() }

// newItemSeed is the seed for the items of NewItem.
const newItemSeed = 0x5eed_0f_17e5

// NewItem returns a running CVM with realistic values, which depend only on serial. The ids and
// names of items with different serials differ from each other and from all items of an Upstream.
func NewItem(serial uint64) Item {
	m := newMachine(newCatalog(), newItemSeed, serial, "n"+strconv.FormatUint(serial, 10))
	m.createdAt = newItemTime().Add(-time.Minute)
	m.run(newItemTime())
	return newEntry(m).item()
}

// newItemTime returns the time when items of NewItem booted.
func newItemTime() time.Time { return time.Date(2026, time.June, 20, 12, 0, 0, 0, time.UTC) }

// Edit replaces the list of a tenant by the result of fn, between two requests. Fn receives the
// current list in its order. It may modify and keep the slice, but must not call Edit or IDs.
// Changes by the clock continue from the result, and their target size changes by the same number
// of items. An Upstream keeps about a thousand tenants, or fewer if their lists are long. It
// discards the least recently used ones, including their edits.
func (u *Upstream) Edit(t Tenant, fn func(items []Item) []Item) {
	u.tenants.list(t).edit(u.options.Now(), func(entries []*entry) []*entry {
		items := make([]Item, len(entries))
		for i, e := range entries {
			items[i] = e.item()
		}
		items = fn(items)
		entries = make([]*entry, len(items))
		for i, it := range items {
			entries[i] = it.toEntry()
		}
		return entries
	})
}

// IDs returns the hosted.id of each item of a tenant's current list, in its order. Items without a
// hosted.id have an empty one. The caller owns the slice.
func (u *Upstream) IDs(t Tenant) []string {
	entries := u.tenants.list(t).at(u.options.Now())
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return ids
}

// entry is an item of a list. It is immutable. Each shape is encoded when it is first served,
// because most items of a long list never are.
type entry struct {
	id        string
	node      *int     // nil if the item has no node
	owner     string   // user id; empty if the item has no owner
	machine   *machine // nil if a test wrote the JSON
	origin    origin
	changedAt time.Time

	once     sync.Once
	json     []byte
	onceFlat sync.Once
	flatJSON []byte
}

func newEntry(m *machine) *entry {
	e := &entry{machine: m, origin: origin{m.key, m.createdAt}, changedAt: m.observedAt}
	if m.stage != provisioning {
		e.id = m.id
	}
	if m.node != nil {
		e.node = &m.node.id
	}
	if m.owner != nil {
		e.owner = m.owner.userID()
	}
	return e
}

func (e *entry) encoded() []byte {
	e.once.Do(func() {
		if e.machine != nil {
			e.json = mustEncode(e.machine.item())
		}
	})
	return e.json
}

// flat returns the item in the flat shape.
func (e *entry) flat() []byte {
	e.onceFlat.Do(func() { e.flatJSON = flatten(e.encoded(), e.origin, e.changedAt) })
	return e.flatJSON
}

func (e *entry) item() Item {
	return Item{ID: e.id, JSON: e.encoded(), entry: e}
}

// toEntry returns the entry that an item came from, or a new one if the item was changed or
// written by hand.
func (it Item) toEntry() *entry {
	if it.entry != nil && it.ID == it.entry.id && bytes.Equal(it.JSON, it.entry.encoded()) {
		return it.entry
	}
	e := &entry{id: it.ID, json: it.JSON}
	var decoded hostedItem
	if decode(it.JSON, &decoded) == nil { // otherwise deliberately invalid: no values to filter by
		if node := decoded.Node; node != nil && json.Unmarshal(node.ID, &e.node) != nil {
			e.node = nil
		}
		if user := decoded.ManagedUser; user != nil {
			e.owner = userID(user.ID, user.Username)
		}
	}
	if from := it.entry; from != nil && (it.ID == from.id || from.id == "") {
		e.origin, e.changedAt = from.origin, from.changedAt
	} else {
		e.origin = originOf(cmp.Or(it.ID, text(decoded.Name)))
		e.changedAt = e.origin.createdAt.Add(time.Minute)
	}
	return e
}
