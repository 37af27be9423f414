package model

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
)

// ErrNotInt is returned by [UnmarshalInt] for a value that is not a GraphQL Int.
var ErrNotInt = errors.New("not an integer from -2147483648 to 2147483647")

// MarshalInt writes an Int.
func MarshalInt(n int32) graphql.Marshaler { return graphql.MarshalInt32(n) }

// UnmarshalInt reads an Int from a literal or a JSON number. It accepts no strings, and no numbers
// with a fraction or an exponent.
func UnmarshalInt(v any) (int32, error) {
	var digits string
	switch v := v.(type) {
	case json.Number:
		digits = string(v)
	case int64:
		digits = strconv.FormatInt(v, 10)
	default:
		return 0, ErrNotInt
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0, ErrNotInt
	}
	return int32(n), nil
}
