package graph_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

const argumentsQuery = `query($first: Int, $after: String, $last: Int, $before: String, $nodeId: Int, $userId: String) {
	cvms(first: $first, after: $after, last: $last, before: $before, nodeId: $nodeId, userId: $userId) {
		totalCount edges { cursor node { id } } pageInfo { hasNextPage endCursor }
	}
}`

func TestArguments_invalid(t *testing.T) {
	t.Parallel()
	upstream := demo.New(demo.Options{})
	g := newGateway(t, upstream)
	page := g.post(t, argumentsQuery, vars{"first": 3}, nil).cvms(t)
	filtered := g.post(t, argumentsQuery, vars{"first": 1, "userId": "0"}, nil).cvms(t)
	tests := map[string]struct {
		variables    vars
		wantArgument string
		wantMessage  string // a part of it
	}{
		"first below 0":                 {vars{"first": -1}, "first", "at least 0"},
		"first above the limit":         {vars{"first": 1001}, "first", "at most 1000"},
		"last above the limit":          {vars{"last": 1001}, "last", "at most 1000"},
		"first with last":               {vars{"first": 1, "last": 1}, "last", "combined with first"},
		"an empty cursor":               {vars{"after": ""}, "after", "not a cursor"},
		"a cursor that is no cursor":    {vars{"before": "MQ=="}, "before", "not a cursor"},
		"a cursor of another filter":    {vars{"after": *filtered.PageInfo.EndCursor}, "after", "another list"},
		"a cursor without its filter":   {vars{"after": *page.PageInfo.EndCursor, "nodeId": 18}, "after", "another list"},
		"node 0":                        {vars{"nodeId": 0}, "nodeId", "at least 1"},
		"a node below 0":                {vars{"nodeId": -18}, "nodeId", "at least 1"},
		"no user":                       {vars{"userId": ""}, "userId", "usr_"},
		"another user":                  {vars{"userId": "alice"}, "userId", "usr_"},
		"a user with another parameter": {vars{"userId": "usr_a&page=7 x"}, "userId", "usr_"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, upstream)
			got := g.post(t, argumentsQuery, test.variables, nil).onlyError(t)
			if got.code() != "BAD_USER_INPUT" || got.Extensions["argument"] != test.wantArgument || !strings.Contains(got.Message, test.wantMessage) {
				t.Errorf("got %+v, want BAD_USER_INPUT of argument %s with %q", got, test.wantArgument, test.wantMessage)
			}
			if !slices.Equal(got.Path, []any{"cvms"}) {
				t.Errorf("path: got %v, want [cvms]", got.Path)
			}
			if calls := g.takeCalls(); len(calls) > 0 {
				t.Errorf("got the upstream calls %q, want none", calls)
			}
		})
	}
}

func TestArguments_numberOutOfRange(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query     string
		variables vars
	}{
		"a literal of 33 bits":       {`{ cvms(first: 3000000000) { totalCount } }`, nil},
		"a literal of 100 digits":    {`{ cvms(first: ` + strings.Repeat("9", 100) + `) { totalCount } }`, nil},
		"a literal of minus 33 bits": {`{ cvms(nodeId: -3000000000) { totalCount } }`, nil},
		"a variable of 33 bits":      {argumentsQuery, vars{"first": 3000000000}},
		"a variable with a fraction": {argumentsQuery, vars{"first": 1.5}},
		"a variable in words":        {argumentsQuery, vars{"first": "many"}},
		"a variable that is a list":  {argumentsQuery, vars{"first": []int{1, 2}}},
		"a variable of true":         {argumentsQuery, vars{"first": true}},
		"a number for a cursor":      {argumentsQuery, vars{"after": 7}},
		"an object for a user":       {argumentsQuery, vars{"userId": vars{"a": 1}}},
		"a number as a text":         {argumentsQuery, vars{"first": "5"}},
		"an object for a number":     {`{ cvms(first: {}) { totalCount } }`, nil},
		"an object for a cursor":     {`{ cvms(after: {}) { totalCount } }`, nil},
		"an object for an id":        {`{ node(id: {}) { id } }`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t, demo.New(demo.Options{}))
			a := g.post(t, test.query, test.variables, nil)
			for _, e := range a.Errors {
				if e.code() == "BAD_USER_INPUT" && len(e.Path) != 1 {
					t.Errorf("path: got %v, want the field's", e.Path)
				}
				if code := e.code(); code != "BAD_USER_INPUT" && code != "GRAPHQL_VALIDATION_FAILED" {
					t.Errorf("got %+v, want BAD_USER_INPUT or GRAPHQL_VALIDATION_FAILED", e)
				}
				for _, leak := range []string{"strconv", "json.Number", "ParseInt"} {
					if strings.Contains(e.Message, leak) {
						t.Errorf("message: got %q, want none of %s", e.Message, leak)
					}
				}
			}
			if len(a.Errors) == 0 {
				t.Errorf("got no error: %s", a.raw)
			}
			if calls := g.takeCalls(); len(calls) > 0 {
				t.Errorf("got the upstream calls %q, want none", calls)
			}
		})
	}
}

// TestArguments_malformed sends cursors that were damaged in every way a client, a proxy
// or a person might, and arguments out of range, at random.
func TestArguments_malformed(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	page := g.post(t, argumentsQuery, vars{"first": 20}, nil).cvms(t)
	g.takeCalls()

	random := rand.New(rand.NewPCG(5, 6))
	damage := []func(string) string{
		func(c string) string { return c[:random.IntN(len(c))] },
		func(c string) string { return c + string(rune('A'+random.IntN(26))) },
		func(c string) string { return strings.Repeat(c, 2+random.IntN(40)) },
		func(c string) string {
			i := random.IntN(len(c))
			return c[:i] + string(rune(random.IntN(0x3000))) + c[i:]
		},
		func(c string) string {
			raw, _ := base64.RawURLEncoding.DecodeString(c)
			raw[random.IntN(len(raw))] ^= 1 << random.IntN(8)
			return base64.RawURLEncoding.EncodeToString(raw)
		},
		func(c string) string {
			raw, _ := base64.RawURLEncoding.DecodeString(c)
			return base64.URLEncoding.EncodeToString(raw) + "="
		},
		func(string) string {
			raw := make([]byte, random.IntN(64))
			for i := range raw {
				raw[i] = byte(random.Uint32())
			}
			return base64.RawURLEncoding.EncodeToString(raw)
		},
		func(string) string { return fmt.Sprintf("offset:%d", random.Int64()) },
		strings.ToUpper,
	}
	for i := range 2000 {
		variables := vars{}
		switch i % 4 {
		case 0:
			variables[[]string{"first", "last"}[random.IntN(2)]] = []int{-1 - random.IntN(1<<31-1), 1001 + random.IntN(1<<31-1002)}[random.IntN(2)]
		default:
			cursor := page.Edges[random.IntN(len(page.Edges))].Cursor
			variables[[]string{"after", "before"}[random.IntN(2)]] = damage[random.IntN(len(damage))](cursor)
			variables["first"] = random.IntN(1001)
		}
		got := g.post(t, argumentsQuery, variables, nil)
		if len(got.Errors) != 1 || got.Errors[0].code() != "BAD_USER_INPUT" || got.Errors[0].Extensions["argument"] == nil {
			t.Fatalf("%v: got %.300s, want one BAD_USER_INPUT that names its argument", variables, got.raw)
		}
	}
	if calls := g.takeCalls(); len(calls) > 0 {
		t.Errorf("got %d upstream calls, want none", len(calls))
	}
	if g.log.Len() > 0 {
		t.Errorf("log: got %s, want nothing", g.log.String())
	}
}
