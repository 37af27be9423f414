// Package model holds the Go types of the schema that are more than the upstream's wire types. It stands apart from
// package graph because the generated code imports it.
//
// The types hold items as they are projected. Their exported methods and fields, which are those of the schema, are for
// gqlgen's own execution: they decode.
package model

import (
	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

// Decode returns an item in the upstream's own types. The item belongs to the caller.
func Decode(item projection.Item) *restclient.Item {
	decoded, err := restclient.DecodeItem(item.Page.Raw(item.Index))
	if err != nil {
		panic("model: an indexed item cannot be decoded: " + err.Error())
	}
	return decoded
}

// Cvm is a CVM. What comes from the upstream is there once it is decoded.
type Cvm struct {
	Indexed projection.Item
	*restclient.Cvm
}

// IsNode marks Cvm as a Node of the schema.
func (Cvm) IsNode() {}

// IsEntity marks Cvm as one of those that other subgraphs refer to.
func (Cvm) IsEntity() {}

// ID returns what is unique in the list.
func (c *Cvm) ID() string { return string(c.Indexed.ID.AppendNodeID(nil)) }

// Decode decodes c and returns it. It is not safe for concurrent use.
func (c *Cvm) Decode() *Cvm {
	if c.Cvm == nil {
		c.Cvm = &Decode(c.Indexed).Cvm
	}
	return c
}

// CvmConnection is a window on a list.
type CvmConnection struct {
	projection.Window
	cvms []Cvm // of the window's items, some of them decoded
}

// Nodes returns the items.
func (c *CvmConnection) Nodes() []Cvm {
	c.open()
	for i := range c.cvms {
		c.cvms[i].Decode()
	}
	return c.cvms
}

// open makes the items, not decoded. gqlgen calls it for one field after the other.
func (c *CvmConnection) open() {
	if c.cvms == nil {
		c.cvms = make([]Cvm, c.Len)
		for i := range c.cvms {
			c.cvms[i].Indexed = c.List.Item(i)
		}
	}
}

// Edges returns the items with their cursors.
func (c *CvmConnection) Edges() []CvmEdge {
	c.open()
	edges := make([]CvmEdge, c.Len)
	for i := range edges {
		edges[i] = CvmEdge{c, i}
	}
	return edges
}

// PageInfo returns what lies around the items.
func (c *CvmConnection) PageInfo() PageInfo { return PageInfo{c} }

// TotalCount returns how many items the whole list holds.
func (c *CvmConnection) TotalCount() int32 { return int32(c.Total) }

// cursor returns the cursor of the item at index i, nil where there are no items.
func (c *CvmConnection) cursor(i int) *string {
	if c.Len == 0 {
		return nil
	}
	cursor := string(c.List.AppendCursor(nil, i))
	return &cursor
}

// CvmEdge is an item and its place in the list.
type CvmEdge struct {
	connection *CvmConnection
	item       int
}

// Cursor returns what names the place.
func (e CvmEdge) Cursor() string { return *e.connection.cursor(e.item) }

// Node returns the item.
func (e CvmEdge) Node() *Cvm { return e.connection.cvms[e.item].Decode() }

// PageInfo is what lies around a window.
type PageInfo struct{ connection *CvmConnection }

// HasNextPage tells whether the list goes on behind the window.
func (p PageInfo) HasNextPage() bool { return p.connection.HasNext }

// HasPreviousPage tells whether the list goes on ahead of it.
func (p PageInfo) HasPreviousPage() bool { return p.connection.HasPrevious }

// StartCursor returns the cursor of the first item, nil where there are none.
func (p PageInfo) StartCursor() *string { return p.connection.cursor(0) }

// EndCursor returns the cursor of the last item, nil where there are none.
func (p PageInfo) EndCursor() *string { return p.connection.cursor(p.connection.Len - 1) }
