package relay

import (
	"math/bits"
	"slices"
)

// A cursor's space is divided in this order: the items that were passed, a few of the nearest
// neighbors on either side, far neighbors near the distances of farDistances, more of the nearest.
const (
	nearFirst = 4
	nearMost  = 7
	farFrom   = nearMost + 2 // so that a far neighbor never lengthens the run
)

func farDistances() [maxFar]int { return [maxFar]int{16, 128, 1024} }

// neighborhood is a part of the list: the items of a window and around it, in order, and what an
// older cursor remembers before and after them.
type neighborhood struct {
	items []Fingerprint
	// places are the indexes of the window's items.
	places []int
	// before are neighbors before the first of items, by their distance from it. after are
	// neighbors after the last, likewise.
	before, after []Neighbor
	// passed are items that the window left out, or that follow it in the direction dir in which it
	// was assembled although the client has them. The next window leaves them out, too.
	passed []Neighbor
	dir    int
}

// newNeighborhood returns the result's items with the items around them in their pages.
func (r *Result) newNeighborhood() *neighborhood {
	n := &neighborhood{places: make([]int, r.Len()), passed: r.passed, dir: r.items.dir}
	page := &r.pages[r.first.page]
	if r.first.page == r.last.page && page.Distinct && r.last.index-r.first.index == r.Len() {
		n.items = page.Items
		for i := range n.places {
			n.places[i] = r.first.index + i
		}
	} else {
		n.join(r)
	}
	n.before, n.after = inheritedNeighbors(r.after, n.items, 1), inheritedNeighbors(r.before, n.items, -1)
	return n
}

// join adds the items of pages that may be of different moments, each item once.
func (n *neighborhood) join(r *Result) {
	added := make(map[Fingerprint]bool, r.Len())
	for i := range r.Len() {
		added[r.pages.item(r.items.at(i))] = true
	}
	add := func(items ...Fingerprint) {
		for _, f := range items {
			if !added[f] {
				added[f] = true
				n.items = append(n.items, f)
			}
		}
	}
	add(r.pages[r.first.page].Items[:r.first.index]...)
	for i := range r.Len() {
		add(r.leftOutBefore(i)...)
		n.places[i] = len(n.items)
		n.items = append(n.items, r.pages.item(r.items.at(r.index(i))))
	}
	add(r.leftOutBefore(r.Len())...)
	add(r.pages[r.last.page].Items[r.last.index:]...)
}

// leftOutBefore returns the items that were left out just before the item at index i, in the order
// of the list.
func (r *Result) leftOutBefore(i int) []Fingerprint {
	if r.items.dir < 0 {
		i = r.Len() - i
	}
	var passed []Fingerprint
	for _, left := range r.leftOut {
		if left.index == i {
			passed = append(passed, left.item)
		}
	}
	if r.items.dir < 0 {
		slices.Reverse(passed)
	}
	return passed
}

// hasItem reports whether one of the neighbors is an item.
func hasItem(neighbors []Neighbor, f Fingerprint) bool {
	return slices.ContainsFunc(neighbors, func(n Neighbor) bool { return n.Item.clipped() == f.clipped() })
}

// split returns the items before and after the one at an index, without those that were passed, and
// the passed items that are not on the side where they count as being.
func (n *neighborhood) split(at int) (before, after []Fingerprint, passed [2][]Neighbor) {
	before, after = n.items[:at], n.items[at+1:]
	if len(n.passed) == 0 {
		return before, after, passed
	}
	side, other := &before, &after
	s := 0
	if n.dir < 0 {
		side, other, s = other, side, 1
	}
	*other = slices.DeleteFunc(slices.Clone(*other), func(f Fingerprint) bool { return hasItem(n.passed, f) })
	for _, p := range n.passed {
		if !slices.ContainsFunc(*side, func(f Fingerprint) bool { return f.clipped() == p.Item.clipped() }) {
			passed[s] = append(passed[s], p)
		}
	}
	return before, after, passed
}

// inheritedNeighbors returns what a cursor remembers outside of the items: before the first item if
// dir is 1, by the distance from it, or after the last item if dir is -1.
func inheritedNeighbors(c *Cursor, items []Fingerprint, dir int) []Neighbor {
	if c == nil || len(items) == 0 {
		return nil
	}
	previous, next := c.sides(dir)
	at := func(i int) Fingerprint {
		if dir < 0 {
			return items[len(items)-1-i]
		}
		return items[i]
	}
	remembered := append([]Neighbor{{0, c.Item}}, slices.DeleteFunc(slices.Clone(previous), Neighbor.passed)...)
	// Distances from the cursor's item, against the direction.
	distances := make(map[Fingerprint]int, len(remembered)+len(next))
	for _, n := range remembered {
		distances[n.Item.clipped()] = n.Distance
	}
	for _, n := range next {
		distances[n.Item] = -n.Distance
	}
	// The first remembered item shows how the cursor's distances relate to the indexes of items.
	for i := range items {
		if d, ok := distances[at(i).clipped()]; ok {
			return outside(remembered, items, d, i)
		}
	}
	return nil
}

// outside returns the remembered neighbors that are further from the cursor than distance d and are
// not among items, by their distance from the end of items at which the cursor is. The item at
// distance d has index i from that end. Items inserted in between do not shorten a distance below
// 1.
func outside(remembered []Neighbor, items []Fingerprint, d, i int) []Neighbor {
	listed := make(map[Fingerprint]bool, len(items))
	for _, f := range items {
		listed[f.clipped()] = true
	}
	var far []Neighbor
	shift := -d - i
	for _, n := range remembered {
		if n.Distance <= d || listed[n.Item.clipped()] {
			continue
		}
		if len(far) == 0 {
			shift = max(shift, 1-n.Distance)
		}
		far = append(far, Neighbor{n.Distance + shift, n.Item})
	}
	return far
}

// neighborBuf has space for the neighbors on both sides of a cursor.
type neighborBuf [2][nearMost + maxFar]Neighbor

// cursor adds to c, the cursor of the window's item at index i, the neighbors that it remembers.
// They are stored in buf.
func (n *neighborhood) cursor(i int, c Cursor, buf *neighborBuf) Cursor {
	c.Item = n.items[n.places[i]]
	left := maxRaw - 3 - uvarintLen(c.Position) - uvarintLen(c.Total) - 4 - 4 - 8 - 4
	items, at := n.items, n.places[i]
	before, after, passed := n.split(at)
	if len(n.passed) > 0 {
		items, at = slices.Concat(before, items[at:at+1], after), len(before)
	}
	sides := [2]neighborSide{
		{items: items, at: at, dir: -1, reach: at, outside: n.before, passed: passed[0]},
		{items: items, at: at, dir: 1, reach: len(items) - 1 - at, outside: n.after, passed: passed[1]},
	}
	for s := range sides {
		sides[s].passed = sides[s].passed[:min(len(sides[s].passed), maxFar)]
		left -= len(sides[s].passed) * (neighborBytes + uvarintLen(passedDistance))
	}
	for s := range sides {
		left -= sides[s].addNear(nearFirst, left)
	}
	for s := range sides {
		left -= sides[s].addFar(left)
	}
	for near := nearFirst + 1; near <= nearMost; near++ {
		for s := range sides {
			left -= sides[s].addNear(near, left)
		}
	}
	c.Preceding, c.Following = sides[0].appendTo(buf[0][:0]), sides[1].appendTo(buf[1][:0])
	c.PrecedingInherited = sides[0].nearCount > sides[0].reach
	c.FollowingInherited = sides[1].nearCount > sides[1].reach
	return c
}

// uvarintLen returns the length of v as a varint, in bytes: seven bits a byte.
func uvarintLen(v int) int { return max(bits.Len(uint(v))+6, 7) / 7 }

// neighborSide chooses the neighbors on one side of an item.
type neighborSide struct {
	items   []Fingerprint // of the neighborhood
	at      int           // the item's index
	dir     int           // -1 for the items before it, 1 for the items after it
	reach   int           // how many of items are on this side
	outside []Neighbor    // by their distance from the last of those
	passed  []Neighbor    // items on the other side that count as being on this one, by distance

	near      [nearMost]Neighbor
	nearCount int
	far       [maxFar]Neighbor
	farCount  int
}

// find returns the neighbor at a distance, if it is known.
func (s *neighborSide) find(distance int) (Neighbor, bool) {
	if distance <= s.reach {
		return Neighbor{distance, s.items[s.at+s.dir*distance].clipped()}, true
	}
	for _, n := range s.outside {
		if s.reach+n.Distance == distance {
			return Neighbor{distance, n.Item.clipped()}, true
		}
	}
	return Neighbor{}, false
}

// addNear lengthens the run of the nearest neighbors up to n, within the given number of bytes, and
// returns how many bytes it used.
func (s *neighborSide) addNear(n, left int) (used int) {
	for s.nearCount < n && used+neighborBytes <= left {
		neighbor, ok := s.find(s.nearCount + 1)
		if !ok {
			break
		}
		s.near[s.nearCount] = neighbor
		s.nearCount++
		used += neighborBytes
	}
	return used
}

// addFar adds the known neighbors nearest to the far distances, in the order of their distance,
// within the given number of bytes, and returns how many bytes it used.
func (s *neighborSide) addFar(left int) (used int) {
	for _, target := range farDistances() {
		best, ok := s.nearest(target)
		if !ok || s.farCount > 0 && s.far[s.farCount-1].Distance >= best.Distance {
			continue
		}
		if size := neighborBytes + uvarintLen(best.Distance); used+size <= left && s.farCount+len(s.passed) < maxFar {
			s.far[s.farCount] = best
			s.farCount++
			used += size
		}
	}
	return used
}

// nearest returns the known far neighbor whose distance is nearest to the target.
func (s *neighborSide) nearest(target int) (best Neighbor, ok bool) {
	if target <= s.reach {
		return s.find(target)
	}
	if s.reach >= farFrom {
		best, ok = s.find(s.reach)
	}
	for _, n := range s.outside {
		if d := s.reach + n.Distance; d >= farFrom && (!ok || abs(d-target) < abs(best.Distance-target)) {
			best, ok = Neighbor{d, n.Item.clipped()}, true
		}
	}
	return best, ok
}

// appendTo appends the chosen neighbors, nearest first.
func (s *neighborSide) appendTo(dst []Neighbor) []Neighbor {
	dst = append(append(dst, s.near[:s.nearCount]...), s.far[:s.farCount]...)
	last := passedDistance
	for _, n := range s.passed {
		last = max(passedDistance+min(n.Distance, passedDistance/2), last+1)
		dst = append(dst, Neighbor{last, n.Item.clipped()})
	}
	return dst
}

func abs(n int) int { return max(n, -n) }
