package changinglist

import "fmt"

// ChangeKind is a kind of change to a list.
type ChangeKind int

// The kinds of changes. Those before MoveToFront keep the order of the items that remain.
const (
	Insert      ChangeKind = iota // insert an item before the one at index At
	Delete                        // delete the item at At
	Replace                       // delete the item at At and insert a new one there, as when a VM is created
	InsertRun                     // insert By items before the one at At
	DeleteRun                     // delete By items from At on
	MoveToFront                   // move the item at At to the front, as in a list with the latest update first
	MoveToEnd                     // move the item at At to the end, as in a list with the latest update last
	MoveBy                        // move the item at At by By places, to the front if By is negative
)

// Change is a change to a list. Numbers outside the list are reduced to it, so that each change is
// possible for each list.
type Change struct {
	Kind   ChangeKind
	At, By int
}

// KeepsOrder reports whether the items that remain keep their order.
func (c Change) KeepsOrder() bool { return c.Kind < MoveToFront }

// String describes the change.
func (c Change) String() string {
	names := [...]string{"insert at", "delete", "replace", "insert run at", "delete run at", "to front", "to end", "move"}
	return fmt.Sprintf("%s %d by %d", names[c.Kind], c.At, c.By)
}

// Apply changes a list.
func (c Change) Apply(l *List) {
	n := len(l.Items)
	if n == 0 && c.Kind != Insert && c.Kind != InsertRun {
		return
	}
	at := upTo(c.At, n-1)
	switch c.Kind {
	case Insert:
		l.Insert(upTo(c.At, n))
	case InsertRun:
		for range c.By {
			l.Insert(upTo(c.At, n))
		}
	case Delete:
		l.Remove(at)
	case DeleteRun:
		for range min(c.By, n-at) {
			l.Remove(at)
		}
	case Replace:
		l.Replace(at)
	case MoveToFront:
		l.Move(at, 0)
	case MoveToEnd:
		l.Move(at, n-1)
	case MoveBy:
		l.Move(at, upTo(at+c.By, n-1))
	}
}

// upTo returns the number from 0 to most that is nearest to n.
func upTo(n, most int) int { return max(0, min(n, most)) }
