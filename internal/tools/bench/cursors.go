package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// checkCursors reads the whole list with cursors, in pages of several sizes. It returns an error if
// the server does not return each item once, in the upstream's order, with correct page info.
func checkCursors(ctx context.Context, addr string, items [][]byte) error {
	const query = `query Cvms($first: Int!, $after: String) {
		cvms(first: $first, after: $after) { totalCount edges { node { name } } pageInfo { hasNextPage endCursor } } }`
	var after *string
	seen := 0
	for _, first := range []int{20, 70, 100, 70, 40} {
		body, err := ask(ctx, addr, operation(query, map[string]any{"first": first, "after": after}))
		if err != nil {
			return err
		}
		var response struct {
			Data *struct {
				Cvms struct {
					TotalCount int
					Edges      []struct{ Node named }
					PageInfo   struct {
						HasNextPage bool
						EndCursor   *string
					}
				}
			}
		}
		if err := json.Unmarshal(body, &response); err != nil {
			return err
		}
		if response.Data == nil {
			return fmt.Errorf("no data for %d items after the first %d: %.300s", first, seen, body)
		}
		page := response.Data.Cvms
		for _, edge := range page.Edges {
			if seen == len(items) {
				return errors.New("got more items than the list has")
			}
			var want named
			if err := json.Unmarshal(items[seen], &want); err != nil {
				return err
			}
			if edge.Node != want {
				return fmt.Errorf("item %d: got %s, want %s", seen, edge.Node.Name, want.Name)
			}
			seen++
		}
		if more := seen < len(items); len(page.Edges) != first || page.TotalCount != len(items) || page.PageInfo.HasNextPage != more {
			return fmt.Errorf("after %d items: got %d items, totalCount %d, hasNextPage %t, want %d, %d, %t",
				seen, len(page.Edges), page.TotalCount, page.PageInfo.HasNextPage, first, len(items), more)
		}
		after = page.PageInfo.EndCursor
	}
	return nil
}

// named has the name of a CVM, in the upstream's items or in GraphQL.
type named struct{ Name string }
