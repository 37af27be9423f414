// Package syntax parses the documents of operations into the trees of gqlparser. Documents contain
// operations and fragments only: a definition of a type is a syntax error.
//
// Messages and positions equal those of graphql-js, except that a message does not quote a string,
// which may be a credential in the wrong place. Columns count UTF-16 code units.
package syntax

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// Error is a syntax error.
type Error struct {
	// Message is the reason.
	Message string
	// Line and Column are the position in the document, counted from 1. Columns count UTF-16 code
	// units.
	Line, Column int
}

// Error returns the message.
func (e *Error) Error() string { return "Syntax Error: " + e.Message }

// Tokens are the tokens of a document, up to the first characters that are not a token. White
// space, commas and comments are not tokens.
type Tokens struct {
	// Count is the number of tokens.
	Count int
	// LongestName is the length of the longest name, in bytes.
	LongestName int

	tokens []token
	err    *Error // of the last token, if its kind is invalid
}

// Scan reads the tokens of a document. It counts all of them, but keeps at most limit tokens.
func Scan(source string, limit int) *Tokens {
	l := lexer{src: &ast.Source{Input: source}, line: 1}
	s := &Tokens{tokens: make([]token, 0, min(limit, len(source)/4)+1)}
	for {
		t := l.next()
		last := t.kind == endOfFile || t.kind == invalid
		if !last {
			s.Count++
		}
		if t.kind == name {
			s.LongestName = max(s.LongestName, len(t.value))
		}
		if last || s.Count <= limit {
			s.tokens = append(s.tokens, t)
		}
		if last {
			s.err = l.err
			return s
		}
	}
}

// Parse returns the document of the tokens, which is not validated. There must not be more tokens
// than [Scan] keeps.
func (s *Tokens) Parse() (*ast.QueryDocument, *Error) {
	p := parser{tokens: s.tokens, lexical: s.err}
	doc := p.document()
	if p.err != nil {
		return nil, p.err
	}
	return doc, nil
}
