package relay

import (
	"slices"
	"strconv"
)

// numberMask are the bits of the fingerprint of an item without a VM that are its number. Neighbors
// of a cursor have these bits too.
const (
	numberShift = 16
	numberMask  = 0xFFFF << numberShift
)

// alikeFingerprint returns the fingerprint that items without a VM and with equal traits have,
// apart from their numbers.
func alikeFingerprint(traits Fingerprint) Fingerprint {
	return FingerprintOf("", strconv.FormatUint(uint64(traits), 16))
}

// Contradicts reports whether a cursor of the window remembers an item without a VM that has these
// traits, but not the given number, or not the given position. Then there may be several such
// items.
func (w Window) Contradicts(traits Fingerprint, number, position int) bool {
	alike := alikeFingerprint(traits)
	contradicts := func(f Fingerprint, at int) bool {
		return sameTraits(f, alike) && (int(f&numberMask>>numberShift) != number || at != position)
	}
	for _, c := range []*Cursor{w.After, w.Before} {
		if c == nil {
			continue
		}
		if contradicts(c.Item, c.Position) {
			return true
		}
		for _, n := range c.Preceding {
			if contradicts(n.Item, c.Position-n.Distance) {
				return true
			}
		}
		for _, n := range c.Following {
			if contradicts(n.Item, c.Position+n.Distance) {
				return true
			}
		}
	}
	return false
}

// sameTraits reports whether the fingerprints of two items without a VM are equal apart from their
// numbers.
func sameTraits(a, b Fingerprint) bool { return a>>(numberShift+16) == b>>(numberShift+16) }

// Renumbered returns the window with cursors that have the right numbers of items without a VM, and
// whether a number was wrong: a cursor can be from a page that did not show the number. The items
// are those at the front of the list, with their fingerprints.
func (w Window) Renumbered(items []Identity, fingerprints []Fingerprint) (_ Window, wrong bool) {
	for _, c := range []**Cursor{&w.After, &w.Before} {
		if *c == nil {
			continue
		}
		renumbered, changed := (*c).renumbered(items, fingerprints)
		if changed {
			*c, wrong = renumbered, true
		}
	}
	return w, wrong
}

func (c *Cursor) renumbered(items []Identity, fingerprints []Fingerprint) (_ *Cursor, changed bool) {
	moved := c.movedItems(items, fingerprints)
	// number returns a fingerprint with the number of the item at a position. An item with its own
	// number keeps it if it has moved no further than the items with a VM around it.
	number := func(f Fingerprint, position int) Fingerprint {
		at := position + moved.nearest
		if at < 0 || at >= len(items) || items[at].VMID != "" || !sameTraits(f, fingerprints[at]) || f.clipped() == fingerprints[at].clipped() {
			return f
		}
		within := fingerprints[max(position+moved.least, 0):max(min(position+moved.most+1, len(items)), 0)]
		if slices.ContainsFunc(within, func(other Fingerprint) bool { return other.clipped() == f.clipped() }) {
			return f
		}
		changed = true
		return f&^numberMask | fingerprints[at]&numberMask
	}
	renumbered := *c
	renumbered.Item = number(c.Item, c.Position)
	renumbered.Preceding, renumbered.Following = slices.Clone(c.Preceding), slices.Clone(c.Following)
	for i, n := range c.Preceding {
		renumbered.Preceding[i].Item = number(n.Item, c.Position-n.Distance)
	}
	for i, n := range c.Following {
		renumbered.Following[i].Item = number(n.Item, c.Position+n.Distance)
	}
	return &renumbered, changed
}

// movedItems is how far the remembered items with a VM have moved since a cursor was made: the
// nearest one, and those of its run of nearest items at least and at most. All are 0 if there is
// none.
type movedItems struct{ nearest, least, most int }

func (c *Cursor) movedItems(items []Identity, fingerprints []Fingerprint) movedItems {
	places := make(map[Fingerprint]int, len(items))
	for i, f := range fingerprints {
		if items[i].VMID != "" {
			places[f.clipped()] = i
		}
	}
	var moved movedItems
	nearest := maxPosition
	find := func(f Fingerprint, distance, direction int) {
		at, ok := places[f.clipped()]
		if !ok {
			return
		}
		by := at - (c.Position + direction*distance)
		switch {
		case nearest == maxPosition:
			moved = movedItems{by, by, by}
			nearest = distance
		case distance < nearest:
			moved.nearest, nearest = by, distance
		}
		if distance <= nearMost {
			moved.least, moved.most = min(moved.least, by), max(moved.most, by)
		}
	}
	find(c.Item, 0, 1)
	for _, n := range c.Preceding {
		find(n.Item, n.Distance, -1)
	}
	for _, n := range c.Following {
		find(n.Item, n.Distance, 1)
	}
	return moved
}
