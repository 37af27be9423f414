package persisted

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"cvmgraph/internal/apierror"
)

// TrustMode configures what happens to untrusted documents.
type TrustMode string

// The trust modes. The zero value is [TrustOff].
const (
	TrustOff     TrustMode = "off"     // they are executed, and there are no trusted documents
	TrustLog     TrustMode = "log"     // they are executed and logged
	TrustEnforce TrustMode = "enforce" // they are rejected
)

// TrustedDocuments is an allowlist of documents. The zero value is an empty list that is not
// enforced.
type TrustedDocuments struct {
	Mode TrustMode
	// Documents are the documents by their IDs. The map must not be changed afterwards.
	Documents map[string]string
	// Untrusted is called for each request with an untrusted document. If nil, it is not called.
	Untrusted func()
}

// maxLogged is the maximum number of untrusted documents that are logged, each once.
const maxLogged = 1000

// prefixSHA256 is the prefix of an ID that is the SHA-256 of its document, in hex.
const prefixSHA256 = "sha256:"

// trusted is an allowlist. It is safe for concurrent use. A nil *trusted is empty and not enforced.
type trusted struct {
	enforced  bool
	documents map[string]string // by ID without prefix, and by SHA-256 in hex
	known     map[string]bool   // the documents themselves
	untrusted func()            // never nil
	logger    *slog.Logger

	mu     sync.Mutex
	logged map[string]bool // by SHA-256 in hex
}

// newTrusted returns nil if the mode is [TrustOff].
func newTrusted(options TrustedDocuments, logger *slog.Logger) *trusted {
	if options.Mode == "" || options.Mode == TrustOff {
		return nil
	}
	t := &trusted{
		enforced:  options.Mode == TrustEnforce,
		documents: make(map[string]string), known: make(map[string]bool), untrusted: options.Untrusted,
		logger: logger, logged: make(map[string]bool),
	}
	if t.untrusted == nil {
		t.untrusted = func() {}
	}
	for id, document := range options.Documents {
		t.documents[strings.TrimPrefix(id, prefixSHA256)] = document
		t.documents[hashOf(document)] = document
		t.known[document] = true
	}
	return t
}

// find returns the document with an ID or a SHA-256 in hex.
func (t *trusted) find(id string) (string, bool) {
	if t == nil {
		return "", false
	}
	document, ok := t.documents[strings.TrimPrefix(id, prefixSHA256)]
	return document, ok
}

// isEnforced reports whether untrusted documents are rejected.
func (t *trusted) isEnforced() bool { return t != nil && t.enforced }

// isTrusted reports whether a document is on the list.
func (t *trusted) isTrusted(document string) bool { return t != nil && t.known[document] }

// reject counts an untrusted document. It returns an error if the list is enforced, and logs the
// document otherwise.
func (t *trusted) reject(ctx context.Context, document string) *apierror.Error {
	if t == nil {
		return nil
	}
	t.untrusted()
	if t.enforced {
		return apierror.New(apierror.CodeNotTrusted, "this document is not one of the trusted documents")
	}
	t.log(ctx, hashOf(document))
	return nil
}

// log logs a document once.
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
		t.logger.WarnContext(ctx, "too many untrusted documents: no more are logged")
		return
	}
	t.logger.WarnContext(ctx, "untrusted document", slog.String("sha256", hash))
}
