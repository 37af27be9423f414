package projection

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf16"
)

// maxDepth is how deep objects and lists may nest; the document itself is at depth 1.
const maxDepth = 512

// scanner walks one JSON document, strictly by RFC 8259, and never backwards. It does not look whether the document is in UTF-8.
// Its methods return false where the document is none, and the scanner is of no use then.
type scanner struct {
	data  []byte
	pos   int
	depth int
	// slash is where the next backslash stands, once that was looked for and as long as it is not behind.
	slash int
	// controls says that there may be bytes below the space, which no string has.
	controls bool
}

func newScanner(data []byte) scanner {
	return scanner{data: data, slash: -1, controls: hasControls(data)}
}

// peek skips white space and returns the byte that a value or a mark starts with, without consuming it; 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' {
		return s.data[s.pos]
	}
	return s.peekBeyond()
}

func (s *scanner) peekBeyond() byte {
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

// text consumes the string that starts here. It says whether there are escapes, and surrogates among them.
func (s *scanner) text() (escaped, surrogates, ok bool) {
	start := s.pos + 1
	quote := s.next('"', start)
	if s.slash < start {
		s.slash = s.next('\\', start)
	}
	for s.slash < quote {
		escaped = true
		if s.slash+1 == len(s.data) {
			return false, false, false
		}
		beyond := s.slash + 2
		switch s.data[s.slash+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			unit, ok := codeUnit(s.data[beyond:])
			if !ok {
				return false, false, false
			}
			surrogates = surrogates || utf16.IsSurrogate(unit)
			beyond += 4
		default:
			return false, false, false
		}
		s.slash = s.next('\\', beyond)
		if quote < beyond {
			quote = s.next('"', beyond)
		}
	}
	if quote == len(s.data) || s.controls && hasControls(s.data[start:quote]) {
		return false, false, false
	}
	s.pos = quote + 1
	return escaped, surrogates, true
}

// next returns where c stands next, from a place on; the end where it does not.
func (s *scanner) next(c byte, from int) int {
	if i := bytes.IndexByte(s.data[from:], c); i >= 0 {
		return from + i
	}
	return len(s.data)
}

// hasControls says whether there are bytes below the space, which no string has. It looks at eight at a time: subtracting borrows
// into the high bit of each byte that is too small; a borrow spills upwards only from such a byte.
func hasControls(b []byte) bool {
	const (
		spaces = 0x2020202020202020
		highs  = 0x8080808080808080
	)
	var found uint64
	for ; len(b) >= 32; b = b[32:] {
		w0, w1 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		w2, w3 := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		found |= (w0-spaces)&^w0 | (w1-spaces)&^w1 | (w2-spaces)&^w2 | (w3-spaces)&^w3
	}
	if found&highs != 0 {
		return true
	}
	return slices.ContainsFunc(b, func(c byte) bool { return c < ' ' })
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
