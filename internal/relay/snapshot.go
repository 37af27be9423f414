package relay

import "slices"

// PageSnapshot is a page as the upstream sent it at one moment. The items of one snapshot belong
// together. Two snapshots may show the list at different moments.
type PageSnapshot struct {
	Ref PageRef
	// Items are the fingerprints of the page's items, in order.
	Items []Fingerprint
	// Total is the number of items in the list, according to this page.
	Total int
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
