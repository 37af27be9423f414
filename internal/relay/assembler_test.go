package relay_test

import (
	"slices"
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
)

func TestAssembler_firstPages(t *testing.T) {
	t.Parallel()
	ref := func(number, size int) relay.PageRef { return relay.PageRef{Number: number, Size: size} }
	cached := []relay.CachedPage{{Ref: ref(1, 50), Len: 50, Total: 500}}
	first20, first90 := relay.Window{Count: 20}, relay.Window{Count: 90}
	total := relay.Window{Count: 20, TotalOnly: true}
	for name, tt := range map[string]struct {
		window     relay.Window
		plan       *relay.ListPlan
		cached     []relay.CachedPage
		want       []relay.PageRef
		wantReason relay.Reason
	}{
		"the cheapest cover":                        {window: first20, want: []relay.PageRef{ref(1, 20)}, wantReason: relay.ReasonWindow},
		"a cached page":                             {window: first20, cached: cached, want: []relay.PageRef{ref(1, 50)}, wantReason: relay.ReasonWindow},
		"a cached page that is too short":           {window: first90, cached: cached, want: []relay.PageRef{ref(1, 90)}, wantReason: relay.ReasonWindow},
		"the planned page of a larger window":       {window: first20, plan: relay.NewListPlan(first20, first90), want: []relay.PageRef{ref(1, 90)}, wantReason: relay.ReasonWindow},
		"a cached page before a planned one":        {window: first20, plan: relay.NewListPlan(first20, first90), cached: cached, want: []relay.PageRef{ref(1, 50)}, wantReason: relay.ReasonWindow},
		"the total":                                 {window: total, want: []relay.PageRef{ref(1, 1)}, wantReason: relay.ReasonTotal},
		"the total of a cached page":                {window: total, cached: cached, want: []relay.PageRef{ref(1, 50)}, wantReason: relay.ReasonTotal},
		"the total of a planned page":               {window: total, plan: relay.NewListPlan(total, first20), want: []relay.PageRef{ref(1, 20)}, wantReason: relay.ReasonTotal},
		"the last items need the total first":       {window: relay.Window{Count: 5, FromBack: true}, want: []relay.PageRef{ref(1, 1)}, wantReason: relay.ReasonTotal},
		"a long window loads one page at the start": {window: relay.Window{Count: 1000}, want: []relay.PageRef{ref(1, 100)}, wantReason: relay.ReasonWindow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := relay.NewAssembler(tt.window, tt.plan).Next(tt.cached)
			if !slices.Equal(got.Pages, tt.want) || got.Reason != tt.wantReason || got.Restart {
				t.Errorf("got %+v, want %v for %s", got, tt.want, tt.wantReason)
			}
			// Equal windows of a plan begin with the same pages, also if other pages are cached by
			// then.
			if again := relay.NewAssembler(tt.window, tt.plan).Next(nil); tt.plan != nil && !slices.Equal(again.Pages, tt.want) {
				t.Errorf("again: got %+v, want %v", again, tt.want)
			}
		})
	}
}

// TestAssembler_searchRestartsWithoutCachedPages loads the item after a cursor from a cached page
// that no longer has the cursor's item.
func TestAssembler_searchRestartsWithoutCachedPages(t *testing.T) {
	t.Parallel()
	l := changinglist.New(60)
	cursor := load(t, l, relay.Args{First: new(int32(30))}).Cursor(29, staticList)
	for range 40 {
		l.Insert(0)
	}
	args := relay.Args{First: new(int32(1)), After: new(cursor.Encode())}
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	assembler := relay.NewAssembler(window, nil)
	var loaded []relay.PageSnapshot
	restarts := 0
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		if next.Restart {
			restarts, loaded = restarts+1, nil
		}
		for _, page := range next.Pages {
			snapshot := l.Snapshot(page)
			snapshot.Cached = restarts == 0
			loaded = append(loaded, snapshot)
			assembler.Add(snapshot)
		}
	}
	result := assembler.Result()
	if restarts != 1 || result == nil || result.Len() != 1 {
		t.Fatalf("got %d restarts and %+v, want one restart and one item", restarts, result)
	}
	if ref := result.Item(0); l.Item(loaded[ref.Page].Items[ref.Index]) != 30 {
		t.Errorf("got item %d, want 30", l.Item(loaded[ref.Page].Items[ref.Index]))
	}
}
