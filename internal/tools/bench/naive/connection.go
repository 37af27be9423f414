package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"cvmgraph/internal/tools/bench/naive/generated"
	"cvmgraph/internal/tools/bench/naive/model"
)

const (
	defaultFirst = 30
	largestPage  = 100
)

// connect returns the first items after a cursor. Cursors are offsets.
func connect(ctx context.Context, first *int, after *string) (*generated.CvmConnection, error) {
	count := defaultFirst
	if first != nil {
		count = *first
	}
	if count < 0 || count > largestPage {
		return nil, fmt.Errorf("first must be between 0 and %d", largestPage)
	}
	start := 0
	if after != nil {
		offset, err := decodeCursor(*after)
		if err != nil {
			return nil, err
		}
		start = offset + 1
	}
	items, total, err := window(ctx, start, count)
	if err != nil {
		return nil, err
	}
	connection := &generated.CvmConnection{
		TotalCount: total,
		PageInfo:   &generated.PageInfo{HasNextPage: start+len(items) < total, HasPreviousPage: start > 0},
	}
	for i, item := range items {
		connection.Edges = append(connection.Edges, &generated.CvmEdge{Cursor: encodeCursor(start + i), Node: item})
	}
	if n := len(connection.Edges); n > 0 {
		connection.PageInfo.StartCursor = &connection.Edges[0].Cursor
		connection.PageInfo.EndCursor = &connection.Edges[n-1].Cursor
	}
	return connection, nil
}

// window returns at most count items beginning at start. It loads one page if start is a multiple
// of count, and two pages otherwise.
func window(ctx context.Context, start, count int) (_ []*model.Cvm, total int, _ error) {
	size := max(count, 1)
	skipped := start % size
	keys := []pageKey{{start/size + 1, size}}
	if skipped > 0 {
		keys = append(keys, pageKey{start/size + 2, size})
	}
	pages, errs := loaderFrom(ctx).LoadMany(ctx, keys)()
	for _, err := range errs {
		if err != nil {
			return nil, 0, err
		}
	}
	var items []*model.Cvm
	for _, page := range pages {
		items = append(items, page.Items...)
	}
	skipped = min(skipped, len(items))
	return items[skipped:min(skipped+count, len(items))], pages[0].Total, nil
}

func encodeCursor(offset int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "offset:%d", offset))
}

func decodeCursor(cursor string) (int, error) {
	decoded, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return 0, err
	}
	offset, ok := strings.CutPrefix(string(decoded), "offset:")
	if !ok {
		return 0, fmt.Errorf("after is not a valid cursor")
	}
	return strconv.Atoi(offset)
}
