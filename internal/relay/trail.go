package relay

import (
	"encoding/binary"
	"slices"
)

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
type line struct {
	items []Fingerprint
	// before and after are memories beyond the first and the last of items, by their distance from that item.
	before, after []Memory
}

// cursor returns the cursor of the item at index i; the fields that are not about neighbours are the caller's.
func (l *line) cursor(i int, c Cursor) Cursor {
	room := maxRaw - 3 - uvarintLen(c.Position) - uvarintLen(c.Total) - 4 - 8 - 4
	sides := [2]side{
		{reach: i, at: func(d int) Fingerprint { return l.items[i-d] }, beyond: l.before},
		{reach: len(l.items) - 1 - i, at: func(d int) Fingerprint { return l.items[i+d] }, beyond: l.after},
	}
	for s := range sides {
		room -= sides[s].grow(nearFirst, room)
	}
	for s := range sides {
		room -= sides[s].far(room)
	}
	for near := nearFirst + 1; near <= nearMost; near++ {
		for s := range sides {
			room -= sides[s].grow(near, room)
		}
	}
	c.Preceding, c.Following = sides[0].memories(), sides[1].memories()
	c.PrecedingCarried = len(sides[0].near) > sides[0].reach
	c.FollowingCarried = len(sides[1].near) > sides[1].reach
	return c
}

func uvarintLen(v int) int { return len(binary.AppendUvarint(nil, uint64(v))) }

// side chooses the memories on one side of an item.
type side struct {
	reach  int                            // how many items there are in the line
	at     func(distance int) Fingerprint // of those
	beyond []Memory                       // by their distance from the last of those

	near  []Memory
	apart []Memory
}

// find returns the item at a distance, if it is known.
func (s *side) find(distance int) (Memory, bool) {
	if distance <= s.reach {
		return Memory{distance, s.at(distance).clipped()}, true
	}
	for _, m := range s.beyond {
		if s.reach+m.Distance == distance {
			return Memory{distance, m.Item.clipped()}, true
		}
	}
	return Memory{}, false
}

// grow lengthens the run of the nearest up to n, and returns the bytes that it took of room.
func (s *side) grow(n, room int) (taken int) {
	for len(s.near) < n && taken+memoryBytes <= room {
		m, ok := s.find(len(s.near) + 1)
		if !ok {
			break
		}
		s.near = append(s.near, m)
		taken += memoryBytes
	}
	return taken
}

// far takes the known items that are nearest to the far distances, in the order of their distance.
func (s *side) far(room int) (taken int) {
	for _, target := range farDistances() {
		best, ok := s.nearest(target)
		if !ok || slices.ContainsFunc(s.apart, func(m Memory) bool { return m.Distance >= best.Distance }) {
			continue
		}
		if cost := memoryBytes + uvarintLen(best.Distance); taken+cost <= room {
			s.apart = append(s.apart, best)
			taken += cost
		}
	}
	return taken
}

func (s *side) nearest(target int) (best Memory, ok bool) {
	if target <= s.reach {
		return s.find(target)
	}
	if s.reach >= farFrom {
		best, ok = s.find(s.reach)
	}
	for _, m := range s.beyond {
		if d := s.reach + m.Distance; d >= farFrom && (!ok || abs(d-target) < abs(best.Distance-target)) {
			best, ok = Memory{d, m.Item.clipped()}, true
		}
	}
	return best, ok
}

func (s *side) memories() []Memory { return append(s.near, s.apart...) }

func abs(n int) int { return max(n, -n) }
