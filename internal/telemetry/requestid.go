package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// RequestID returns the id for a request whose caller offers one: the offered id if it is 1 to 64 characters of
// A-Z, a-z, 0-9, dot, underscore and dash, so that it can stand in a log and a header, else a new one.
func RequestID(offered string) string {
	if offered == "" || len(offered) > 64 || strings.ContainsFunc(offered, notOfID) {
		return NewRequestID()
	}
	return offered
}

func notOfID(r rune) bool {
	switch {
	case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
		return false
	}
	return true
}

// NewRequestID returns 16 random bytes as 32 hexadecimal digits.
func NewRequestID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(id[:])
}

type requestIDKey struct{}

// WithRequestID returns a context that carries the id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDFrom returns the id that ctx carries, empty if there is none.
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
