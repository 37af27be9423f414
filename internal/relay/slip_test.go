package relay_test

import (
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
)

// TestAssembler_itemSlipsBetweenPages deletes two items between two calls, so that neither page has the
// cursor's item: the first page is before it, and when the second page is loaded, it is too.
func TestAssembler_itemSlipsBetweenPages(t *testing.T) {
	t.Parallel()
	// The items of the list at each call; the last ones for all further calls.
	read := func(after *string, histories ...[]int) *relay.Result {
		window, err := relay.Args{First: new(int32(1)), After: after}.Window(staticList, 1000)
		if err != nil {
			t.Fatal(err)
		}
		l := changinglist.New(0)
		assembler := relay.NewAssembler(window, nil)
		for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
			for _, page := range next.Pages {
				if l.Calls == 10 {
					t.Fatal("got more than 10 calls")
				}
				l.Items = histories[min(l.Calls, len(histories)-1)]
				assembler.Add(l.Snapshot(page))
			}
		}
		return assembler.Result()
	}
	cursor := func(r *relay.Result) *string { return new(r.Cursor(0, staticList).Encode()) }

	first := cursor(read(nil, []int{0, 1, 2}))
	second := cursor(read(first, []int{0, 1, 2})) // of item 1
	got := read(second, []int{6, 5, 4, 1}, []int{4, 1})
	if got.Len() != 0 || got.HasNext || got.Realigned != nil {
		t.Errorf("got %d items, more: %t, %+v, want none: item 1 is the last, at its place",
			got.Len(), got.HasNext, got.Realigned)
	}
}
