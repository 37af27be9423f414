package graph

import (
	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
)

// connectionItems are the items of a resolved connection, which a projection writes. They are
// read-only and refer to no upstream call or resolver.
type connectionItems struct {
	loaded []pages.FetchResult // by relay.ItemRef.Page
	front  *listFront          // has the items instead of loaded if it is not nil
	result *relay.Result
	list   relay.Fingerprint
}

var _ projection.List = (*connectionItems)(nil)

// Item returns the item at index i.
func (c *connectionItems) Item(i int) projection.Item {
	ref := c.result.Item(i)
	if c.front != nil {
		return c.front.item(ref.Index)
	}
	return c.loaded[ref.Page].Item(ref.Index)
}

// AppendCursor appends the cursor of the item at index i.
func (c *connectionItems) AppendCursor(dst []byte, i int) []byte {
	return c.result.AppendCursor(dst, i, c.list)
}
