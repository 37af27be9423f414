package graph_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"cvmgraph/internal/demo"
)

func TestExtensions_upstream(t *testing.T) {
	t.Parallel()
	g := newGateway(t, demo.New(demo.Options{}))
	header := http.Header{"Authorization": {"Bearer tester"}, "X-Cvmgraph-Explain": {"1"}}
	a := g.post(t, `{ cvms(last: 5) { nodes { id } } }`, nil, header)
	var got struct {
		Extensions struct {
			Upstream struct {
				Calls []struct {
					Page, PageSize, Status, Bytes int
					Reason                        string
					Start, Ms                     float64
				}
				ItemsFetched, ItemsReturned int
			}
		}
	}
	if err := json.Unmarshal([]byte(a.raw), &got); err != nil {
		t.Fatal(err)
	}
	u := got.Extensions.Upstream
	if len(u.Calls) != 2 || u.ItemsFetched != 6 || u.ItemsReturned != 5 {
		t.Fatalf("got %+v, want two calls, 6 items fetched, 5 returned", u)
	}
	for i, want := range []string{"total", "window"} {
		if c := u.Calls[i]; c.Reason != want || c.Status != 200 || c.Bytes < 500 || c.Ms <= 0 || c.Page < 1 || c.PageSize < 1 {
			t.Errorf("call %d: got %+v, want one for %s", i, c, want)
		}
	}
	if total, window := u.Calls[0], u.Calls[1]; total.Start != 0 || window.Start < total.Ms {
		t.Errorf("start: got %v and %v, want 0 and a start after the first call's %v ms", total.Start, window.Start, total.Ms)
	}
	if a := g.post(t, `{ cvms(first: 1) { nodes { id } } }`, nil, header); !strings.Contains(a.raw, `"page":1,"pageSize":1,"reason":"window"`) {
		t.Errorf("one item: got %s, want a call for the window", a.raw)
	}
	if a := g.post(t, `{ cvms { totalCount } }`, nil, nil); strings.Contains(a.raw, "extensions") {
		t.Errorf("without the header: got %s, want no extensions", a.raw)
	}
}
