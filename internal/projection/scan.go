package projection

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may nest; the document itself is at depth 1.
const maxDepth = 512

// scanner walks one JSON document in UTF-8, strictly by RFC 8259, and never backwards. Its methods return false where the document is
// none, and the scanner is of no use then.
type scanner struct {
	data  []byte
	pos   int
	depth int
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
	return s.word(word)
}

// word consumes a word if that is here.
func (s *scanner) word(word string) bool {
	if rest := s.data[s.pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
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
	at := s.pos + 1
	for {
		at = s.special(at)
		if at == len(s.data) {
			return false, false, false
		}
		switch c := s.data[at]; {
		case c == '"':
			s.pos = at + 1
			return escaped, surrogates, true
		case c == '\\':
			length, surrogate := escape(s.data[at+1:])
			if length == 0 {
				return false, false, false
			}
			escaped, surrogates = true, surrogates || surrogate
			at += 1 + length
		case c < ' ':
			return false, false, false
		default:
			r, size := utf8.DecodeRune(s.data[at:])
			if r == utf8.RuneError && size == 1 {
				return false, false, false
			}
			at += size
		}
	}
}

// escape returns the length of the escape that b begins with, behind its backslash, and whether it is half of a surrogate pair; 0 for none.
func escape(b []byte) (length int, surrogate bool) {
	if len(b) == 0 {
		return 0, false
	}
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1, false
	case 'u':
		if unit, ok := codeUnit(b[1:]); ok {
			return 5, utf16.IsSurrogate(unit)
		}
	}
	return 0, false
}

// special returns where the next byte stands that is not simply one of a string, from a place on: a quote, a backslash, one below the
// space, one beyond ASCII; the end where there is none. It looks at eight bytes at a time: subtracting borrows into the high bit of each
// byte that is too small, and from there upwards; so the lowest high bit is one of a byte that is looked for.
func (s *scanner) special(from int) int {
	const (
		ones    = 0x0101010101010101
		highs   = 0x80 * ones
		spaces  = ' ' * ones
		quotes  = '"' * ones
		slashes = '\\' * ones
	)
	at := from
	for ; at+8 <= len(s.data); at += 8 {
		w := binary.LittleEndian.Uint64(s.data[at:])
		quote, slash := w^quotes, w^slashes
		if found := ((quote - ones) | (slash - ones) | (w - spaces) | w) & highs; found != 0 {
			// The high bits of bytes beyond ASCII are set in all of these, and are meant.
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(s.data) && s.data[at] != '"' && s.data[at] != '\\' && s.data[at]-' ' < utf8.RuneSelf-' ' {
		at++
	}
	return at
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
	if s.digits() && (s.data[start] != '0' || s.pos == start+1) && s.pos < len(s.data) && (s.data[s.pos] == ',' || s.data[s.pos] == '}') {
		return true, true // as most are
	}
	s.pos = start
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
		return s.word("null")
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
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
