package relay

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// MaxCursor is the length, in characters, of the longest cursor.
const MaxCursor = 128

// maxPosition bounds positions and totals: a GraphQL Int counts no further.
const maxPosition = math.MaxInt32

// cursorFormat is the first byte of every cursor. Another layout takes another number.
const cursorFormat = 1

// Fingerprint stands for an item or for a list: 64 bits of a hash that is the same in every process.
type Fingerprint uint64

// FingerprintOf returns the fingerprint of the parts, in this order. Moving text from one part to the next changes it.
func FingerprintOf(parts ...string) Fingerprint {
	buf := make([]byte, 0, 128)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return Fingerprint(binary.BigEndian.Uint64(sum[:]))
}

// Cursor names an item of a list. It is no secret and proves nothing about its holder: the upstream decides, by the
// credential, what a caller sees.
type Cursor struct {
	// Position is where the item stood, counted from 0.
	Position int
	// Total is how many items the list held then. It is above Position.
	Total int
	// Item is the fingerprint of the item's id.
	Item Fingerprint
	// List is the fingerprint of the list: its filter and the API version.
	List Fingerprint
}

// ErrDamagedCursor is what [DecodeCursor] returns for a text that [Cursor.Encode] never made.
var ErrDamagedCursor = errors.New("the text is not a cursor")

// ErrForeignCursor is what [DecodeCursor] returns for a cursor of another list.
var ErrForeignCursor = errors.New("the cursor belongs to another list")

// Encode returns c as an opaque text of at most [MaxCursor] characters that need no escaping in a URL. Equal cursors have
// equal texts.
func (c Cursor) Encode() string {
	var raw [40]byte
	b := append(raw[:0], cursorFormat)
	b = binary.AppendUvarint(b, uint64(c.Position))
	b = binary.AppendUvarint(b, uint64(c.Total))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Item))
	b = binary.BigEndian.AppendUint32(b, uint32(c.List>>32))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor reads a cursor of the given list. It returns [ErrDamagedCursor] or [ErrForeignCursor] for anything that
// [Cursor.Encode] did not make of a cursor of this list, another spelling of the same bytes included.
func DecodeCursor(text string, list Fingerprint) (Cursor, error) {
	if len(text) > MaxCursor {
		return Cursor{}, ErrDamagedCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 1 || b[0] != cursorFormat {
		return Cursor{}, ErrDamagedCursor
	}
	rest := b[1:]
	position, n := binary.Uvarint(rest)
	if n <= 0 || position >= maxPosition {
		return Cursor{}, ErrDamagedCursor
	}
	rest = rest[n:]
	total, n := binary.Uvarint(rest)
	if n <= 0 || total > maxPosition || total <= position {
		return Cursor{}, ErrDamagedCursor
	}
	if rest = rest[n:]; len(rest) != 8+4+4 {
		return Cursor{}, ErrDamagedCursor
	}
	c := Cursor{
		Position: int(position),
		Total:    int(total),
		Item:     Fingerprint(binary.BigEndian.Uint64(rest)),
		List:     Fingerprint(binary.BigEndian.Uint32(rest[8:])) << 32,
	}
	// Encoding again checks the sum and the spelling at once: line breaks and spare bits pass the decoder.
	if c.Encode() != text {
		return Cursor{}, ErrDamagedCursor
	}
	if c.List>>32 != list>>32 {
		return Cursor{}, ErrForeignCursor
	}
	c.List = list
	return c, nil
}
