package relay

import (
	"cmp"
	"slices"
)

// PageSnapshot is a page as the upstream sent it at one moment. The items of one snapshot belong
// together. Two snapshots may show the list at different moments.
type PageSnapshot struct {
	Ref PageRef
	// Items are the fingerprints of the page's items, in order.
	Items []Fingerprint
	// Total is the number of items in the list, according to this page.
	Total int
	// Reported is the number of items to report instead of Total. It is 0 if that is Total.
	Reported int
	// Seen is when the page was received, as [CursorTime] returns it; 0 if that is unknown.
	Seen uint32
	// Distinct reports that no two items are equal. If false, some may be.
	Distinct bool
	// Cached reports that the page is from a cache and may be older than the other pages.
	Cached bool
}

// Distinct reports whether no two of the items are equal.
func Distinct(items []Fingerprint) bool {
	var buf [MaxPageSize]Fingerprint
	sorted := append(buf[:0], items...)
	slices.Sort(sorted)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return false
		}
	}
	return true
}

// reported returns the number of items to report.
func (s PageSnapshot) reported() int {
	if s.Reported > 0 {
		return s.Reported
	}
	return s.Total
}

func (s PageSnapshot) start() int { return s.Ref.Range().Lo }

// end returns the position after the snapshot's last item.
func (s PageSnapshot) end() int { return s.start() + len(s.Items) }

// reachesEnd reports whether the snapshot has the last item of the list, or is past it.
func (s PageSnapshot) reachesEnd() bool { return s.end() >= s.Total }

// ends reports whether the list ends with the snapshot in the direction dir.
func (s PageSnapshot) ends(dir int) bool {
	return dir > 0 && s.reachesEnd() || dir < 0 && (s.start() == 0 || s.Total == 0)
}

// snapshots are pages in the order in which they were loaded.
type snapshots []PageSnapshot

// boundary is a place between two items of a snapshot: before the item at index.
type boundary struct{ page, index int }

// position returns the position in the list of the item after a boundary.
func (s snapshots) position(b boundary) int { return s[b.page].start() + b.index }

// item returns the item after a boundary.
func (s snapshots) item(b boundary) Fingerprint { return s[b.page].Items[b.index] }

// compare compares the places of two boundaries in the list. If they are in different pages, the
// items next to them count, and their positions only if no page has both.
func (s snapshots) compare(a, b boundary) int {
	if at, ok := s.translate(a, b.page); ok {
		return cmp.Compare(at.index, b.index)
	}
	if at, ok := s.translate(b, a.page); ok {
		return cmp.Compare(a.index, at.index)
	}
	return cmp.Compare(s.position(a), s.position(b))
}

// translate returns the boundary in another page that is next to the same item.
func (s snapshots) translate(b boundary, page int) (boundary, bool) {
	if b.page == page {
		return b, true
	}
	items := s[b.page].Items
	if b.index < len(items) {
		if i := slices.Index(s[page].Items, items[b.index]); i >= 0 {
			return boundary{page, i}, true
		}
	}
	if b.index > 0 {
		if i := slices.Index(s[page].Items, items[b.index-1]); i >= 0 {
			return boundary{page, i + 1}, true
		}
	}
	return boundary{}, false
}
