package restclient

import (
	"math"
	"net/url"
	"strconv"
)

// maxPageSize is the largest page_size that the upstream accepts.
const maxPageSize = 100

// Filter restricts the list. It is comparable. The zero value restricts nothing.
type Filter struct {
	// NodeID is sent as teepod_id. 0 means every node.
	NodeID int32
	// UserID is sent as user_id: "0" for CVMs without an owner, or usr_…. "" means every owner.
	UserID string
}

// PageRequest names one page of the list. It is comparable.
type PageRequest struct {
	Filter Filter
	// Page is the number of the page, counted from 1, at most 2147483647.
	Page int
	// PageSize is the number of items of a full page, 1 to 100.
	PageSize int
}

func (r PageRequest) validate() error {
	if r.Page < 1 || r.Page > math.MaxInt32 {
		return &ArgumentError{"page", "must be between 1 and 2147483647"}
	}
	if r.PageSize < 1 || r.PageSize > maxPageSize {
		return &ArgumentError{"page_size", "must be between 1 and 100"}
	}
	return nil
}

// query returns the URL's query. It is deterministic, so that HTTP caches see equal requests as
// equal.
func (r PageRequest) query() string {
	query := "page=" + strconv.Itoa(r.Page) + "&page_size=" + strconv.Itoa(r.PageSize)
	if r.Filter.NodeID != 0 {
		query += "&teepod_id=" + strconv.Itoa(int(r.Filter.NodeID))
	}
	if r.Filter.UserID != "" {
		query += "&user_id=" + url.QueryEscape(r.Filter.UserID)
	}
	return query
}
