package relay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
	"cvmgraph/internal/testing/testmode"
)

// drawn draws random numbers from rapid, so that failing histories are shrunk.
type drawn struct{ t *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

// loadedWindow is a window that a gateway has loaded.
type loadedWindow struct {
	items  []int
	result *relay.Result
	cursor func(i int) string // of the item at an index
}

// gateway loads a window. It calls between before each upstream call but the first.
type gateway func(t *rapid.T, l *changinglist.List, args relay.Args, between func()) loadedWindow

// byCursor loads a window as cvmgraph does.
func byCursor(t *rapid.T, l *changinglist.List, args relay.Args, between func()) loadedWindow {
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*relay.Cursor{window.After, window.Before} {
		if c != nil {
			t.Logf("cursor of item %d at %d of %d, after %v, before %v",
				l.Item(c.Item), c.Position, c.Total, remembered(l, c.Preceding), remembered(l, c.Following))
		}
	}
	assembler := relay.NewAssembler(window, nil)
	var loaded []relay.PageSnapshot
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		for _, page := range next.Pages {
			if len(loaded) > 0 {
				between()
			}
			if len(loaded) == 100 {
				t.Fatal("got more than 100 calls for one window")
			}
			loaded = append(loaded, l.Snapshot(page))
			assembler.Add(loaded[len(loaded)-1])
			logPage(t, l, loaded[len(loaded)-1])
		}
	}
	w := loadedWindow{result: assembler.Result()}
	if w.result == nil {
		t.Fatal("got no result")
	}
	t.Logf("result %+v", w.result.Realigned)
	w.cursor = func(i int) string { return w.result.Cursor(i, staticList).Encode() }
	for _, ref := range w.result.Items() {
		w.items = append(w.items, l.Item(loaded[ref.Page].Items[ref.Index]))
	}
	return w
}

func logPage(t *rapid.T, l *changinglist.List, page relay.PageSnapshot) {
	items := make([]int, len(page.Items))
	for i, f := range page.Items {
		items[i] = l.Item(f)
	}
	t.Logf("page %d of %d items: %v of %d", page.Ref.Number, page.Ref.Size, items, page.Total)
}

// remembered returns items by their distance.
func remembered(l *changinglist.List, neighbors []relay.Neighbor) map[int]int {
	items := make(map[int]int)
	for _, n := range neighbors {
		items[n.Distance] = l.Item(n.Item)
	}
	return items
}

// byOffset loads a window as a gateway with offset cursors does.
func byOffset(t *rapid.T, l *changinglist.List, args relay.Args, _ func()) loadedWindow {
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	total := len(l.Items)
	r := relay.Range{Lo: 0, Hi: min(window.Count, total)}
	switch {
	case window.After != nil:
		r.Lo = min(window.After.Position+1, total)
		r.Hi = min(r.Lo+window.Count, total)
	case window.Before != nil:
		r.Hi = min(window.Before.Position, total)
		r.Lo = max(r.Hi-window.Count, 0)
	case window.FromBack:
		r = relay.Range{Lo: max(total-window.Count, 0), Hi: total}
	}
	w := loadedWindow{
		items:  slices.Clone(l.Items[r.Lo:r.Hi]),
		result: &relay.Result{HasPrevious: r.Lo > 0 && r.Len() > 0, HasNext: r.Hi < total && r.Len() > 0},
	}
	items := slices.Clone(w.items)
	w.cursor = func(i int) string {
		return relay.Cursor{
			Position: r.Lo + i, Total: total, Item: changinglist.Fingerprint(items[i]), List: staticList,
		}.Encode()
	}
	return w
}

// traverse pages through the whole list, forward or backward, while it changes between the pages
// and, if within is true, between the calls for a page. It returns what was wrong, if anything, and
// whether the traversal had to be exact.
func traverse(t *rapid.T, load gateway, within bool) (exact bool, fault string) {
	l := changinglist.New(rapid.IntRange(0, 120).Draw(t, "size"))
	count := int32(rapid.SampledFrom([]int{1, 2, 3, 5, 10, 30, 50, 101, 150}).Draw(t, "count"))
	backward := rapid.Bool().Draw(t, "backward")
	harsh := rapid.IntRange(0, 9).Draw(t, "harsh") == 0
	reported := false
	loadPage := func(cursor *string) (changinglist.Page, error) {
		args := relay.Args{First: &count, After: cursor}
		if backward {
			args = relay.Args{Last: &count, Before: cursor}
		}
		w := load(t, l, args, func() {
			if within {
				l.Change(drawn{t}, 2)
			}
		})
		if r := w.result.Realigned; cursor != nil && r != nil && !r.Exact {
			reported = true
		}
		page := changinglist.Page{Items: w.items, More: w.result.HasNext}
		end := len(w.items) - 1
		if backward {
			page.More, end = w.result.HasPrevious, 0
			slices.Reverse(page.Items)
		}
		if len(w.items) > 0 {
			page.Cursor = new(w.cursor(end))
		}
		return page, nil
	}
	most := 4 * (len(l.Items) + 20) // returned items, after which the list stops changing
	traversal, err := l.Traverse(backward, loadPage, func(returned []int) {
		if len(returned) >= most {
			return
		}
		l.Change(drawn{t}, 6)
		if harsh {
			removeNear(t, l, returned)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return traversal.Exact, faultOf(&traversal, reported)
}

// removeNear deletes the item returned last and some of those before it.
func removeNear(t *rapid.T, l *changinglist.List, returned []int) {
	n := len(returned)
	for range 6 {
		l.RemoveItem(returned[n-1])
		if n > 6 {
			l.RemoveItem(returned[n-1-rapid.IntRange(0, 5).Draw(t, "near")])
		}
	}
}

// faultOf returns what is wrong with a traversal, empty if nothing is. reported is whether a result
// said that it was not exact.
func faultOf(t *changinglist.Traversal, reported bool) string {
	switch skipped := t.Skipped(); {
	case len(skipped) > 0:
		return fmt.Sprintf("items %v were skipped: returned %v", skipped, t.Returned)
	case t.OnceAndInOrder():
		return ""
	case t.Exact:
		return fmt.Sprintf("got %v, want each once and in order: %v", t.Kept(), t.Stayed)
	case !reported:
		return fmt.Sprintf("got %v for %v, and no result reported it", t.Kept(), t.Stayed)
	}
	return ""
}

func TestAssembler_traversalOfChangingList(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]bool{
		"changes between pages":                    false,
		"changes between the calls of a page, too": true,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all, exact int
			for range testmode.Count(10, 500) { // rapid draws 100 histories
				rapid.Check(t, func(t *rapid.T) {
					ok, fault := traverse(t, byCursor, within)
					if fault != "" {
						t.Fatal(fault)
					}
					if all++; ok {
						exact++
					}
				})
			}
			if exact*2 < all {
				t.Errorf("got %d exact cases of %d, want half at least", exact, all)
			}
			t.Logf("%d of %d histories are of the exact case", exact, all)
		})
	}
}

// TestTraverse_findsFaultsOfOffsetCursors checks the test above: it has to find the items that
// offset cursors skip and repeat.
func TestTraverse_findsFaultsOfOffsetCursors(t *testing.T) {
	t.Parallel()
	var all, skipped, repeated int
	for range 10 {
		rapid.Check(t, func(t *rapid.T) {
			all++
			switch _, fault := traverse(t, byOffset, false); {
			case strings.Contains(fault, "skipped"):
				skipped++
			case fault != "":
				repeated++
			}
		})
	}
	if skipped < all/10 || repeated < all/50 {
		t.Errorf("got %d traversals with losses and %d with repeats of %d, want a tenth and a fiftieth of them at least",
			skipped, repeated, all)
	}
	t.Logf("%d of %d traversals with losses, %d with repeats", skipped, all, repeated)
}

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
