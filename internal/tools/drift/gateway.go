package main

import (
	"errors"
	"strconv"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
)

// gateway returns the page after a cursor. If the cursor is nil, it returns the first page.
type gateway func(l *changinglist.List, after *string) (changinglist.Page, error)

// byOffset uses offset cursors, as usual for gateways over a numbered list. A cursor is the
// position of its item.
func byOffset(l *changinglist.List, after *string) (changinglist.Page, error) {
	lo := 0
	if after != nil {
		position, err := strconv.Atoi(*after)
		if err != nil {
			return changinglist.Page{}, err
		}
		lo = position + 1
	}
	var p changinglist.Page
	// One upstream page covers a window of this size.
	for _, ref := range relay.Cover(relay.Range{Lo: lo, Hi: lo + pageSize}) {
		skipped := lo - ref.Range().Lo
		items := l.Load(ref)
		p.Items = items[min(skipped, len(items)):min(skipped+pageSize, len(items))]
	}
	last := lo + len(p.Items) - 1
	if len(p.Items) > 0 {
		p.Cursor = new(strconv.Itoa(last))
	}
	p.More = last+1 < len(l.Items)
	return p, nil
}

// byCursor uses cvmgraph's cursors.
func byCursor(l *changinglist.List, after *string) (changinglist.Page, error) {
	listed := relay.FingerprintOf("drift")
	window, err := relay.Args{First: new(int32(pageSize)), After: after}.Window(listed, pageSize)
	if err != nil {
		return changinglist.Page{}, err
	}
	assembler := relay.NewAssembler(window, nil)
	var snapshots []relay.PageSnapshot
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		for _, ref := range next.Pages {
			snapshots = append(snapshots, l.Snapshot(ref))
			assembler.Add(snapshots[len(snapshots)-1])
		}
	}
	result := assembler.Result()
	if result == nil {
		return changinglist.Page{}, errors.New("the list changes too fast to be read")
	}
	p := changinglist.Page{More: result.HasNext}
	for _, ref := range result.Items() {
		p.Items = append(p.Items, l.Item(snapshots[ref.Page].Items[ref.Index]))
	}
	if n := result.Len(); n > 0 {
		p.Cursor = new(result.Cursor(n-1, listed).Encode())
	}
	return p, nil
}
