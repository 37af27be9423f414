package main

import (
	"errors"
	"strconv"

	"cvmgraph/internal/relay"
)

// gateway returns the page after a cursor. If the cursor is empty, it returns the first page.
type gateway func(l *list, after string) (page, error)

// page is a gateway's response to one request.
type page struct {
	items     []int
	endCursor string // empty if the page has no items
	hasNext   bool
}

// byOffset uses offset cursors, as usual for gateways over a numbered list. A cursor is the
// position of its item.
func byOffset(l *list, after string) (page, error) {
	lo := 0
	if after != "" {
		position, err := strconv.Atoi(after)
		if err != nil {
			return page{}, err
		}
		lo = position + 1
	}
	var p page
	// One upstream page covers a window of this size.
	for _, fetched := range relay.Cover(relay.Range{Lo: lo, Hi: lo + pageSize}) {
		skipped := lo - fetched.Range().Lo
		items := l.fetch(fetched)
		p.items = items[min(skipped, len(items)):min(skipped+pageSize, len(items))]
	}
	last := lo + len(p.items) - 1
	if len(p.items) > 0 {
		p.endCursor = strconv.Itoa(last)
	}
	p.hasNext = last+1 < len(l.items)
	return p, nil
}

// byCursor uses cvmgraph's cursors.
func byCursor(l *list, after string) (page, error) {
	listed := relay.FingerprintOf("drift")
	first := int32(pageSize)
	args := relay.Args{First: &first}
	if after != "" {
		args.After = &after
	}
	window, err := args.Window(listed, pageSize)
	if err != nil {
		return page{}, err
	}
	assembler := relay.NewAssembler(window, nil)
	var snapshots [][]int // the items of the pages passed to the assembler
	for {
		pages := assembler.Next(nil).Pages
		if len(pages) == 0 {
			break
		}
		for _, ref := range pages {
			items := l.fetch(ref)
			snapshot := relay.PageSnapshot{Ref: ref, Total: len(l.items)}
			for _, item := range items {
				snapshot.Items = append(snapshot.Items, fingerprint(item))
			}
			snapshots = append(snapshots, items)
			assembler.Add(snapshot)
		}
	}
	result := assembler.Result()
	if result == nil {
		return page{}, errors.New("the list changes too fast to be read")
	}
	p := page{hasNext: result.HasNext}
	for i, item := range result.Items() {
		p.items = append(p.items, snapshots[item.Page][item.Index])
		p.endCursor = result.Cursor(i, listed).Encode()
	}
	return p, nil
}
