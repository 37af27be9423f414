package restclient

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is printed for every credential.
const redacted = "[redacted]"

// Headers are the headers that prove who a caller is, as the caller sent them. Use them to create a
// [Credential] and to send it, and do not store them.
type Headers struct {
	// Authorization is the header Authorization, including the scheme. It is "" if not set.
	Authorization string
	// APIKey is the header X-API-Key. It is "" if not set.
	APIKey string
	// Workspace is the header X-Phala-Workspace. "" means the workspace of the key.
	Workspace string
}

// Credential holds [Headers] and protects them from being printed. fmt, slog and encoders print a
// constant. If a credential is in an unexported field, whose methods fmt does not call, they print
// an address. A Credential cannot be compared. The zero value holds no headers.
type Credential struct {
	headers func() Headers // not a pointer: fmt prints what a pointer points to for some verbs
}

// NewCredential returns a credential that holds h.
func NewCredential(h Headers) Credential {
	if h == (Headers{}) {
		return Credential{}
	}
	return Credential{headers: func() Headers { return h }}
}

// Headers returns the headers of the credential.
func (c Credential) Headers() Headers {
	if c.headers == nil {
		return Headers{}
	}
	return c.headers()
}

// IsZero reports whether the credential has neither Authorization nor APIKey.
func (c Credential) IsZero() bool {
	h := c.Headers()
	return h.Authorization == "" && h.APIKey == ""
}

// String returns a constant.
func (Credential) String() string { return redacted }

// GoString returns a constant.
func (Credential) GoString() string { return redacted }

// Format prints a constant, whatever the verb.
func (Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns a constant.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a constant. It does not fail.
func (Credential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns a constant. It does not fail.
func (Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalBinary returns a constant, for encoding/gob. It does not fail.
func (Credential) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// validate checks that the values are valid in a header.
func (h Headers) validate() error {
	switch {
	case !isHeaderValue(h.Authorization):
		return &ArgumentError{"Authorization", "is not a valid header value"}
	case !isHeaderValue(h.APIKey):
		return &ArgumentError{"X-API-Key", "is not a valid header value"}
	case !isHeaderValue(h.Workspace):
		return &ArgumentError{"X-Phala-Workspace", "is not a valid header value"}
	}
	return nil
}

// isKey reports whether the header Authorization has an API key of the vendor as a bearer token.
func isKey(authorization string) bool {
	_, token, _ := strings.Cut(authorization, " ")
	return strings.HasPrefix(strings.TrimSpace(token), "phak_")
}

// isHeaderValue reports whether s has no control characters except tabs.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
