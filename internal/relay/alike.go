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
	moved := c.moved(items, fingerprints)
	// number returns a fingerprint with the number of the item at a position.
	number := func(f Fingerprint, position int) Fingerprint {
		at := position + moved
		if at < 0 || at >= len(items) || items[at].VMID != "" || !sameTraits(f, fingerprints[at]) || f.clipped() == fingerprints[at].clipped() {
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

// moved returns how far the nearest remembered item with a VM has moved since the cursor was made.
// It returns 0 if the items have none.
func (c *Cursor) moved(items []Identity, fingerprints []Fingerprint) int {
	places := make(map[Fingerprint]int, len(items))
	for i, f := range fingerprints {
		if items[i].VMID != "" {
			places[f.clipped()] = i
		}
	}
	moved, nearest := 0, maxPosition
	find := func(f Fingerprint, distance, direction int) {
		if at, ok := places[f.clipped()]; ok && distance < nearest {
			moved, nearest = at-(c.Position+direction*distance), distance
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
