package main

import (
	"errors"
	"strconv"

	"cvmgraph/internal/relay"
)

// gateway returns the page of the list behind a cursor, or the first page where that is empty.
type gateway func(l *list, after string) (page, error)

// page is what a gateway returns for one request.
type page struct {
	items []int
	// end is the cursor to go on from; empty where the page has no items.
	end  string
	more bool
}

// byOffset pages by position, as gateways over a numbered list commonly do: a cursor is the position of its item.
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
	// One page of the upstream covers any window of so few items.
	for _, fetched := range relay.Cover(relay.Range{Lo: lo, Hi: lo + pageSize}) {
		skipped := lo - fetched.Range().Lo
		items := l.fetch(fetched)
		p.items = items[min(skipped, len(items)):min(skipped+pageSize, len(items))]
	}
	last := lo + len(p.items) - 1
	if len(p.items) > 0 {
		p.end = strconv.Itoa(last)
	}
	p.more = last+1 < len(l.items)
	return p, nil
}

// byCursor pages as cvmgraph does.
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
	reader := relay.NewAssembler(window)
	var views [][]int // the items of the reader's views
	for {
		pages, _ := reader.Next()
		if len(pages) == 0 {
			break
		}
		for _, fetched := range pages {
			items := l.fetch(fetched)
			view := relay.PageSnapshot{Ref: fetched, Total: len(l.items)}
			for _, item := range items {
				view.Items = append(view.Items, fingerprint(item))
			}
			views = append(views, items)
			reader.Add(view)
		}
	}
	answer := reader.Result()
	if answer == nil {
		return page{}, errors.New("the list moves too fast to be read")
	}
	p := page{more: answer.HasNext}
	for i, slot := range answer.Items() {
		p.items = append(p.items, views[slot.Page][slot.Index])
		p.end = answer.Cursor(i, listed).Encode()
	}
	return p, nil
}
