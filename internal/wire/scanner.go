// Package wire knows how the upstream writes the pages of its list: it reads their JSON
// ([Scanner]), walks a page's document ([Scanner.Page]), and compiles the wire types into tables of
// keys ([Shape]).
package wire

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is the maximum nesting of objects and lists. The document itself is at depth 1.
const maxDepth = 512

// Failure is the reason why a [Scanner] stopped.
type Failure uint8

// The reasons of a failure.
const (
	// NotJSON means that the document is not JSON in UTF-8.
	NotJSON Failure = iota + 1
	// Truncated means that the document ends too early.
	Truncated
	// TooDeep means that objects and lists nest deeper than 512.
	TooDeep
	// TooManyInvalid means that a page has more than [MaxInvalid] values of the wrong type.
	TooManyInvalid
	// TooManyElements means that a page's lists of objects have more than [MaxElements] elements
	// together.
	TooManyElements
)

// Limits of a page. Pages of the real upstream reach a hundredth of them.
const (
	MaxInvalid  = 10_000
	MaxElements = 100_000
)

// Scanner reads one JSON document, strictly by RFC 8259, and never backwards. The zero value with
// Data is ready to use. A method that returns false for ok has set Failure; the scanner must not be
// used after that.
type Scanner struct {
	Data []byte
	// Pos is the index of the next byte to read.
	Pos int
	// Failure is the reason of the first failure, and 0 before one.
	Failure Failure

	depth int
}

// Fail sets the failure and returns false.
func (s *Scanner) Fail(f Failure) bool {
	s.Failure = f
	return false
}

// unexpected fails because of the byte at Pos, or because the data ends.
func (s *Scanner) unexpected() bool {
	if s.Pos >= len(s.Data) {
		return s.Fail(Truncated)
	}
	return s.Fail(NotJSON)
}

// Peek skips white space and returns the first byte of the next value or punctuation mark, without
// consuming it. It returns 0 at the end.
func (s *Scanner) Peek() byte {
	if s.Pos < len(s.Data) && s.Data[s.Pos] > ' ' {
		return s.Data[s.Pos]
	}
	return s.peekAfterSpace()
}

func (s *Scanner) peekAfterSpace() byte {
	for ; s.Pos < len(s.Data); s.Pos++ {
		switch c := s.Data[s.Pos]; c {
		case ' ', '\n', '\t', '\r':
		default:
			return c
		}
	}
	return 0
}

// Open consumes the opening bracket that Peek has returned.
func (s *Scanner) Open() bool {
	s.Pos++
	s.depth++
	return s.depth <= maxDepth || s.Fail(TooDeep)
}

// More advances to the next element of an object or list. It consumes the comma before the element,
// or the closing bracket if there are no more elements.
func (s *Scanner) More(closing byte, first bool) (more, ok bool) {
	c := s.Peek()
	switch {
	case c == closing:
		s.depth--
		s.Pos++
		return false, true
	case first && c != 0:
		return true, true
	case !first && c == ',':
		s.Pos++
		return true, true
	}
	return false, s.unexpected()
}

// Consume skips white space and consumes word if it comes next.
func (s *Scanner) Consume(word string) bool {
	s.Peek()
	return s.consumeHere(word)
}

func (s *Scanner) consumeHere(word string) bool {
	if rest := s.Data[s.Pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return false
	}
	s.Pos += len(word)
	return true
}

// Literal consumes word, which is null, true or false.
func (s *Scanner) Literal(word string) bool {
	return s.consumeHere(word) || s.failLiteral(word)
}

func (s *Scanner) failLiteral(word string) bool {
	if rest := s.Data[s.Pos:]; len(rest) < len(word) && strings.HasPrefix(word, string(rest)) {
		return s.Fail(Truncated)
	}
	return s.Fail(NotJSON)
}

// Key consumes a member's name and the colon after it, and returns the name without escapes. The
// name is valid until Data changes.
func (s *Scanner) Key() (name []byte, ok bool) {
	if s.Peek() != '"' {
		return nil, s.unexpected()
	}
	start := s.Pos + 1
	escaped, _, ok := s.Quoted()
	if !ok {
		return nil, false
	}
	name = s.Data[start : s.Pos-1]
	if escaped {
		name = AppendUnescaped(nil, name)
	}
	if s.Peek() != ':' {
		return nil, s.unexpected()
	}
	s.Pos++
	return name, true
}

// Plain consumes the string at Pos if it has neither escapes nor characters outside ASCII, and
// reports whether it has. If it returns false, nothing is consumed, and the scanner has not failed.
func (s *Scanner) Plain() bool {
	end := s.special(s.Pos + 1)
	if end == len(s.Data) || s.Data[end] != '"' {
		return false
	}
	s.Pos = end + 1
	return true
}

// Quoted consumes the string at Pos. It reports whether the string has escapes, and whether any of
// them is a surrogate.
func (s *Scanner) Quoted() (escaped, surrogates, ok bool) {
	at := s.Pos + 1
	for {
		at = s.special(at)
		if at == len(s.Data) {
			s.Pos = at
			return false, false, s.unexpected()
		}
		switch c := s.Data[at]; {
		case c == '"':
			s.Pos = at + 1
			return escaped, surrogates, true
		case c == '\\':
			length, surrogate := escape(s.Data[at+1:])
			if length == 0 {
				return false, false, s.failEscape(at + 1)
			}
			escaped, surrogates = true, surrogates || surrogate
			at += 1 + length
		case c < ' ':
			return false, false, s.Fail(NotJSON)
		default:
			r, size := utf8.DecodeRune(s.Data[at:])
			if r == utf8.RuneError && size == 1 {
				return false, false, s.Fail(NotJSON)
			}
			at += size
		}
	}
}

// escape returns the length of the escape at the start of b, which follows a backslash, and whether
// it is a surrogate. The length is 0 if b does not start with an escape.
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

// failEscape fails because of the invalid escape whose backslash is before at: at its first wrong
// byte.
func (s *Scanner) failEscape(at int) bool {
	s.Pos = at
	if s.Pos < len(s.Data) && s.Data[s.Pos] == 'u' {
		for s.Pos++; s.Pos < len(s.Data) && hexDigit(s.Data[s.Pos]) >= 0; {
			s.Pos++
		}
	}
	return s.unexpected()
}

// special returns the index, from a start on, of the next byte of a string that needs attention: a
// quote, a backslash, a control character, or a byte outside ASCII. It returns the length of the
// data if there is no such byte.
func (s *Scanner) special(from int) int {
	// Eight bytes at a time: a subtraction borrows into the high bit of each byte that is too
	// small, and from there into higher bytes. Only the lowest high bit is reliable, and it marks
	// the byte. The high bits of bytes outside ASCII are set anyway.
	const (
		ones    = 0x0101010101010101
		highs   = 0x80 * ones
		spaces  = ' ' * ones
		quotes  = '"' * ones
		slashes = '\\' * ones
	)
	at := from
	for ; at+8 <= len(s.Data); at += 8 {
		w := binary.LittleEndian.Uint64(s.Data[at:])
		quote, slash := w^quotes, w^slashes
		if found := ((quote - ones) | (slash - ones) | (w - spaces) | w) & highs; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(s.Data) && s.Data[at] != '"' && s.Data[at] != '\\' && s.Data[at]-' ' < utf8.RuneSelf-' ' {
		at++
	}
	return at
}

// Number consumes the number at Pos. It reports whether the number is plain, which means that
// a GraphQL response can contain it as it is: it has no fraction, no exponent, and is not -0.
func (s *Scanner) Number() (plain, ok bool) {
	start := s.Pos
	if s.digits() && (s.Data[start] != '0' || s.Pos == start+1) && s.Pos < len(s.Data) && (s.Data[s.Pos] == ',' || s.Data[s.Pos] == '}') {
		return true, true // the most frequent form
	}
	s.Pos = start
	s.accept('-', '-')
	digits := s.Pos
	if !s.accept('0', '0') && !s.digits() {
		return false, s.unexpected()
	}
	plain = s.Data[digits] != '0' || digits == start
	if s.accept('.', '.') {
		if plain = false; !s.digits() {
			return false, s.unexpected()
		}
	}
	if s.accept('e', 'E') {
		s.accept('+', '-')
		if plain = false; !s.digits() {
			return false, s.unexpected()
		}
	}
	return plain, true
}

// accept consumes the next byte if it is a or b.
func (s *Scanner) accept(a, b byte) bool {
	if s.Pos < len(s.Data) && (s.Data[s.Pos] == a || s.Data[s.Pos] == b) {
		s.Pos++
		return true
	}
	return false
}

// digits consumes one or more digits. It returns false if there are none.
func (s *Scanner) digits() bool {
	start := s.Pos
	for s.Pos < len(s.Data) && '0' <= s.Data[s.Pos] && s.Data[s.Pos] <= '9' {
		s.Pos++
	}
	return s.Pos > start
}

// Skip consumes one value of any type.
func (s *Scanner) Skip() bool {
	switch c := s.Peek(); c {
	case '"':
		_, _, ok := s.Quoted()
		return ok
	case '{', '[':
		return s.skipNested(c)
	case 'n':
		return s.Literal("null")
	case 't':
		return s.Literal("true")
	case 'f':
		return s.Literal("false")
	default:
		_, ok := s.Number()
		return ok
	}
}

// skipNested consumes an object or a list.
func (s *Scanner) skipNested(bracket byte) bool {
	if !s.Open() {
		return false
	}
	closing := bracket + 2 // in ASCII, for both kinds of bracket
	for first := true; ; first = false {
		more, ok := s.More(closing, first)
		if !ok || !more {
			return ok
		}
		if bracket == '{' {
			if _, ok := s.Key(); !ok {
				return false
			}
		}
		if !s.Skip() {
			return false
		}
	}
}

// End checks that only white space follows.
func (s *Scanner) End() bool {
	s.Peek()
	return s.Pos == len(s.Data) || s.Fail(NotJSON)
}
