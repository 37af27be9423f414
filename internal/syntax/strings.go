package syntax

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// readString reads a string and returns its value.
func (l *lexer) readString() string {
	l.offset++
	start := l.offset
	var value strings.Builder // the value before start
	for !l.atEnd() && !l.atLineEnd() {
		switch l.peek(0) {
		case '"':
			l.offset++
			return value.String() + l.src.Input[start:l.offset-1]
		case '\\':
			value.WriteString(l.src.Input[start:l.offset])
			r, size := l.escape()
			if size == 0 {
				return ""
			}
			value.WriteRune(r)
			l.offset += size
			start = l.offset
		default:
			if !l.advanceInString() {
				return ""
			}
		}
	}
	l.fail("Unterminated string.")
	return ""
}

// advanceInString skips the next character of a string. It returns false after an error.
func (l *lexer) advanceInString() bool {
	if l.advance() {
		return true
	}
	l.fail("Invalid character within String: %s.", l.character())
	return false
}

// escape returns the character of the escape sequence that is next, and the size of the sequence
// in bytes. The size is 0 after an error. Messages do not quote the hexadecimal digits, because
// they could be part of a credential.
func (l *lexer) escape() (r rune, size int) {
	switch c := l.peek(1); c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if r, size = l.unicodeEscape(); size == 0 {
			l.fail(`Invalid Unicode escape sequence: "\u" needs four hexadecimal digits, or one to eight within braces, of a Unicode character.`)
		}
		return r, size
	}
	sequence := `\`
	if r, width := utf8.DecodeRuneInString(l.src.Input[l.offset+1:]); r != utf8.RuneError {
		sequence = l.src.Input[l.offset : l.offset+1+width]
	}
	l.fail(`Invalid character escape sequence: "%s".`, sequence)
	return 0, 0
}

// unicodeEscape returns what [lexer.escape] returns for an escape sequence that begins with \u. It
// does not record an error.
func (l *lexer) unicodeEscape() (r rune, size int) {
	if l.peek(2) == '{' {
		const maxDigits = 8
		digits, _, closed := strings.Cut(l.src.Input[l.offset+3:min(l.offset+3+maxDigits+1, len(l.src.Input))], "}")
		if r, ok := hexadecimal(digits); ok && closed && utf8.ValidRune(r) {
			return r, len(`\u{}`) + len(digits)
		}
		return 0, 0
	}
	r, ok := l.fourDigits(2)
	if ok && utf16.IsSurrogate(r) && l.peek(6) == '\\' && l.peek(7) == 'u' {
		trailing, valid := l.fourDigits(8)
		if pair := utf16.DecodeRune(r, trailing); valid && pair != utf8.RuneError {
			return pair, 12
		}
	}
	if !ok || !utf8.ValidRune(r) {
		return 0, 0
	}
	return r, 6
}

// fourDigits returns the number of the four hexadecimal digits that are n bytes after the next
// byte.
func (l *lexer) fourDigits(n int) (r rune, ok bool) {
	start := l.offset + n
	if start+4 > len(l.src.Input) {
		return 0, false
	}
	return hexadecimal(l.src.Input[start : start+4])
}

// hexadecimal returns the number of one to eight hexadecimal digits. It is negative if a rune
// cannot hold it.
func hexadecimal(digits string) (r rune, ok bool) {
	for i := range len(digits) {
		switch c := digits[i]; {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, digits != ""
}

// readBlockString reads a block string and returns its value.
func (l *lexer) readBlockString() string {
	l.offset += len(`"""`)
	start := l.offset
	var lines []string
	var line strings.Builder // the characters of the current line before start
	for !l.atEnd() {
		switch {
		case l.follows(`"""`):
			line.WriteString(l.src.Input[start:l.offset])
			l.offset += len(`"""`)
			return dedent(append(lines, line.String()))
		case l.follows(`\"""`):
			line.WriteString(l.src.Input[start:l.offset])
			start = l.offset + len(`\`)
			l.offset += len(`\"""`)
		case l.atLineEnd():
			line.WriteString(l.src.Input[start:l.offset])
			lines = append(lines, line.String())
			line.Reset()
			l.advance()
			start = l.offset
		default:
			if !l.advanceInString() {
				return ""
			}
		}
	}
	l.fail("Unterminated string.")
	return ""
}

// dedent returns the value of a block string: its lines without their common indentation, and
// without blank lines at the beginning and the end. The first line has no indentation.
func dedent(lines []string) string {
	first, last, common := len(lines), -1, -1
	for i, line := range lines {
		indentation := len(line) - len(strings.TrimLeft(line, " \t"))
		if indentation == len(line) {
			continue
		}
		first, last = min(first, i), i
		if i > 0 && (common < 0 || indentation < common) {
			common = indentation
		}
	}
	for i := 1; i < len(lines) && common > 0; i++ {
		lines[i] = lines[i][min(common, len(lines[i])):]
	}
	if last < 0 {
		return ""
	}
	return strings.Join(lines[first:last+1], "\n")
}
