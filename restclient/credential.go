package restclient

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is printed for every credential, whatever it holds.
const redacted = "[redacted]"

// Credential is what a caller proves itself with: the values of three headers as the caller sent
// them. It is comparable, so that it can be a key. fmt, slog and the encoders that honour
// encoding.TextMarshaler print a constant for it; fmt cannot do so for a credential in an unexported
// field of another struct, which must look after itself.
type Credential struct {
	// Authorization is the header of that name, scheme included; "" for none.
	Authorization string
	// APIKey is the header X-API-Key; "" for none.
	APIKey string
	// Workspace is the header X-Phala-Workspace, the workspace to act in; "" for the key's own.
	Workspace string
}

// IsZero tells that there is nothing to prove anything with: neither Authorization nor APIKey.
func (c Credential) IsZero() bool { return c.Authorization == "" && c.APIKey == "" }

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

// validate checks that the values can stand in headers.
func (c Credential) validate() error {
	switch {
	case !isHeaderValue(c.Authorization):
		return &ArgumentError{"Authorization", "is no header value"}
	case !isHeaderValue(c.APIKey):
		return &ArgumentError{"X-API-Key", "is no header value"}
	case !isHeaderValue(c.Workspace):
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
