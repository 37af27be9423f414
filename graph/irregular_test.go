package graph_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestIrregular_walks walks along lists whose pages have fewer items than their totals imply.
func TestIrregular_walks(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for name, tt := range map[string]struct {
				size      int
				hidden    func(int) bool
				total     func(int) int
				wantTotal int // 0 for the number of CVMs
			}{
				"2 of 30 are visible":      {size: 31, hidden: func(i int) bool { return i != 3 && i != 20 }, wantTotal: 31},
				"the last one is visible":  {size: 31, hidden: func(i int) bool { return i != 30 }, wantTotal: 31},
				"one is hidden":            {size: 250, hidden: func(i int) bool { return i == 120 }, wantTotal: 250},
				"every 15th is hidden":     {size: 300, hidden: func(i int) bool { return i%15 == 14 }, wantTotal: 300},
				"the second half":          {size: 250, hidden: func(i int) bool { return i < 125 }, wantTotal: 250},
				"a page is hidden":         {size: 350, hidden: func(i int) bool { return i/100 == 1 }, wantTotal: 350},
				"the end is hidden":        {size: 250, hidden: func(i int) bool { return i > 40 }, wantTotal: 250},
				"a total that is too high": {size: 60, total: func(int) int { return 90 }, wantTotal: 90},
			} {
				for _, ttl := range []time.Duration{0, 2 * time.Second} {
					t.Run(fmt.Sprintf("%s, TTL %v", name, ttl), func(t *testing.T) {
						t.Parallel()
						list := &oddList{items: numbered(tt.size), hidden: tt.hidden, total: tt.total}
						var want []string
						for i := range tt.size {
							if tt.hidden == nil || !tt.hidden(i) {
								want = append(want, strconv.Itoa(i))
							}
						}
						for _, n := range []int{2, 10, 30, 100, 1000} {
							for _, backward := range []bool{false, true} {
								g := oddGatewayOf(t, version, list, ttl)
								if got := walk(t, g, n, backward); !slices.Equal(got.names, want) || slices.Min(got.totals) != tt.wantTotal || slices.Max(got.totals) != tt.wantTotal {
									t.Errorf("by %d, backward %t: got the %d CVMs %v and the total %d, want the %d CVMs %v and %d",
										n, backward, len(got.names), got.names, got.totals[0], len(want), want, tt.wantTotal)
								}
							}
						}
						checkIrregularLookups(t, oddGatewayOf(t, version, list, ttl), tt.size, want)
					})
				}
			}
		})
	}
}

// TestIrregular_totalTooLow walks along lists with full pages that reach beyond the announced
// total.
func TestIrregular_totalTooLow(t *testing.T) {
	t.Parallel()
	for _, version := range apiVersions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for _, tt := range []struct{ size, total int }{{31, 29}, {60, 20}, {60, 0}, {90, 29}, {350, 7}, {350, 299}, {300, 299}, {100, 99}} {
				for _, ttl := range []time.Duration{0, 2 * time.Second} {
					list := &oddList{items: numbered(tt.size), total: func(int) int { return tt.total }}
					want := walk(t, newGatewayOf(t, version, &oddList{items: numbered(tt.size)}), 1000, false).names
					for _, n := range []int{30, 100, 1000} {
						g := oddGatewayOf(t, version, list, ttl)
						if got := walk(t, g, n, false); !slices.Equal(got.names, want) {
							t.Errorf("%+v by %d: got %d CVMs, want %d", tt, n, len(got.names), len(want))
						}
						if n != 30 || tt.size == 100 {
							continue // the pages of a backward walk end at the announced total
						}
						if got := walk(t, g, n, true); !slices.Equal(got.names, want) {
							t.Errorf("%+v by %d, backward: got %d CVMs, want %d", tt, n, len(got.names), len(want))
						}
					}
				}
			}
		})
	}
}

func checkIrregularLookups(t *testing.T, g *gateway, size int, visible []string) {
	t.Helper()
	for i := 0; i < size; i += 13 {
		want := "null"
		if slices.Contains(visible, strconv.Itoa(i)) {
			want = fmt.Sprintf(`{"name":"%d"}`, i)
		}
		a := g.post(t, fmt.Sprintf(`{ cvm(vmId: "vm-%d") { name } }`, i), nil, nil)
		if len(a.Errors) > 0 || string(a.Data["cvm"]) != want {
			t.Errorf("cvm %d: got %s, want %s", i, a.raw, want)
		}
	}
}

// TestIrregular_becomesRegular shows that a list is read from its front only as long as it is
// irregular.
func TestIrregular_becomesRegular(t *testing.T) {
	t.Parallel()
	list := &oddList{items: numbered(300), hidden: func(i int) bool { return i == 5 }}
	g := newGateway(t, list)
	walk(t, g, 300, false)
	list.hidden = nil
	walk(t, g, 300, false)
	page := g.post(t, cvmsQuery, vars{"first": 250}, nil).cvms(t)
	g.takeCalls()
	g.post(t, cvmsQuery, vars{"first": 10, "after": page.PageInfo.EndCursor}, nil)
	if calls := g.takeCalls(); len(calls) != 1 {
		t.Errorf("got the calls %q, want one", calls)
	}
}

// TestIrregular_noItems refuses a list with a total and no items: an empty list would be
// misleading.
func TestIrregular_noItems(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2, 31, 250} {
		list := &oddList{items: numbered(size), hidden: func(int) bool { return true }}
		for _, query := range []string{`{ cvms { nodes { id } } }`, `{ cvms(last: 100) { nodes { id } } }`, `{ cvm(vmId: "vm-1") { id } }`} {
			if e := newGateway(t, list).post(t, query, nil, nil).onlyError(t); e.code() != "UPSTREAM_INVALID_RESPONSE" {
				t.Errorf("%s with a total of %d: got %+v, want UPSTREAM_INVALID_RESPONSE", query, size, e)
			}
		}
	}
}
