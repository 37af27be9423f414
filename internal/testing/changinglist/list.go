// Package changinglist models an upstream list that changes while a client pages through it, for
// tests and for the drift tool.
package changinglist

import (
	"slices"
	"strconv"

	"cvmgraph/internal/relay"
)

// List is an upstream list in memory with its history. Its items are numbers from 0, in the order
// in which they were inserted. It is not safe for concurrent use.
type List struct {
	// Items are the current items, in order.
	Items []int
	// Calls is the number of pages that were loaded.
	Calls int

	next    int // the next new item
	deleted map[int]bool
	moved   map[int]bool
	known   map[relay.Fingerprint]int // items by the upper 48 bits of their fingerprints
	// newlyMoved and newlyRenamed are the items that moved, and that have other identities, since
	// the last version of a History.
	newlyMoved, newlyRenamed []int
}

// New returns a list of size items.
func New(size int) *List {
	l := &List{deleted: make(map[int]bool), moved: make(map[int]bool), known: make(map[relay.Fingerprint]int)}
	for range size {
		l.Insert(len(l.Items))
	}
	return l
}

// Insert inserts a new item before index at.
func (l *List) Insert(at int) {
	l.Items = slices.Insert(l.Items, at, l.next)
	l.known[Fingerprint(l.next)>>16] = l.next
	l.next++
}

// Remove deletes the item at an index.
func (l *List) Remove(at int) {
	l.deleted[l.Items[at]] = true
	l.Items = slices.Delete(l.Items, at, at+1)
}

// RemoveItem deletes an item. It returns false if the list does not have it.
func (l *List) RemoveItem(item int) bool {
	at := slices.Index(l.Items, item)
	if at >= 0 {
		l.Remove(at)
	}
	return at >= 0
}

// Replace deletes the item at an index and inserts a new one there.
func (l *List) Replace(at int) {
	l.Remove(at)
	l.Insert(at)
}

// Move moves the item at an index so that it has index to afterwards.
func (l *List) Move(at, to int) {
	item := l.Items[at]
	l.Items = slices.Insert(slices.Delete(l.Items, at, at+1), to, item)
	l.moved[item] = true
	if at != to {
		l.newlyMoved = append(l.newlyMoved, item)
	}
}

// Rename gives an item another identity at its place, as an item without a VM has when the number
// of such items before it changes. For the promises of a walk, the item moves.
func (l *List) Rename(item int) {
	l.newlyMoved = append(l.newlyMoved, item)
	l.newlyRenamed = append(l.newlyRenamed, item)
}

// MoveItem moves an item so that it has index to afterwards. It returns false if the list does not
// have the item.
func (l *List) MoveItem(item, to int) bool {
	at := slices.Index(l.Items, item)
	if at >= 0 {
		l.Move(at, to)
	}
	return at >= 0
}

// Moved reports whether an item was moved.
func (l *List) Moved(item int) bool { return l.moved[item] }

// Deleted reports whether an item was deleted.
func (l *List) Deleted(item int) bool { return l.deleted[item] }

// Random returns random numbers from 0 up to but not including n. *rand.Rand implements it.
type Random interface{ IntN(n int) int }

// Change makes up to most random changes: it inserts, deletes and replaces items.
func (l *List) Change(random Random, most int) {
	for range random.IntN(most + 1) {
		switch kind := random.IntN(3); {
		case kind == 0 || len(l.Items) == 0:
			l.Insert(random.IntN(len(l.Items) + 1))
		case kind == 1:
			l.Remove(random.IntN(len(l.Items)))
		default:
			l.Replace(random.IntN(len(l.Items)))
		}
	}
}

// Load makes one upstream call. It returns the current items of a page.
func (l *List) Load(page relay.PageRef) []int {
	l.Calls++
	r := page.Range()
	return slices.Clone(l.Items[min(r.Lo, len(l.Items)):min(r.Hi, len(l.Items))])
}

// Snapshot makes one upstream call. It returns what the assembler needs of the page. Distinct is
// set for some lists only, because an assembler must not depend on it.
func (l *List) Snapshot(page relay.PageRef) relay.PageSnapshot {
	s := relay.PageSnapshot{Ref: page, Total: len(l.Items)}
	for _, item := range l.Load(page) {
		s.Items = append(s.Items, Fingerprint(item))
	}
	s.Distinct = len(l.Items)%3 > 0 && relay.Distinct(s.Items)
	return s
}

// Fingerprint returns the fingerprint of an item in cursors.
func Fingerprint(item int) relay.Fingerprint {
	return relay.Identity{VMID: strconv.Itoa(item)}.Fingerprint()
}

// Item returns the item with a fingerprint, of which only the upper 48 bits count. It returns -1 if
// no item has it.
func (l *List) Item(f relay.Fingerprint) int {
	if item, ok := l.known[f>>16]; ok {
		return item
	}
	return -1
}

// Known returns the number of items that the list has or had. They are numbered from 0.
func (l *List) Known() int { return l.next }
