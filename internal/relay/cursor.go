package relay

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
)

// MaxCursor is the length, in characters, of the longest cursor.
const MaxCursor = 128

// maxPosition bounds positions and totals: a GraphQL Int counts no further.
const maxPosition = math.MaxInt32

// cursorFormat is the first byte of every cursor. Another layout takes another number.
const cursorFormat = 3

// Cursor names an item of a list, by the item and by some of its neighbours, so that it still means the same place when items
// around it come and go. It is no secret and proves nothing about its holder: the upstream decides, by the credential, what a
// caller sees.
type Cursor struct {
	// Position is where the item stood, counted from 0.
	Position int
	// Total is how many items the list held then. It is above Position.
	Total int
	// Seen is when the list was seen like that, as [Clock] tells it; 0: nobody knows.
	Seen uint32
	// Item is the item's fingerprint.
	Item Fingerprint
	// List is the fingerprint of the list: its filter and the API version. The lower half is not kept.
	List Fingerprint
	// Moving is how far, in positions, the list was lately seen to move: 0 to maxMoving.
	Moving int
	// Preceding are items listed before this one, nearest first: an unbroken run of the nearest, then a few far ones.
	Preceding []Neighbor
	// Following are items listed after this one, likewise.
	Following []Neighbor
	// PrecedingCarried and FollowingCarried say that the run has items that an older cursor remembered and nobody has seen since:
	// others may stand between them by now.
	PrecedingInherited, FollowingInherited bool
}

// Neighbor is a neighbour that a cursor remembers.
type Neighbor struct {
	// Distance is how many places it stood away, from 1.
	Distance int
	// Item is its fingerprint, of which only the upper 48 bits are kept.
	Item Fingerprint
}

// memoryBits are the bits of a neighbour's fingerprint that are kept: enough for a match to count alone.
const neighborBits = 48

// clipped returns f as a memory keeps it.
func (f Fingerprint) clipped() Fingerprint { return f >> (64 - neighborBits) << (64 - neighborBits) }

// run returns how many of the memories are the unbroken run of the nearest.
func runLength(memories []Neighbor) int {
	n := 0
	for n < len(memories) && memories[n].Distance == n+1 {
		n++
	}
	return n
}

const (
	maxMoving = 15
	maxFar    = 3
	// carriedBit stands beside the length of a run, which takes three bits.
	inheritedBit = 8

	neighborBytes = neighborBits / 8
	// maxRaw is how many bytes a cursor of MaxCursor characters has.
	maxRaw = MaxCursor * 6 / 8
)

// ErrDamagedCursor is what [DecodeCursor] returns for a text that [Cursor.Encode] never made.
var ErrDamagedCursor = errors.New("the text is not a cursor")

// ErrForeignCursor is what [DecodeCursor] returns for a cursor of another list.
var ErrForeignCursor = errors.New("the cursor belongs to another list")

// Encode returns c as an opaque text of at most [MaxCursor] characters that need no escaping in a URL. Equal cursors have
// equal texts.
func (c Cursor) Encode() string { return string(c.Append(nil)) }

// Append appends the text of c to dst.
func (c Cursor) Append(dst []byte) []byte {
	// The raw bytes are put together in dst too, beyond their text.
	dst = slices.Grow(dst, MaxCursor+maxRaw)
	room := len(dst) + MaxCursor
	b := dst[room : room : room+maxRaw]
	b = append(b, cursorFormat)
	runs := [2]int{runLength(c.Preceding), runLength(c.Following)}
	lengths := runs
	if c.PrecedingInherited {
		lengths[0] |= inheritedBit
	}
	if c.FollowingInherited {
		lengths[1] |= inheritedBit
	}
	b = append(b, byte(lengths[0]<<4|lengths[1]), byte((len(c.Preceding)-runs[0])<<6|(len(c.Following)-runs[1])<<4|c.Moving))
	b = binary.AppendUvarint(b, uint64(c.Position))
	b = binary.AppendUvarint(b, uint64(c.Total))
	b = binary.BigEndian.AppendUint32(b, c.Seen)
	b = binary.BigEndian.AppendUint32(b, uint32(c.List>>32))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Item))
	for side, memories := range [2][]Neighbor{c.Preceding, c.Following} {
		for i, m := range memories {
			if i >= runs[side] {
				b = binary.AppendUvarint(b, uint64(m.Distance))
			}
			b = binary.BigEndian.AppendUint64(b, uint64(m.Item))[:len(b)+neighborBytes]
		}
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// DecodeCursor reads a cursor of the given list. It returns [ErrDamagedCursor] or [ErrForeignCursor] for anything that
// [Cursor.Encode] did not make of a cursor of this list, another spelling of the same bytes included.
func DecodeCursor(text string, list Fingerprint) (Cursor, error) {
	if len(text) > MaxCursor {
		return Cursor{}, ErrDamagedCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 4 || b[0] != cursorFormat || crc32.ChecksumIEEE(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return Cursor{}, ErrDamagedCursor
	}
	d := decoder{rest: b[1 : len(b)-4]}
	runs := d.bytes(1)[0]
	more := d.bytes(1)[0]
	c := Cursor{Moving: int(more & 15)}
	c.Position = d.uvarint(maxPosition - 1)
	c.Total = d.uvarint(maxPosition)
	c.Seen = binary.BigEndian.Uint32(d.bytes(4))
	c.List = Fingerprint(binary.BigEndian.Uint32(d.bytes(4))) << 32
	c.Item = Fingerprint(binary.BigEndian.Uint64(d.bytes(8)))
	c.Preceding = d.neighbors(int(runs>>4&(inheritedBit-1)), int(more>>6))
	c.Following = d.neighbors(int(runs&(inheritedBit-1)), int(more>>4&3))
	c.PrecedingInherited, c.FollowingInherited = runs>>4&inheritedBit != 0, runs&inheritedBit != 0
	// Encoding again checks the spelling: line breaks and spare bits pass the decoder.
	if d.failed || len(d.rest) > 0 || c.Total <= c.Position || c.Encode() != text {
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
	var memories []Neighbor
	for i := range run + far {
		m := Neighbor{Distance: i + 1}
		if i >= run {
			// The first of the far ones stands apart from the run, and each beyond the one before.
			m.Distance = d.uvarint(maxPosition)
			if m.Distance <= i+1 || i > 0 && m.Distance <= memories[i-1].Distance {
				d.failed = true
			}
		}
		var item [8]byte
		copy(item[:], d.bytes(neighborBytes))
		m.Item = Fingerprint(binary.BigEndian.Uint64(item[:]))
		memories = append(memories, m)
	}
	return memories
}
