package relay_test

import (
	"math/rand/v2"
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
	"cvmgraph/internal/testing/testmode"
)

// TestAssembler_callsUnderChurn pages through a list of 300 items, with 5 inserts and 5 deletes
// after each page.
func TestAssembler_callsUnderChurn(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	var calls, pages int
	for range testmode.Count(50, 500) {
		l := changinglist.New(300)
		traversal, err := l.Traverse(false, func(cursor *string) (changinglist.Page, error) {
			result := load(t, l, relay.Args{First: new(int32(30)), After: cursor})
			page := changinglist.Page{Items: make([]int, result.Len()), More: result.HasNext}
			if n := result.Len(); n > 0 {
				page.Cursor = new(result.Cursor(n-1, staticList).Encode())
			}
			return page, nil
		}, func([]int) {
			for range 5 {
				l.Remove(random.IntN(len(l.Items)))
				l.Insert(random.IntN(len(l.Items) + 1))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		calls += l.Calls
		pages += traversal.Pages
	}
	// Without a change, each page of 30 is one call.
	if ratio := float64(calls) / float64(pages); ratio > 1.5 {
		t.Errorf("got %.2f calls a page, want at most 1.5 times as many as without a change", ratio)
	} else {
		t.Logf("%.3f calls a page", ratio)
	}
}

// load assembles a window of a list that does not change meanwhile.
func load(t *testing.T, l *changinglist.List, args relay.Args) *relay.Result {
	t.Helper()
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	assembler := relay.NewAssembler(window, nil)
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		for _, page := range next.Pages {
			assembler.Add(l.Snapshot(page))
		}
	}
	return assembler.Result()
}
