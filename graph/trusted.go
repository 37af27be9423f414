package graph

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"cvmgraph/internal/apierror"
)

// TrustMode says what becomes of documents that are not trusted.
type TrustMode string

// The modes. The zero value is TrustOff.
const (
	TrustOff     TrustMode = "off"     // they are answered, and no document is known
	TrustLog     TrustMode = "log"     // they are answered, and noted
	TrustEnforce TrustMode = "enforce" // they are refused
)

// TrustedDocuments are the documents that an operator has chosen. The zero value knows none, and has all answered.
type TrustedDocuments struct {
	Mode TrustMode
	// Texts are the documents by their ids. They are not written to.
	Texts map[string]string
	// Untrusted is told of each request for another document; nil: nobody is.
	Untrusted func()
}

// maxLogged is how many untrusted documents are logged, each once.
const maxLogged = 1000

// prefixSHA256 begins an id that is the SHA-256 of its document, in hex.
const prefixSHA256 = "sha256:"

// trusted are the documents that are trusted. It is safe for concurrent use; nil knows none, and has all answered.
type trusted struct {
	enforced  bool
	texts     map[string]string // by id without prefix, and by SHA-256 in hex
	known     map[string]bool   // the texts
	untrusted func()            // never nil
	logger    *slog.Logger

	mu     sync.Mutex
	logged map[string]bool // the SHA-256 of documents
}

func newTrusted(settings TrustedDocuments, logger *slog.Logger) *trusted {
	if settings.Mode == "" || settings.Mode == TrustOff {
		return nil
	}
	t := &trusted{
		enforced: settings.Mode == TrustEnforce,
		texts:    make(map[string]string), known: make(map[string]bool), untrusted: settings.Untrusted,
		logger: logger, logged: make(map[string]bool),
	}
	if t.untrusted == nil {
		t.untrusted = func() {}
	}
	for id, text := range settings.Texts {
		t.texts[strings.TrimPrefix(id, prefixSHA256)] = text
		t.texts[hashOf(text)] = text
		t.known[text] = true
	}
	return t
}

// find returns the document of an id, or of a SHA-256 in hex.
func (t *trusted) find(id string) (string, bool) {
	if t == nil {
		return "", false
	}
	text, ok := t.texts[strings.TrimPrefix(id, prefixSHA256)]
	return text, ok
}

// only says whether no other documents are answered.
func (t *trusted) only() bool { return t != nil && t.enforced }

// has says whether a document is trusted.
func (t *trusted) has(text string) bool { return t != nil && t.known[text] }

// check refuses a document, or notes that the operation has one that is not trusted.
func (t *trusted) check(ctx context.Context, op *operation, text string) *apierror.Error {
	if t == nil || t.known[text] {
		return nil
	}
	t.untrusted()
	if t.enforced {
		return &apierror.Error{Code: apierror.CodeNotTrusted, Message: "this gateway answers only the documents that it was given: this is none of them"}
	}
	op.untrusted = true
	t.log(ctx, hashOf(text))
	return nil
}

// log notes a document, once.
func (t *trusted) log(ctx context.Context, hash string) {
	t.mu.Lock()
	n := len(t.logged)
	if n > maxLogged || t.logged[hash] {
		t.mu.Unlock()
		return
	}
	t.logged[hash] = true
	t.mu.Unlock()
	if n == maxLogged {
		t.logger.WarnContext(ctx, "more documents that are not trusted: the rest is not logged")
		return
	}
	t.logger.WarnContext(ctx, "a document is not trusted", slog.String("sha256", hash))
}
