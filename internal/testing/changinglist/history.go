package changinglist

import (
	"math"
	"slices"
)

// History has all versions of a list. Versions are numbered from 0. It is not safe for concurrent
// use.
type History struct {
	list     *List
	versions []version
	items    []lifetime // by item
}

type version struct {
	items    []int
	position []int // by item; -1 if the version does not have it
}

// lifetime is the life of an item in a history.
type lifetime struct {
	inserted int // the first version that has the item
	deleted  int // the first version after it that does not; math.MaxInt if all later ones do
	// moves are the versions that moved it, renames those that gave it another identity.
	moves, renames []int
}

// NewHistory returns the history of a list, with its current items as version 0.
func NewHistory(l *List) *History {
	h := &History{list: l}
	l.newlyMoved, l.newlyRenamed = nil, nil
	h.Save()
	return h
}

// Save adds the current items of the list as a version.
func (h *History) Save() {
	l, number := h.list, len(h.versions)
	v := version{items: slices.Clone(l.Items), position: make([]int, l.next)}
	for len(h.items) < l.next {
		h.items = append(h.items, lifetime{inserted: number, deleted: math.MaxInt})
	}
	for i := range v.position {
		v.position[i] = -1
	}
	for i, item := range v.items {
		v.position[item] = i
	}
	for item := range h.items {
		if v.position[item] < 0 {
			h.items[item].deleted = min(h.items[item].deleted, number)
		}
	}
	for _, item := range l.newlyMoved {
		h.items[item].moves = append(h.items[item].moves, number)
	}
	for _, item := range l.newlyRenamed {
		h.items[item].renames = append(h.items[item].renames, number)
	}
	l.newlyMoved, l.newlyRenamed = nil, nil
	h.versions = append(h.versions, v)
}

// Last returns the number of the last version.
func (h *History) Last() int { return len(h.versions) - 1 }

// Items returns the items of a version. The caller must not modify them.
func (h *History) Items(version int) []int { return h.versions[version].items }

// Position returns the position of an item in a version, -1 if the version does not have it.
func (h *History) Position(version, item int) int {
	if position := h.versions[version].position; item < len(position) {
		return position[item]
	}
	return -1
}

// Span is a range of versions, from Lo to Hi.
type Span struct{ Lo, Hi int }

// Stayed reports whether all versions of a span have the item.
func (h *History) Stayed(item int, s Span) bool {
	return item < len(h.items) && h.items[item].inserted <= s.Lo && h.items[item].deleted > s.Hi
}

// Listed reports whether a version of a span has the item.
func (h *History) Listed(item int, s Span) bool {
	return item < len(h.items) && h.items[item].inserted <= s.Hi && h.items[item].deleted > s.Lo
}

// Moved reports whether the item moved after the first version of a span.
func (h *History) Moved(item int, s Span) bool {
	return s.changed(h.items[item].moves)
}

// Renamed reports whether the item got another identity after the first version of a span.
func (h *History) Renamed(item int, s Span) bool { return s.changed(h.items[item].renames) }

// changed reports whether one of the versions differs from the first one of the span.
func (s Span) changed(versions []int) bool {
	return slices.ContainsFunc(versions, func(v int) bool { return s.Lo < v && v <= s.Hi })
}

// Kept reports whether all versions of a span have the item and none moved it.
func (h *History) Kept(item int, s Span) bool { return h.Stayed(item, s) && !h.Moved(item, s) }

// AnyMoved reports whether any item moved after the first version of a span.
func (h *History) AnyMoved(s Span) bool {
	for item := range h.items {
		if h.Moved(item, s) {
			return true
		}
	}
	return false
}

// Changes returns how many items were inserted and deleted after the first version of a span.
func (h *History) Changes(s Span) (inserted, deleted int) {
	for _, item := range h.items {
		if s.Lo < item.inserted && item.inserted <= s.Hi {
			inserted++
		}
		if s.Lo < item.deleted && item.deleted <= s.Hi {
			deleted++
		}
	}
	return inserted, deleted
}
