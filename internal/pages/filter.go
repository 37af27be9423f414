package pages

import (
	"bytes"
	"strconv"

	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

// filterRefs are the values that a filter selects items by.
type filterRefs struct{ node, owner projection.ValueRef }

// checkFilter compares a page with the filter of its request. An API version may ignore a filter
// and return the whole list, which must not reach a client that requested a part of it. The error
// is a *restclient.InvalidResponseError.
func (u *Upstream) checkFilter(page *Page, filter restclient.Filter) error {
	refs := u.filterRefs
	var buf [64]byte
	text := func(ref projection.ValueRef) func(int) []byte {
		return func(item int) []byte { return page.AppendText(buf[:0], item, ref) }
	}
	if filter.NodeID != 0 && !allOnNode(filter.NodeID, page.Len(), text(refs.node)) {
		return &restclient.InvalidResponseError{Reason: restclient.ReasonOtherNode}
	}
	if filter.UserID != "" && !allOwnedBy(filter.UserID, page.Len(), text(refs.owner)) {
		return &restclient.InvalidResponseError{Reason: restclient.ReasonOtherOwner}
	}
	return nil
}

// allOnNode reports whether all items are on a node. nodeOf returns the node's id, or nothing if
// the item reports none: such an item is on no node.
func allOnNode(node int32, items int, nodeOf func(item int) []byte) bool {
	var buf [16]byte
	want := strconv.AppendInt(buf[:0], int64(node), 10)
	for i := range items {
		if !bytes.Equal(nodeOf(i), want) {
			return false
		}
	}
	return true
}

// allOwnedBy reports whether all items can have an owner. ownerOf returns the id that the item
// reports, or nothing if it reports none. Its result is valid until the next call.
//
// The owner "0" means that the items have none. An id that begins with usr_ is compared. Another
// id, such as a number of API version 2025-10-28, cannot be compared with the filter, but then all
// items must have the same.
func allOwnedBy(user string, items int, ownerOf func(item int) []byte) bool {
	var first []byte
	for i := range items {
		owner := ownerOf(i)
		if user == "0" {
			if len(owner) > 0 && string(owner) != user {
				return false
			}
			continue
		}
		if i == 0 {
			first = bytes.Clone(owner)
		}
		isUser := bytes.HasPrefix(owner, []byte("usr_"))
		if len(owner) == 0 || isUser && string(owner) != user || !bytes.Equal(owner, first) {
			return false
		}
	}
	return true
}
