package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// walk pages through the whole list with cursors, in pages of several sizes, and returns whether the server is the connection that it is
// taken for: each item once, in the upstream's order, and the end told.
func walk(ctx context.Context, addr string, items [][]byte) error {
	const query = `query Cvms($first: Int!, $after: String) {
		cvms(first: $first, after: $after) { totalCount edges { node { name } } pageInfo { hasNextPage endCursor } } }`
	var after *string
	seen := 0
	for _, first := range []int{20, 70, 100, 70, 40} {
		body, err := ask(ctx, addr, operation(query, map[string]any{"first": first, "after": after}))
		if err != nil {
			return err
		}
		var answer struct {
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
		if err := json.Unmarshal(body, &answer); err != nil {
			return err
		}
		if answer.Data == nil {
			return fmt.Errorf("%d items behind the first %d: %.300s", first, seen, body)
		}
		page := answer.Data.Cvms
		for _, edge := range page.Edges {
			if seen == len(items) {
				return errors.New("more items than there are")
			}
			var want named
			if err := json.Unmarshal(items[seen], &want); err != nil {
				return err
			}
			if edge.Node != want {
				return fmt.Errorf("item %d is %s, want %s", seen, edge.Node.Name, want.Name)
			}
			seen++
		}
		if more := seen < len(items); len(page.Edges) != first || page.TotalCount != len(items) || page.PageInfo.HasNextPage != more {
			return fmt.Errorf("%d of %d items, more: %t, after %d, want %d of %d, more: %t",
				len(page.Edges), page.TotalCount, page.PageInfo.HasNextPage, seen, first, len(items), more)
		}
		after = page.PageInfo.EndCursor
	}
	return nil
}

// named is a CVM's name, in the upstream's items and in GraphQL.
type named struct{ Name string }
