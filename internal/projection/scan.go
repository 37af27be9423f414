package projection

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may nest; the document itself is at depth 1.
const maxDepth = 512

// scanner walks one JSON document, strictly by RFC 8259, and never backwards. Its methods return false where the document is
// none, and the scanner is of no use then.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// peek skips white space and returns the byte that a value or a mark starts with, without consuming it; 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// open consumes the bracket that peek has seen.
func (s *scanner) open() bool {
	s.pos++
	s.depth++
	return s.depth <= maxDepth
}

// more goes on to the next element of an object or a list: it consumes the comma ahead of the element, or the closing bracket
// where there is no further one.
func (s *scanner) more(closing byte, first bool) (more, ok bool) {
	c := s.peek()
	switch {
	case c == closing:
		s.depth--
		s.pos++
		return false, true
	case first:
		return true, c != 0
	case c == ',':
		s.pos++
		return true, true
	}
	return false, false
}

// consume skips white space and then word, if that comes next.
func (s *scanner) consume(word string) bool {
	s.peek()
	if end := s.pos + len(word); end <= len(s.data) && string(s.data[s.pos:end]) == word {
		s.pos = end
		return true
	}
	return false
}

// key consumes a member's name and the colon behind it, and returns the name, unescaped.
func (s *scanner) key() (name []byte, ok bool) {
	if s.peek() != '"' {
		return nil, false
	}
	start := s.pos + 1
	escaped, _, ok := s.text()
	if !ok {
		return nil, false
	}
	name = s.data[start : s.pos-1]
	if escaped {
		name = appendUnescaped(nil, name)
	}
	if s.peek() != ':' {
		return nil, false
	}
	s.pos++
	return name, true
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// text consumes the string that starts here. It says whether there are escapes, and surrogates among them.
func (s *scanner) text() (escaped, surrogates, ok bool) {
	data, start := s.data, s.pos+1
	pos := start
	var bytesSeen uint64
	for {
		var c byte
		for {
			if pos+8 > len(data) {
				if pos == len(data) {
					return false, false, false
				}
				if c = data[pos]; c == '"' || c == '\\' || c < ' ' {
					break
				}
				bytesSeen |= uint64(c)
				pos++
				continue
			}
			// Eight bytes at a time: subtracting borrows into the high bit of each byte that is too small. A borrow can spill
			// upwards, so only the lowest mark is to be trusted.
			word := binary.LittleEndian.Uint64(data[pos:])
			quote := word ^ ones*'"'
			backslash := word ^ ones*'\\'
			marks := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*' ')&^word) & highs
			bytesSeen |= word
			if marks != 0 {
				pos += bits.TrailingZeros64(marks) / 8
				c = data[pos]
				break
			}
			pos += 8
		}
		switch c {
		case '"':
			s.pos = pos + 1
			return escaped, surrogates, bytesSeen&highs == 0 || utf8.Valid(data[start:pos])
		case '\\':
			escaped = true
			if pos++; pos == len(data) {
				return false, false, false
			}
			switch data[pos] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				pos++
			case 'u':
				unit, ok := codeUnit(data[pos+1:])
				if !ok {
					return false, false, false
				}
				surrogates = surrogates || unit>>11 == 0xd800>>11
				pos += 5
			default:
				return false, false, false
			}
		default:
			return false, false, false
		}
	}
}

// codeUnit reads four hex digits.
func codeUnit(b []byte) (unit rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(c)
	}
	return unit, true
}

// number consumes a number, and says whether it is written as whole ones are, so that its text can stand as it is.
func (s *scanner) number() (plain, ok bool) {
	start := s.pos
	s.accept('-', '-')
	digits := s.pos
	if !s.accept('0', '0') && !s.digits() {
		return false, false
	}
	plain = s.data[digits] != '0' || digits == start
	if s.accept('.', '.') {
		if plain = false; !s.digits() {
			return false, false
		}
	}
	if s.accept('e', 'E') {
		s.accept('+', '-')
		if plain = false; !s.digits() {
			return false, false
		}
	}
	return plain, true
}

// accept consumes the next byte if it is one of the two.
func (s *scanner) accept(a, b byte) bool {
	if s.pos < len(s.data) && (s.data[s.pos] == a || s.data[s.pos] == b) {
		s.pos++
		return true
	}
	return false
}

// digits consumes one digit or more.
func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// skip consumes one value of any type.
func (s *scanner) skip() bool {
	switch c := s.peek(); c {
	case '"':
		_, _, ok := s.text()
		return ok
	case '{', '[':
		return s.skipNested(c)
	case 'n':
		return s.consume("null")
	case 't':
		return s.consume("true")
	case 'f':
		return s.consume("false")
	default:
		_, ok := s.number()
		return ok
	}
}

// skipNested consumes an object or a list.
func (s *scanner) skipNested(bracket byte) bool {
	if !s.open() {
		return false
	}
	closing := bracket + 2 // in ASCII, of both kinds of bracket
	for first := true; ; first = false {
		more, ok := s.more(closing, first)
		if !ok || !more {
			return ok
		}
		if bracket == '{' {
			if _, ok := s.key(); !ok {
				return false
			}
		}
		if !s.skip() {
			return false
		}
	}
}

// end says whether nothing but white space follows.
func (s *scanner) end() bool {
	s.peek()
	return s.pos == len(s.data)
}
