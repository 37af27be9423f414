package relay

import "math/bits"

// What a cursor has room for is shared out in this order: a few of the nearest neighbours on either side, far ones near these
// distances, then more of the nearest.
const (
	nearFirst = 4
	nearMost  = 7
	farFrom   = nearMost + 2 // so that a far one never lengthens the run
)

func farDistances() [maxFar]int { return [maxFar]int{16, 128, 1024} }

// line is a part of the list as an answer shows it: the items around and of the answer, in order, and what an older cursor
// remembers beyond its ends.
type neighborhood struct {
	items []Fingerprint
	// before and after are memories beyond the first and the last of items, by their distance from that item.
	before, after []Neighbor
}

// memories has room for what a cursor remembers on either side.
type neighborBuf [2][nearMost + maxFar]Neighbor

// cursor returns the cursor of the item at index i; the fields that are not about neighbours are the caller's. What it remembers
// is put into the room.
func (l *neighborhood) cursor(i int, c Cursor, room *neighborBuf) Cursor {
	left := maxRaw - 3 - uvarintLen(c.Position) - uvarintLen(c.Total) - 4 - 4 - 8 - 4
	sides := [2]neighborSide{
		{items: l.items, at: i, dir: -1, reach: i, beyond: l.before},
		{items: l.items, at: i, dir: 1, reach: len(l.items) - 1 - i, beyond: l.after},
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
	c.Preceding, c.Following = sides[0].appendTo(room[0][:0]), sides[1].appendTo(room[1][:0])
	c.PrecedingInherited = sides[0].nearCount > sides[0].reach
	c.FollowingInherited = sides[1].nearCount > sides[1].reach
	return c
}

// uvarintLen returns how many bytes v takes as a varint: seven bits a byte.
func uvarintLen(v int) int { return max(bits.Len(uint(v))+6, 7) / 7 }

// side chooses the memories on one side of an item.
type neighborSide struct {
	items  []Fingerprint // of the line
	at     int           // the item's index
	dir    int           // -1 for those ahead of it, 1 for those behind it
	reach  int           // how many items there are in the line
	beyond []Neighbor    // by their distance from the last of those

	near      [nearMost]Neighbor
	nearCount int // how many of near
	far       [maxFar]Neighbor
	farCount  int // how many of apart
}

// find returns the item at a distance, if it is known.
func (s *neighborSide) find(distance int) (Neighbor, bool) {
	if distance <= s.reach {
		return Neighbor{distance, s.items[s.at+s.dir*distance].clipped()}, true
	}
	for _, m := range s.beyond {
		if s.reach+m.Distance == distance {
			return Neighbor{distance, m.Item.clipped()}, true
		}
	}
	return Neighbor{}, false
}

// grow lengthens the run of the nearest up to n, and returns the bytes that it took of room.
func (s *neighborSide) addNear(n, room int) (taken int) {
	for s.nearCount < n && taken+neighborBytes <= room {
		m, ok := s.find(s.nearCount + 1)
		if !ok {
			break
		}
		s.near[s.nearCount] = m
		s.nearCount++
		taken += neighborBytes
	}
	return taken
}

// far takes the known items that are nearest to the far distances, in the order of their distance.
func (s *neighborSide) addFar(room int) (taken int) {
	for _, target := range farDistances() {
		best, ok := s.nearest(target)
		if !ok || s.farCount > 0 && s.far[s.farCount-1].Distance >= best.Distance {
			continue
		}
		if cost := neighborBytes + uvarintLen(best.Distance); taken+cost <= room {
			s.far[s.farCount] = best
			s.farCount++
			taken += cost
		}
	}
	return taken
}

func (s *neighborSide) nearest(target int) (best Neighbor, ok bool) {
	if target <= s.reach {
		return s.find(target)
	}
	if s.reach >= farFrom {
		best, ok = s.find(s.reach)
	}
	for _, m := range s.beyond {
		if d := s.reach + m.Distance; d >= farFrom && (!ok || abs(d-target) < abs(best.Distance-target)) {
			best, ok = Neighbor{d, m.Item.clipped()}, true
		}
	}
	return best, ok
}

// memories appends what was chosen, nearest first.
func (s *neighborSide) appendTo(dst []Neighbor) []Neighbor {
	return append(append(dst, s.near[:s.nearCount]...), s.far[:s.farCount]...)
}

func abs(n int) int { return max(n, -n) }
