package main

import (
	"slices"
	"strconv"

	"cvmgraph/internal/relay"
)

// list is an upstream list in memory. Items are unique numbers.
type list struct {
	items   []int
	next    int // the next new item
	deleted map[int]bool
	calls   int // number of fetched pages
}

func newList(size int) *list {
	l := &list{deleted: map[int]bool{}}
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
	l.deleted[l.items[at]] = true
	l.items = slices.Delete(l.items, at, at+1)
}

// fetch makes one upstream call and returns the current items of a page.
func (l *list) fetch(p relay.PageRef) []int {
	l.calls++
	r := p.Range()
	return slices.Clone(l.items[min(r.Lo, len(l.items)):min(r.Hi, len(l.items))])
}

// fingerprint returns the fingerprint of an item in cursors.
func fingerprint(item int) relay.Fingerprint {
	return relay.Identity{VMID: strconv.Itoa(item)}.Fingerprint()
}
