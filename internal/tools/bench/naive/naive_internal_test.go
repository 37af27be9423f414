// The tests are in package main because a command cannot be imported.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

func TestConnect_returnsTheWholeListForAnyPageSize(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(demo.New(demo.Options{Items: 57}))
	t.Cleanup(upstream.Close)
	handler := withLoader(newClient(upstream.URL+demo.BasePath), newServer())
	var want []string
	for _, first := range []int{100, 57, 20, 19, 7} {
		after, names := "null", []string{}
		for {
			c := ask(t, handler, fmt.Sprintf(`{ cvms(first: %d, after: %s) { edges { node { name } } totalCount pageInfo { hasNextPage endCursor } } }`, first, after))
			for _, edge := range c.Edges {
				names = append(names, edge.Node.Name)
			}
			if c.TotalCount != 57 {
				t.Fatalf("got totalCount %d, want 57", c.TotalCount)
			}
			if !c.PageInfo.HasNextPage || len(names) > 57 {
				break
			}
			after = fmt.Sprintf("%q", c.PageInfo.EndCursor)
		}
		if want == nil {
			want = names
		}
		if got := strings.Join(names, " "); len(names) != 57 || got != strings.Join(want, " ") {
			t.Errorf("first: %d: got %d names, %s, want %s", first, len(names), got, want)
		}
	}
}

type connection struct {
	Edges []struct {
		Node struct{ Name string }
	}
	TotalCount int
	PageInfo   struct {
		HasNextPage bool
		EndCursor   string
	}
}

func ask(t *testing.T, handler http.Handler, query string) connection {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer test")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var response struct {
		Data   struct{ Cvms connection }
		Errors []any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &response); err != nil || len(response.Errors) > 0 {
		t.Fatalf("got %s, %v", w.Body, err)
	}
	return response.Data.Cvms
}
