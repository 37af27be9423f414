package main

import (
	"slices"
	"strconv"

	"cvmgraph/internal/relay"
)

// list is the upstream's list in memory, with its history.
type list struct {
	items []int // by number; no number is given twice
	next  int   // the number of the next new item
	gone  map[int]bool
	calls int // pages fetched
}

func newList(size int) *list {
	l := &list{gone: map[int]bool{}}
	for range size {
		l.insert(len(l.items))
	}
	return l
}

func (l *list) insert(at int) {
	l.items = slices.Insert(l.items, at, l.next)
	l.next++
}

func (l *list) remove(at int) {
	l.gone[l.items[at]] = true
	l.items = slices.Delete(l.items, at, at+1)
}

// fetch is one upstream call: it returns the items of a page as the list is now.
func (l *list) fetch(p relay.PageRef) []int {
	l.calls++
	r := p.Range()
	return slices.Clone(l.items[min(r.Lo, len(l.items)):min(r.Hi, len(l.items))])
}

// fingerprint returns what a cursor remembers an item by.
func fingerprint(item int) relay.Fingerprint {
	return relay.Identity{VMID: strconv.Itoa(item)}.Fingerprint()
}
