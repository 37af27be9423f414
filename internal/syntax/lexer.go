package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// kind is the kind of a token. The kind of a punctuator of one character is the character.
type kind byte

const (
	endOfFile   kind = 0
	bang        kind = '!'
	dollar      kind = '$'
	openParen   kind = '('
	closeParen  kind = ')'
	colon       kind = ':'
	equals      kind = '='
	at          kind = '@'
	openList    kind = '['
	closeList   kind = ']'
	openBrace   kind = '{'
	closeBrace  kind = '}'
	spread      kind = '.'
	name        kind = 'a'
	integer     kind = '0'
	float       kind = '1'
	text        kind = '"'
	blockString kind = 'b'
	// invalid is the kind of characters that are not a token.
	invalid kind = '?'
)

// punctuators are the punctuators of one character.
const punctuators = "!$&():=@[]{|}"

// String returns the kind as messages show it.
func (k kind) String() string {
	switch k { //nolint:exhaustive // the others are punctuators of one character
	case endOfFile:
		return "<EOF>"
	case spread:
		return `"..."`
	case name:
		return "Name"
	case integer:
		return "Int"
	case float:
		return "Float"
	case text:
		return "String"
	case blockString:
		return "BlockString"
	case invalid:
		return "Invalid"
	}
	return `"` + string(rune(k)) + `"`
}

// token is one token of a document.
type token struct {
	kind kind
	// value is a name or a number as it is in the document, or the value of a string.
	value    string
	position ast.Position
}

// describe returns the token as messages show it. The value of a string is not shown.
func (t *token) describe() string {
	switch t.kind { //nolint:exhaustive // other tokens have no value
	case name, integer, float:
		return fmt.Sprintf(`%s "%s"`, t.kind, t.value)
	}
	return t.kind.String()
}

// lexer reads the tokens of a source.
type lexer struct {
	src *ast.Source
	// offset is the position of the next character, in bytes.
	offset int
	// line is the number of the current line, counted from 1.
	line int
	// lineStart is the position of the current line, in bytes.
	lineStart int
	// surplus is the number of bytes minus the number of UTF-16 code units of the current line,
	// before offset.
	surplus int
	// err is the error of the token of the kind invalid. It is nil before.
	err *Error
}

// position returns the position of the next character.
func (l *lexer) position() ast.Position {
	return ast.Position{Src: l.src, Line: l.line, Column: l.offset - l.lineStart - l.surplus + 1}
}

// peek returns the byte that is n bytes after the next one, or 0 after the end.
func (l *lexer) peek(n int) byte {
	if l.offset+n < len(l.src.Input) {
		return l.src.Input[l.offset+n]
	}
	return 0
}

// atEnd reports whether there are no more characters.
func (l *lexer) atEnd() bool { return l.offset == len(l.src.Input) }

// follows reports whether the next characters are s.
func (l *lexer) follows(s string) bool { return strings.HasPrefix(l.src.Input[l.offset:], s) }

// advance skips the next character. It returns false if the character is not valid UTF-8.
func (l *lexer) advance() bool {
	switch c := l.src.Input[l.offset]; {
	case c == '\n' || c == '\r':
		l.offset++
		if c == '\r' && l.peek(0) == '\n' {
			l.offset++
		}
		l.line, l.lineStart, l.surplus = l.line+1, l.offset, 0
		return true
	case c < utf8.RuneSelf:
		l.offset++
		return true
	}
	r, size := utf8.DecodeRuneInString(l.src.Input[l.offset:])
	if r == utf8.RuneError && size == 1 {
		return false
	}
	l.offset += size
	units := 1
	if r > 0xffff {
		units = 2
	}
	l.surplus += size - units
	return true
}

// next returns the next token. After a token of the kind invalid or endOfFile, there are no more.
func (l *lexer) next() token {
	l.skipIgnored()
	t := token{position: l.position()}
	c := l.peek(0)
	switch {
	case l.atEnd():
		t.kind = endOfFile
	case strings.IndexByte(punctuators, c) >= 0 && c != 0:
		t.kind = kind(c)
		l.offset++
	case l.follows("..."):
		t.kind = spread
		l.offset += len("...")
	case isNameStart(c):
		t.kind, t.value = name, l.readName()
	case isDigit(c) || c == '-':
		t.kind, t.value = l.readNumber()
	case l.follows(`"""`):
		t.kind, t.value = blockString, l.readBlockString()
	case c == '"':
		t.kind, t.value = text, l.readString()
	case c == '\'':
		l.fail(`Unexpected single quote character ('), did you mean to use a double quote (")?`)
	default:
		l.fail("Unexpected character: %s.", l.character())
	}
	if l.err != nil {
		t.kind = invalid
	}
	return t
}

// fail records an error at the next character.
func (l *lexer) fail(format string, args ...any) {
	p := l.position()
	l.err = &Error{fmt.Sprintf(format, args...), p.Line, p.Column}
}

// character returns the next character as messages show it.
func (l *lexer) character() string {
	if l.atEnd() {
		return endOfFile.String()
	}
	r, size := utf8.DecodeRuneInString(l.src.Input[l.offset:])
	switch {
	case r == utf8.RuneError && size == 1:
		return "a byte that is not UTF-8"
	case r == '"':
		return `'"'`
	case r >= ' ' && r <= '~':
		return `"` + string(r) + `"`
	}
	return fmt.Sprintf("U+%04X", r)
}

// skipIgnored skips white space, line ends, commas, byte order marks and comments.
func (l *lexer) skipIgnored() {
	for !l.atEnd() {
		switch c := l.peek(0); {
		case c == ' ' || c == '\t' || c == ',' || c == '\n' || c == '\r' || l.follows("\ufeff"):
			l.advance()
		case c == '#':
			for !l.atEnd() && !l.atLineEnd() && l.advance() {
			}
		default:
			return
		}
	}
}

// atLineEnd reports whether the next character ends the line.
func (l *lexer) atLineEnd() bool { return l.peek(0) == '\n' || l.peek(0) == '\r' }

func (l *lexer) readName() string {
	start := l.offset
	for isNameStart(l.peek(0)) || isDigit(l.peek(0)) {
		l.offset++
	}
	return l.src.Input[start:l.offset]
}

func (l *lexer) readNumber() (kind, string) {
	start, k := l.offset, integer
	if l.peek(0) == '-' {
		l.offset++
	}
	if l.peek(0) == '0' {
		l.offset++
		if isDigit(l.peek(0)) {
			l.fail("Invalid number, unexpected digit after 0: %s.", l.character())
			return k, ""
		}
	} else if !l.readDigits() {
		return k, ""
	}
	if l.peek(0) == '.' {
		k = float
		l.offset++
		if !l.readDigits() {
			return k, ""
		}
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		k = float
		l.offset++
		if c := l.peek(0); c == '+' || c == '-' {
			l.offset++
		}
		if !l.readDigits() {
			return k, ""
		}
	}
	if c := l.peek(0); c == '.' || isNameStart(c) {
		l.fail("Invalid number, expected digit but got: %s.", l.character())
	}
	return k, l.src.Input[start:l.offset]
}

// readDigits skips one or more digits. It returns false after an error.
func (l *lexer) readDigits() bool {
	if !isDigit(l.peek(0)) {
		l.fail("Invalid number, expected digit but got: %s.", l.character())
		return false
	}
	for isDigit(l.peek(0)) {
		l.offset++
	}
	return true
}

func isNameStart(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
