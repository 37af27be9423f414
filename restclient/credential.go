package restclient

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is printed for every credential, whatever it holds.
const redacted = "[redacted]"

// Headers are what a caller proves itself with, in plain text: the values of three headers as the caller sent them. They are
// for making a [Credential] and for sending one, and are not to be kept.
type Headers struct {
	// Authorization is the header of that name, scheme included; "" for none.
	Authorization string
	// APIKey is the header X-API-Key; "" for none.
	APIKey string
	// Workspace is the header X-Phala-Workspace, the workspace to act in; "" for the key's own.
	Workspace string
}

// Credential holds [Headers], and shows them to nobody but who asks for them by that name. fmt, slog and encoders print a
// constant, or where a credential stands in an unexported field, whose methods they do not call, an address. It cannot be
// compared. The zero value holds nothing.
type Credential struct {
	headers func() Headers // not a pointer: fmt follows one for a verb that does not suit it
}

// NewCredential returns a credential that holds h.
func NewCredential(h Headers) Credential {
	if h == (Headers{}) {
		return Credential{}
	}
	return Credential{headers: func() Headers { return h }}
}

// Headers returns what the credential holds.
func (c Credential) Headers() Headers {
	if c.headers == nil {
		return Headers{}
	}
	return c.headers()
}

// IsZero tells that there is nothing to prove anything with: neither Authorization nor APIKey.
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

// validate checks that the values can stand in headers.
func (h Headers) validate() error {
	switch {
	case !isHeaderValue(h.Authorization):
		return &ArgumentError{"Authorization", "is no header value"}
	case !isHeaderValue(h.APIKey):
		return &ArgumentError{"X-API-Key", "is no header value"}
	case !isHeaderValue(h.Workspace):
		return &ArgumentError{"X-Phala-Workspace", "is no header value"}
	}
	return nil
}

// isHeaderValue tells that s has no control characters; "" is one.
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
