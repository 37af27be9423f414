// Package model has the Go types of the schema that the wire types cannot serve. It is not part of
// package graph because the generated code imports it.
//
// The types hold indexed items. Their exported methods and fields, which are those of the schema,
// are for gqlgen's own execution, and decode the items.
package model

import (
	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

// Decode returns an item as its wire types. The result belongs to the caller.
func Decode(item projection.Item) *restclient.Item {
	decoded, err := restclient.Shape(item.Page.Shape()).DecodeItem(item.Page.Raw(item.Index))
	if err != nil {
		panic("model: an indexed item cannot be decoded: " + err.Error())
	}
	return decoded
}

// Cvm is a CVM. The embedded wire type is nil until Decode is called.
type Cvm struct {
	Indexed projection.Item
	*restclient.Cvm
}

// IsNode marks Cvm as a Node of the schema.
func (Cvm) IsNode() {}

// IsEntity marks Cvm as an entity that other subgraphs can refer to.
func (Cvm) IsEntity() {}

// ID returns the global id.
func (c *Cvm) ID() string { return string(c.Indexed.ID.AppendNodeID(nil)) }

// Decode decodes c if necessary and returns it. It is not safe for concurrent use.
func (c *Cvm) Decode() *Cvm {
	if c.Cvm == nil {
		c.Cvm = &Decode(c.Indexed).Cvm
	}
	return c
}

// CvmConnection is a window of a list.
type CvmConnection struct {
	projection.Window
	cvms []Cvm // the window's items, some of them decoded; nil before open
}

// Nodes returns the items, decoded.
func (c *CvmConnection) Nodes() []Cvm {
	c.open()
	for i := range c.cvms {
		c.cvms[i].Decode()
	}
	return c.cvms
}

// open creates the items without decoding them. It needs no lock, because gqlgen resolves one field
// after the other.
func (c *CvmConnection) open() {
	if c.cvms == nil {
		c.cvms = make([]Cvm, c.Len)
		for i := range c.cvms {
			c.cvms[i].Indexed = c.List.Item(i)
		}
	}
}

// Edges returns the items with their cursors. It does not decode the items.
func (c *CvmConnection) Edges() []CvmEdge {
	c.open()
	edges := make([]CvmEdge, c.Len)
	for i := range edges {
		edges[i] = CvmEdge{c, i}
	}
	return edges
}

// PageInfo returns the position of the window in the list.
func (c *CvmConnection) PageInfo() PageInfo { return PageInfo{c} }

// TotalCount returns the number of items of the whole list.
func (c *CvmConnection) TotalCount() int32 { return int32(c.Total) }

// cursor returns the cursor of the item at index i, or nil if there are no items.
func (c *CvmConnection) cursor(i int) *string {
	if c.Len == 0 {
		return nil
	}
	cursor := string(c.List.AppendCursor(nil, i))
	return &cursor
}

// CvmEdge is an item and its position in the list.
type CvmEdge struct {
	connection *CvmConnection
	item       int
}

// Cursor returns the item's cursor.
func (e CvmEdge) Cursor() string { return *e.connection.cursor(e.item) }

// Node returns the item, decoded.
func (e CvmEdge) Node() *Cvm { return e.connection.cvms[e.item].Decode() }

// PageInfo is the position of a window in the list.
type PageInfo struct{ connection *CvmConnection }

// HasNextPage reports whether there are items after the window.
func (p PageInfo) HasNextPage() bool { return p.connection.HasNext }

// HasPreviousPage reports whether there are items before the window.
func (p PageInfo) HasPreviousPage() bool { return p.connection.HasPrevious }

// StartCursor returns the cursor of the first item, or nil if there are no items.
func (p PageInfo) StartCursor() *string { return p.connection.cursor(0) }

// EndCursor returns the cursor of the last item, or nil if there are no items.
func (p PageInfo) EndCursor() *string { return p.connection.cursor(p.connection.Len - 1) }
