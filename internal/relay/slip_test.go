package relay_test

import (
	"fmt"
	"testing"

	"cvmgraph/internal/relay"
)

// TestWhatSlipsBetweenPagesIsFound deletes two items between two calls, so that the cursor's item is on neither page: on the first it is
// not yet, and on the second not any more.
func TestWhatSlipsBetweenPagesIsFound(t *testing.T) {
	t.Parallel()
	read := func(after *string, lists ...[]int) *relay.Result {
		window, err := relay.Args{First: new(int32(1)), After: after}.Window(staticList, 1000)
		if err != nil {
			t.Fatal(err)
		}
		reader := relay.NewAssembler(window, nil)
		for calls := 0; ; {
			pages := reader.Next(nil).Pages
			if len(pages) == 0 {
				return reader.Result()
			}
			for _, p := range pages {
				list := lists[min(calls, len(lists)-1)]
				if calls++; calls > 10 {
					t.Fatal("got more than 10 calls")
				}
				view := relay.PageSnapshot{Ref: p, Total: len(list)}
				for i := p.Range().Lo; i < min(p.Range().Hi, len(list)); i++ {
					view.Items = append(view.Items, relay.FingerprintOf(fmt.Sprint(list[i])))
				}
				reader.Add(view)
			}
		}
	}
	cursor := func(a *relay.Result) *string { return new(a.Cursor(0, staticList).Encode()) }

	second := cursor(read(cursor(read(nil, []int{0, 1, 2})), []int{0, 1, 2})) // that of item 1
	got := read(second, []int{6, 5, 4, 1}, []int{4, 1})
	if got.Len() != 0 || got.HasNext || got.Realigned != nil {
		t.Errorf("got %d items, more: %t, %+v, want none: item 1 is the last, at its place", got.Len(), got.HasNext, got.Realigned)
	}
}
