package model

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
)

// ErrNotInt is what [UnmarshalInt] returns for a value that is not one of GraphQL's Int.
var ErrNotInt = errors.New("not a whole number from -2147483648 to 2147483647")

// MarshalInt writes an Int.
func MarshalInt(n int32) graphql.Marshaler { return graphql.MarshalInt32(n) }

// UnmarshalInt reads an Int: a literal or a JSON number, and nothing that only looks like one.
func UnmarshalInt(v any) (int32, error) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = string(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	default:
		return 0, ErrNotInt
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, ErrNotInt
	}
	return int32(n), nil
}
