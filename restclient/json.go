package restclient

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
)

// maxDepth is how deep objects and lists may nest; the document itself is at depth 1.
const maxDepth = 512

// reader walks one JSON document, strictly by RFC 8259, and never backwards. It does not check
// UTF-8: the caller does so for the whole document beforehand. Its errors are
// *InvalidResponseError: not JSON, truncated, too deep.
type reader struct {
	data  []byte
	pos   int
	depth int
}

// peek skips white space and returns the byte a value or a mark starts with, without consuming it.
func (r *reader) peek() (byte, error) {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			return c, nil
		}
	}
	return 0, invalid(ReasonTruncated)
}

// unexpected is the error for the byte at the reader's place: truncated where there is none.
func (r *reader) unexpected() error {
	if r.pos >= len(r.data) {
		return invalid(ReasonTruncated)
	}
	return invalid(ReasonNotJSON)
}

// open consumes the bracket peek has seen.
func (r *reader) open() error {
	if r.depth == maxDepth {
		return invalid(ReasonTooDeep)
	}
	r.depth++
	r.pos++
	return nil
}

// more goes on to the next element of an object or list; it consumes the comma before the
// element, or the closing bracket when there is no further one.
func (r *reader) more(closing byte, first bool) (bool, error) {
	c, err := r.peek()
	if err != nil {
		return false, err
	}
	if c == closing {
		r.depth--
		r.pos++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, invalid(ReasonNotJSON)
	}
	r.pos++
	return true, nil
}

// key consumes a member's name and the colon behind it. The name is unescaped, and valid until
// the document's bytes change.
func (r *reader) key() ([]byte, error) {
	if c, err := r.peek(); err != nil {
		return nil, err
	} else if c != '"' {
		return nil, invalid(ReasonNotJSON)
	}
	name, escaped, err := r.text()
	if err != nil {
		return nil, err
	}
	if escaped {
		var b strings.Builder
		unescape(&b, name)
		name = []byte(b.String())
	}
	if c, err := r.peek(); err != nil {
		return nil, err
	} else if c != ':' {
		return nil, invalid(ReasonNotJSON)
	}
	r.pos++
	return name, nil
}

// consume skips white space and then word, if that comes next.
func (r *reader) consume(word string) bool {
	if _, err := r.peek(); err != nil || !bytes.HasPrefix(r.data[r.pos:], []byte(word)) {
		return false
	}
	r.pos += len(word)
	return true
}

// text consumes the string whose quote peek has seen, and returns what stands between the quotes.
func (r *reader) text() (raw []byte, escaped bool, err error) {
	start := r.pos + 1
	r.pos = start
	for {
		r.pos += plainPrefix(r.data[r.pos:])
		if r.pos == len(r.data) {
			return nil, false, invalid(ReasonTruncated)
		}
		switch r.data[r.pos] {
		case '"':
			r.pos++
			return r.data[start : r.pos-1], escaped, nil
		case '\\':
			escaped = true
			if err := r.escape(); err != nil {
				return nil, false, err
			}
		default:
			return nil, false, invalid(ReasonNotJSON)
		}
	}
}

// plainPrefix counts the bytes at the start of b before the first quote, backslash or control byte.
func plainPrefix(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	n := 0
	for ; n+8 <= len(b); n += 8 {
		// Eight bytes at a time: subtracting borrows into the high bit of each byte that is too
		// small. A borrow can spill upwards, so only the lowest mark is to be trusted.
		word := binary.LittleEndian.Uint64(b[n:])
		quote := word ^ ones*'"'
		backslash := word ^ ones*'\\'
		marks := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*' ')&^word) & highs
		if marks != 0 {
			return n + bits.TrailingZeros64(marks)/8
		}
	}
	for ; n < len(b); n++ {
		if c := b[n]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return n
}

// escape consumes one escape sequence.
func (r *reader) escape() error {
	r.pos++
	if r.pos == len(r.data) {
		return invalid(ReasonTruncated)
	}
	switch r.data[r.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.pos++
		return nil
	case 'u':
		r.pos++
	default:
		return invalid(ReasonNotJSON)
	}
	for range 4 {
		if r.pos == len(r.data) || !isHex(r.data[r.pos]) {
			return r.unexpected()
		}
		r.pos++
	}
	return nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// number consumes a number and returns its text.
func (r *reader) number() ([]byte, error) {
	start := r.pos
	r.accept('-', '-')
	if !r.accept('0', '0') {
		if err := r.digits(); err != nil {
			return nil, err
		}
	}
	if r.accept('.', '.') {
		if err := r.digits(); err != nil {
			return nil, err
		}
	}
	if r.accept('e', 'E') {
		r.accept('+', '-')
		if err := r.digits(); err != nil {
			return nil, err
		}
	}
	return r.data[start:r.pos], nil
}

// accept consumes the next byte if it is one of the two.
func (r *reader) accept(a, b byte) bool {
	if r.pos < len(r.data) && (r.data[r.pos] == a || r.data[r.pos] == b) {
		r.pos++
		return true
	}
	return false
}

// digits consumes one digit or more.
func (r *reader) digits() error {
	start := r.pos
	for r.pos < len(r.data) && '0' <= r.data[r.pos] && r.data[r.pos] <= '9' {
		r.pos++
	}
	if r.pos == start {
		return r.unexpected()
	}
	return nil
}

// literal consumes word, one of null, true and false.
func (r *reader) literal(word string) error {
	rest := r.data[r.pos:]
	if len(rest) >= len(word) && string(rest[:len(word)]) == word {
		r.pos += len(word)
		return nil
	}
	if strings.HasPrefix(word, string(rest[:min(len(rest), len(word))])) {
		return invalid(ReasonTruncated)
	}
	return invalid(ReasonNotJSON)
}

// skip consumes one value of any type and checks its grammar.
func (r *reader) skip() error {
	c, err := r.peek()
	if err != nil {
		return err
	}
	switch c {
	case '"':
		_, _, err = r.text()
	case '{', '[':
		err = r.skipNested(c)
	case 'n':
		err = r.literal("null")
	case 't':
		err = r.literal("true")
	case 'f':
		err = r.literal("false")
	default:
		_, err = r.number()
	}
	return err
}

// skipNested consumes an object or a list.
func (r *reader) skipNested(bracket byte) error {
	if err := r.open(); err != nil {
		return err
	}
	closing := bracket + 2 // in ASCII, of both kinds of bracket
	for first := true; ; first = false {
		if more, err := r.more(closing, first); err != nil || !more {
			return err
		}
		if bracket == '{' {
			if _, err := r.key(); err != nil {
				return err
			}
		}
		if err := r.skip(); err != nil {
			return err
		}
	}
}

// end checks that nothing but white space follows the document.
func (r *reader) end() error {
	if len(bytes.TrimLeft(r.data[r.pos:], " \n\t\r")) > 0 {
		return invalid(ReasonNotJSON)
	}
	return nil
}
