package demo

import (
	"bytes"
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
	// not be modified: to change an item, assign another slice. Bytes that are not a JSON object
	// are served unchanged to callers of these versions. After JSON is assigned, the item no longer
	// changes by itself.
	JSON []byte

	entry *entry
}

// newItemSeed is the seed for the items of NewItem.
const newItemSeed = 0x5eed_0f_17e5

// NewItem returns a running CVM with realistic values, which depend only on serial. The ids and
// names of items with different serials differ from each other and from all items of an Upstream.
func NewItem(serial uint64) Item {
	m := newMachine(newCatalog(), newItemSeed, serial, "n"+strconv.FormatUint(serial, 10))
	m.run(time.Date(2026, time.June, 20, 12, 0, 0, 0, time.UTC))
	return newEntry(m).item()
}

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

// entry is an item of a list. It is immutable. It is encoded when it is first served, because most
// items of a long list never are.
type entry struct {
	id      string
	node    *int     // nil if the item has no node
	owner   string   // user name; empty if the item has no owner
	machine *machine // nil if a test wrote the JSON

	once sync.Once
	json []byte
}

func newEntry(m *machine) *entry {
	e := &entry{machine: m}
	if m.stage != provisioning {
		e.id = m.id
	}
	if m.node != nil {
		e.node = &m.node.id
	}
	if m.owner != nil {
		e.owner = m.owner.Username
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
	var decoded item
	if json.Unmarshal(it.JSON, &decoded) != nil {
		return e // deliberately invalid, so there are no values to filter by
	}
	if decoded.Node != nil {
		e.node = &decoded.Node.ID
	}
	if decoded.ManagedUser != nil {
		e.owner = decoded.ManagedUser.Username
	}
	return e
}
