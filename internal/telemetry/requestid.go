package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// RequestID returns the id that a caller has offered if it is 1 to 64 characters of A-Z, a-z, 0-9,
// dot, underscore and dash, which are safe in a log and in a header. Otherwise it returns a new id.
func RequestID(offered string) string {
	if offered == "" || len(offered) > 64 || strings.ContainsFunc(offered, isInvalidInID) {
		return NewRequestID()
	}
	return offered
}

func isInvalidInID(r rune) bool {
	switch {
	case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '.', r == '_', r == '-':
		return false
	}
	return true
}

// NewRequestID returns 16 random bytes as 32 hexadecimal digits.
func NewRequestID() string {
	var id [16]byte
	rand.Read(id[:]) // does not fail
	return hex.EncodeToString(id[:])
}

type requestIDKey struct{}

// WithRequestID returns a copy of ctx that contains the id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestIDFrom returns the request id of ctx, or "".
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
