package demo

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPageSize = 30
	maxPageSize     = 100

	userPattern = `^(0|usr_.+)$`
)

// query holds the valid parameters of a request.
type query struct {
	page int // counted from 1
	size int
	node *int    // nil for any node
	user *string // a user id, or empty for items without an owner; nil for any
}

// fieldError is one element of the detail of a 422 response.
type fieldError struct {
	Type  string         `json:"type"`
	Loc   [2]string      `json:"loc"`
	Msg   string         `json:"msg"`
	Input string         `json:"input"`
	Ctx   map[string]any `json:"ctx,omitempty"`
}

// parseQuery parses the parameters. It returns all errors, in the order of the API reference. It
// ignores unknown parameters, as the real API does.
func parseQuery(values url.Values) (query, []fieldError) {
	var problems []fieldError
	reject := func(name, kind, msg, input string, ctx map[string]any) {
		problems = append(problems, fieldError{kind, [2]string{"query", name}, msg, input, ctx})
	}
	number := func(name string) (n int, ok bool) {
		given := values[name]
		if len(given) == 0 {
			return 0, false
		}
		last := given[len(given)-1]
		n, err := strconv.Atoi(strings.TrimSpace(last))
		// A number out of range is not a syntax error: the real API accepts integers of any size,
		// and Atoi's saturated value exceeds the same limits.
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			reject(name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", last, nil)
			return 0, false
		}
		return n, true
	}
	bounded := func(name string, fallback, most int) int {
		n, ok := number(name)
		if !ok {
			return fallback
		}
		last := values[name][len(values[name])-1]
		if n < 1 {
			reject(name, "greater_than_equal", "Input should be greater than or equal to 1", last, map[string]any{"ge": 1})
		} else if most > 0 && n > most {
			reject(name, "less_than_equal", fmt.Sprintf("Input should be less than or equal to %d", most), last, map[string]any{"le": most})
		}
		return n
	}

	var q query
	if given := values["user_id"]; len(given) > 0 {
		last := given[len(given)-1]
		switch {
		case last == "0":
			q.user = new("")
		case strings.HasPrefix(last, userPrefix) && last != userPrefix:
			q.user = &last
		default:
			reject("user_id", "string_pattern_mismatch", "String should match pattern '"+userPattern+"'", last, map[string]any{"pattern": userPattern})
		}
	}
	if n, ok := number("teepod_id"); ok {
		q.node = new(n)
	}
	q.page = bounded("page", 1, 0)
	q.size = bounded("page_size", defaultPageSize, maxPageSize)
	return q, problems
}

// filter returns the entries that match q, in their order. It does not modify entries, and returns
// the same slice if q has no filter.
func (q query) filter(entries []*entry) []*entry {
	if q.node == nil && q.user == nil {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), func(c *entry) bool {
		return q.node != nil && (c.node == nil || *c.node != *q.node) ||
			q.user != nil && c.owner != *q.user
	})
}
