package demo

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"
	"time"
)

// Item is one CVM of a list, as Edit shows it.
type Item struct {
	// ID is the item's hosted.id, a UUID, and "" while it has none.
	ID string

	// JSON is the item as it stands in an answer of the versions 2025-05-31
	// and 2025-10-28. Its bytes must not be written to: to change an item,
	// assign another slice. Text that is no JSON object is served as it is to
	// callers of these versions. An item whose JSON was assigned does not move
	// on by the clock any more.
	JSON []byte

	cell *cell
}

// madeToOrder is the seed of what NewItem returns.
const madeToOrder = 0x5eed_0f_17e5

// NewItem returns a running CVM with realistic values that depend on serial
// alone. Items of different serials differ in id and name from each other and
// from those that any Upstream makes up by itself.
func NewItem(serial uint64) Item {
	m := newMachine(newCatalog(), madeToOrder, serial, "n"+strconv.FormatUint(serial, 10))
	m.run(time.Date(2026, time.June, 20, 12, 0, 0, 0, time.UTC))
	return newCell(m).item()
}

// Edit replaces the list of t by what fn makes of it, between two requests. fn
// gets the list as it is now, in its order, and may keep and change the slice;
// it must not call Edit or IDs. Changes by the clock go on from the result; the
// size that they stay near moves as far as fn moved it. An Upstream keeps about
// a thousand tenants, fewer when their lists are long, and forgets the edits of
// those not seen for longest.
func (u *Upstream) Edit(t Tenant, fn func(items []Item) []Item) {
	u.tenants.list(t).edit(u.options.Now(), func(cells []*cell) []*cell {
		items := make([]Item, len(cells))
		for i, c := range cells {
			items[i] = c.item()
		}
		items = fn(items)
		cells = make([]*cell, len(items))
		for i, it := range items {
			cells[i] = it.asCell()
		}
		return cells
	})
}

// IDs returns the hosted.id of each item of t's list as it is now, in its
// order, with "" for items that have none yet. The slice is the caller's.
func (u *Upstream) IDs(t Tenant) []string {
	cells := u.tenants.list(t).at(u.options.Now())
	ids := make([]string, len(cells))
	for i, c := range cells {
		ids[i] = c.id
	}
	return ids
}

// cell is one place of a list. It is never changed, only replaced, and encodes
// itself when first served: most of a long list never is.
type cell struct {
	id      string
	node    *int     // nil: none
	owner   string   // user name, "" without owner
	machine *machine // nil: JSON by hand

	once sync.Once
	json []byte
}

func newCell(m *machine) *cell {
	c := &cell{machine: m}
	if m.stage != provisioning {
		c.id = m.id
	}
	if m.node != nil {
		c.node = &m.node.id
	}
	if m.owner != nil {
		c.owner = m.owner.Username
	}
	return c
}

func (c *cell) encoded() []byte {
	c.once.Do(func() {
		if c.machine != nil {
			c.json = mustEncode(c.machine.item())
		}
	})
	return c.json
}

func (c *cell) item() Item {
	return Item{ID: c.id, JSON: c.encoded(), cell: c}
}

// asCell returns the cell that an item came from, or a new one when the item
// was changed or written by hand.
func (it Item) asCell() *cell {
	if it.cell != nil && it.ID == it.cell.id && bytes.Equal(it.JSON, it.cell.encoded()) {
		return it.cell
	}
	c := &cell{id: it.ID, json: it.JSON}
	var decoded item
	if json.Unmarshal(it.JSON, &decoded) != nil {
		return c // deliberately broken: there is nothing to filter by
	}
	if decoded.Node != nil {
		c.node = &decoded.Node.ID
	}
	if decoded.ManagedUser != nil {
		c.owner = decoded.ManagedUser.Username
	}
	return c
}
