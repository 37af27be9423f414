package demo_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"cvmgraph/internal/demo"
)

func TestUpstream_parameters(t *testing.T) {
	t.Parallel()
	const (
		notInt  = `"msg":"Input should be a valid integer, unable to parse string as an integer"`
		pattern = `"msg":"String should match pattern '^(0|usr_.+)$'"`
	)
	tests := map[string]struct {
		query string
		want  string // the elements of detail; empty for status 200
	}{
		"no parameters":            {},
		"the limits":               {query: "page=1&page_size=100"},
		"a node and no owner":      {query: "teepod_id=-4&user_id=0"},
		"an unknown parameter":     {query: "node_id=x&pagesize=y"},
		"repeated parameter":       {query: "page=x&page=2"},
		"a page over 64 bits":      {query: "page=99999999999999999999999"},
		"a page size over 100":     {query: "page_size=101", want: `{"type":"less_than_equal","loc":["query","page_size"],"msg":"Input should be less than or equal to 100","input":"101","ctx":{"le":100}}`},
		"a page size over 64 bits": {query: "page_size=99999999999999999999", want: `{"type":"less_than_equal","loc":["query","page_size"],"msg":"Input should be less than or equal to 100","input":"99999999999999999999","ctx":{"le":100}}`},
		"a page size of 0":         {query: "page_size=0", want: `{"type":"greater_than_equal","loc":["query","page_size"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}}`},
		"page 0":                   {query: "page=0", want: `{"type":"greater_than_equal","loc":["query","page"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}}`},
		"a page that is no number": {query: "page=two", want: `{"type":"int_parsing","loc":["query","page"],` + notInt + `,"input":"two"}`},
		"an empty node":            {query: "teepod_id=", want: `{"type":"int_parsing","loc":["query","teepod_id"],` + notInt + `,"input":""}`},
		"a user by number":         {query: "user_id=7", want: `{"type":"string_pattern_mismatch","loc":["query","user_id"],` + pattern + `,"input":"7","ctx":{"pattern":"^(0|usr_.+)$"}}`},
		"a user without name":      {query: "user_id=usr_", want: `{"type":"string_pattern_mismatch","loc":["query","user_id"],` + pattern + `,"input":"usr_","ctx":{"pattern":"^(0|usr_.+)$"}}`},
		"all parameters invalid": {query: "page=0&page_size=x&teepod_id=1.5&user_id=%22%3Cé", want: `{"type":"string_pattern_mismatch","loc":["query","user_id"],` + pattern + `,"input":"\"<é","ctx":{"pattern":"^(0|usr_.+)$"}},` +
			`{"type":"int_parsing","loc":["query","teepod_id"],` + notInt + `,"input":"1.5"},` +
			`{"type":"greater_than_equal","loc":["query","page"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}},` +
			`{"type":"int_parsing","loc":["query","page_size"],` + notInt + `,"input":"x"}`},
	}
	u := demo.New(demo.Options{Items: 3})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := get(u, headers(alice), test.query)
			checkHeaders(t, w)
			if test.want == "" {
				if w.Code != http.StatusOK {
					t.Errorf("got %d %s, want 200", w.Code, w.Body)
				}
				return
			}
			want := `{"detail":[` + test.want + `]}`
			if w.Code != http.StatusUnprocessableEntity || w.Body.String() != want {
				t.Errorf("got %d %s, want 422 %s", w.Code, w.Body, want)
			}
		})
	}
}

func TestUpstream_paging(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		items      int // of Options
		query      string
		want       page // without items
		from, upTo int
	}{
		"the defaults":        {want: page{Total: 300, Page: 1, Size: 30, Pages: 10}, upTo: 30},
		"a full last page":    {items: 60, query: "page=2", want: page{Total: 60, Page: 2, Size: 30, Pages: 2}, from: 30, upTo: 60},
		"a short last page":   {items: 61, query: "page=3", want: page{Total: 61, Page: 3, Size: 30, Pages: 3}, from: 60, upTo: 61},
		"a page past the end": {items: 60, query: "page=3", want: page{Total: 60, Page: 3, Size: 30, Pages: 2}},
		"the largest page":    {items: 60, query: "page=9223372036854775807", want: page{Total: 60, Page: 1<<63 - 1, Size: 30, Pages: 2}},
		"one large page":      {items: 61, query: "page_size=100", want: page{Total: 61, Page: 1, Size: 100, Pages: 1}, upTo: 61},
		"pages of one":        {items: 5, query: "page_size=1&page=4", want: page{Total: 5, Page: 4, Size: 1, Pages: 5}, from: 3, upTo: 4},
		"an empty list":       {items: -1, want: page{Page: 1, Size: 30}},
		"page 2 of no items":  {items: -1, query: "page=2", want: page{Page: 2, Size: 30}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := demo.New(demo.Options{Items: test.items})
			got := getPage(t, u, headers(alice), test.query)
			if got.Items == nil {
				t.Error("got null items, want a list")
			}
			if got.Total != test.want.Total || got.Page != test.want.Page || got.Size != test.want.Size || got.Pages != test.want.Pages {
				t.Errorf("got total %d page %d size %d pages %d, want %+v", got.Total, got.Page, got.Size, got.Pages, test.want)
			}
			var ids []string
			for _, item := range got.Items {
				ids = append(ids, hostedID(item))
			}
			if want := u.IDs(alice)[test.from:test.upTo]; !slices.Equal(ids, want) {
				t.Errorf("got ids %v, want %v", ids, want)
			}
		})
	}
}

func TestUpstream_filters(t *testing.T) {
	t.Parallel()
	u := demo.New(demo.Options{})
	nodes, users := map[int]int{}, map[string]int{}
	both := 0 // items that match the combined filter below
	for p := 1; p <= 3; p++ {
		for _, item := range getPage(t, u, headers(alice), "page_size=100&page="+strconv.Itoa(p)).Items {
			node, user := filterValues(item)
			nodes[node]++
			users[user]++
			if node == 18 && user == "usr_bob" {
				both++
			}
		}
	}
	if len(nodes) < 5 || len(users) < 5 || nodes[0] == 0 || users["0"] == 0 || both == 0 {
		t.Fatalf("got nodes %v and users %v, want several of each, and items without them", nodes, users)
	}
	check := func(query string, want int, matches func(node int, user string) bool) {
		t.Helper()
		got := getPage(t, u, headers(alice), query+"&page_size=100")
		if got.Total != want {
			t.Errorf("%s: got total %d, want %d", query, got.Total, want)
		}
		for _, item := range got.Items {
			if node, user := filterValues(item); !matches(node, user) {
				t.Errorf("%s: got an item of node %d and user %s", query, node, user)
			}
		}
	}
	for id, count := range nodes {
		if id != 0 {
			check("teepod_id="+strconv.Itoa(id), count, func(node int, _ string) bool { return node == id })
		}
	}
	for id, count := range users {
		check("user_id="+url.QueryEscape(id), count, func(_ int, user string) bool { return user == id })
	}
	check("teepod_id=0", 0, nil)
	check("user_id=usr_unknown", 0, nil)
	check("teepod_id=18&user_id=usr_bob", both, func(node int, user string) bool { return node == 18 && user == "usr_bob" })
	check("node_id=18", 300, func(int, string) bool { return true })
}

// filterValues returns the values of the node and user filters that match an item. The node is 0 if
// the item has none.
func filterValues(item map[string]any) (node int, user string) {
	if n, ok := item["node"].(map[string]any); ok {
		node = int(n["id"].(float64))
	}
	if u, ok := item["managed_user"].(map[string]any); ok {
		return node, "usr_" + u["username"].(string)
	}
	return node, "0"
}
