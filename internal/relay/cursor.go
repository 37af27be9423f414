package relay

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
)

// MaxCursor is the maximum length of a cursor, in characters.
const MaxCursor = 128

// maxPosition is the maximum position and total: the largest GraphQL Int.
const maxPosition = math.MaxInt32

// cursorFormat is the first byte of every cursor. It changes with the layout.
const cursorFormat = 3

// Cursor identifies a place in a list by an item and some of its neighbors, so that it stays at the
// same place when items around it are added and deleted. It is not a secret and grants no access:
// the upstream decides by the credential what a caller sees.
type Cursor struct {
	// Position is the position of the item when the cursor was made, counted from 0.
	Position int
	// Total is the number of items in the list at that time. It is greater than Position.
	Total int
	// Seen is when the newest of the pages was received that the cursor was made from, as
	// [CursorTime] returns it. It is 0 if that is unknown.
	Seen uint32
	// Item is the item's fingerprint.
	Item Fingerprint
	// List is the fingerprint of the list: of its filter and the API version. An encoded cursor has
	// only the upper half.
	List Fingerprint
	// Drift is how far the list moved recently, in positions: 0 to maxDrift.
	Drift int
	// Preceding are items listed before this one, nearest first: a run of the nearest without gaps,
	// then a few far ones.
	Preceding []Neighbor
	// Following are items listed after this one, likewise.
	Following []Neighbor
	// PrecedingInherited and FollowingInherited report that the run has items from an older cursor
	// that no page has shown since. There may be other items between them now.
	PrecedingInherited, FollowingInherited bool
}

// Neighbor is an item that a cursor remembers besides its own.
type Neighbor struct {
	// Distance is the number of places between the item and the cursor's, from 1.
	Distance int
	// Item is the fingerprint of the item. Only the upper 48 bits count.
	Item Fingerprint
}

// passedDistance is the first of the distances that mark items which are not where they were: a
// traversal has passed them, but will meet them again and leave them out.
const passedDistance = 1 << 20

func (n Neighbor) passed() bool { return n.Distance >= passedDistance }

// neighborBits is how many bits of a neighbor's fingerprint a cursor has: enough for a match by
// chance to be improbable.
const neighborBits = 48

// clipped returns the bits of f that a [Neighbor] has.
func (f Fingerprint) clipped() Fingerprint { return f >> (64 - neighborBits) << (64 - neighborBits) }

// runLength returns the length of the run of the nearest neighbors.
func runLength(neighbors []Neighbor) int {
	n := 0
	for n < len(neighbors) && neighbors[n].Distance == n+1 {
		n++
	}
	return n
}

// memory is what a cursor remembers, as a traversal in the direction dir sees it. The previous and
// the next items are those that the traversal meets before and after the cursor. An item's offset
// is the number of places from the cursor's item to it, below 0 for a previous item.
type memory struct {
	cursor         *Cursor
	dir            int
	previous, next []Neighbor
	// witnesses are the offsets of the cursor's item and of the runs of the nearest items.
	// Inherited next items are not among them, because there may be other items between them.
	witnesses offsets
	// inherited reports that there may be other items between the previous witnesses.
	inherited bool
}

// offsets are the offsets from lowest to highest.
type offsets struct{ lowest, highest int }

func (o offsets) has(offset int) bool { return offset >= o.lowest && offset <= o.highest }

func newMemory(c *Cursor, dir int) memory {
	m := memory{cursor: c, dir: dir, inherited: c.PrecedingInherited}
	nextInherited := c.FollowingInherited
	if dir < 0 {
		m.inherited, nextInherited = nextInherited, m.inherited
	}
	m.previous, m.next = c.sides(dir)
	m.witnesses.lowest = -runLength(m.previous)
	if !nextInherited {
		m.witnesses.highest = runLength(m.next)
	}
	return m
}

// sides returns the previous and the next items that the cursor remembers.
func (c *Cursor) sides(dir int) (previous, next []Neighbor) {
	if dir > 0 {
		return c.Preceding, c.Following
	}
	return c.Following, c.Preceding
}

// offset returns the offset of an item, stranger if the cursor does not remember it.
func (m *memory) offset(f Fingerprint) int {
	if f == m.cursor.Item {
		return 0
	}
	clipped := f.clipped()
	for _, n := range m.previous {
		if n.Item == clipped {
			return -n.Distance
		}
	}
	for _, n := range m.next {
		if n.Item == clipped {
			return n.Distance
		}
	}
	return stranger
}

// toStart and toEnd report whether the witnesses reach the end of the list at which the traversal
// begins, or the other one.
func (m *memory) toStart() bool { return -m.witnesses.lowest >= m.distance(-m.dir) }
func (m *memory) toEnd() bool   { return m.witnesses.highest >= m.distance(m.dir) }

// distance returns how many items there were between the cursor's item and an end of the list.
func (m *memory) distance(dir int) int {
	if dir > 0 {
		return m.cursor.Total - 1 - m.cursor.Position
	}
	return m.cursor.Position
}

// oldPosition returns the position of the item with an offset when the cursor was made.
func (m *memory) oldPosition(offset int) int { return m.cursor.Position + m.dir*offset }

const (
	maxDrift = 15
	maxFar   = 3
	// inheritedBit is encoded next to the length of a run, which takes three bits.
	inheritedBit = 8

	neighborBytes = neighborBits / 8
	// maxRaw is the number of bytes of a cursor of MaxCursor characters.
	maxRaw = MaxCursor * 6 / 8
)

// ErrDamagedCursor is the error of [DecodeCursor] for a string that [Cursor.Encode] never returns.
var ErrDamagedCursor = errors.New("the string is not a cursor")

// ErrForeignCursor is the error of [DecodeCursor] for a cursor of another list.
var ErrForeignCursor = errors.New("the cursor belongs to another list")

// Encode returns c as an opaque string of at most [MaxCursor] characters that need no escaping in a
// URL. Equal cursors have equal encodings.
func (c Cursor) Encode() string { return string(c.Append(nil)) }

// Append appends the encoding of c to dst.
func (c Cursor) Append(dst []byte) []byte {
	// The raw bytes are written to dst as well, after the space for their encoding.
	dst = slices.Grow(dst, MaxCursor+maxRaw)
	raw := len(dst) + MaxCursor
	b := dst[raw : raw : raw+maxRaw]
	b = append(b, cursorFormat)
	runs := [2]int{runLength(c.Preceding), runLength(c.Following)}
	lengths := runs
	if c.PrecedingInherited {
		lengths[0] |= inheritedBit
	}
	if c.FollowingInherited {
		lengths[1] |= inheritedBit
	}
	b = append(b, byte(lengths[0]<<4|lengths[1]), byte((len(c.Preceding)-runs[0])<<6|(len(c.Following)-runs[1])<<4|c.Drift))
	b = binary.AppendUvarint(b, uint64(c.Position))
	b = binary.AppendUvarint(b, uint64(c.Total))
	b = binary.BigEndian.AppendUint32(b, c.Seen)
	b = binary.BigEndian.AppendUint32(b, uint32(c.List>>32))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Item))
	for side, neighbors := range [2][]Neighbor{c.Preceding, c.Following} {
		for i, n := range neighbors {
			if i >= runs[side] {
				b = binary.AppendUvarint(b, uint64(n.Distance))
			}
			b = binary.BigEndian.AppendUint64(b, uint64(n.Item))[:len(b)+neighborBytes]
		}
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// DecodeCursor decodes a cursor of the given list. The error is [ErrDamagedCursor] or
// [ErrForeignCursor] for any string that [Cursor.Encode] does not return for a cursor of this list,
// also for another spelling of the same bytes.
func DecodeCursor(encoded string, list Fingerprint) (Cursor, error) {
	if len(encoded) > MaxCursor {
		return Cursor{}, ErrDamagedCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(b) < 4 || b[0] != cursorFormat ||
		crc32.ChecksumIEEE(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return Cursor{}, ErrDamagedCursor
	}
	d := decoder{rest: b[1 : len(b)-4]}
	runs := d.bytes(1)[0]
	more := d.bytes(1)[0]
	c := Cursor{Drift: int(more & 15)}
	c.Position = d.uvarint(maxPosition - 1)
	c.Total = d.uvarint(maxPosition)
	c.Seen = binary.BigEndian.Uint32(d.bytes(4))
	c.List = Fingerprint(binary.BigEndian.Uint32(d.bytes(4))) << 32
	c.Item = Fingerprint(binary.BigEndian.Uint64(d.bytes(8)))
	c.Preceding = d.neighbors(int(runs>>4&(inheritedBit-1)), int(more>>6))
	c.Following = d.neighbors(int(runs&(inheritedBit-1)), int(more>>4&3))
	c.PrecedingInherited, c.FollowingInherited = runs>>4&inheritedBit != 0, runs&inheritedBit != 0
	// The comparison with the encoding finds other spellings: the decoder accepts line breaks and
	// spare bits.
	if d.failed || len(d.rest) > 0 || c.Total <= c.Position || c.Encode() != encoded {
		return Cursor{}, ErrDamagedCursor
	}
	if c.List>>32 != list>>32 {
		return Cursor{}, ErrForeignCursor
	}
	c.List = list
	return c, nil
}

// decoder reads the bytes of a cursor. Once it has failed it returns zeros.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) bytes(n int) []byte {
	if len(d.rest) < n {
		d.failed, d.rest = true, nil
		return make([]byte, n)
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) uvarint(most uint64) int {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > most {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return int(v)
}

func (d *decoder) neighbors(run, far int) []Neighbor {
	var neighbors []Neighbor
	for i := range run + far {
		n := Neighbor{Distance: i + 1}
		if i >= run {
			// The first far neighbor is not adjacent to the run, and each is further than the
			// previous one.
			n.Distance = d.uvarint(maxPosition)
			if n.Distance <= i+1 || i > 0 && n.Distance <= neighbors[i-1].Distance {
				d.failed = true
			}
		}
		var item [8]byte
		copy(item[:], d.bytes(neighborBytes))
		n.Item = Fingerprint(binary.BigEndian.Uint64(item[:]))
		neighbors = append(neighbors, n)
	}
	return neighbors
}
