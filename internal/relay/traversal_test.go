package relay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/testmode"
)

// list is the upstream's list: items by number.
type list []int

func fingerprint(item int) relay.Fingerprint {
	return relay.FingerprintOf("item", string(rune(item)))
}

// view returns a page of the list as it is now.
func (l list) view(p relay.PageRef) relay.PageSnapshot {
	r := p.Range()
	lo, hi := min(r.Lo, len(l)), min(r.Hi, len(l))
	v := relay.PageSnapshot{Ref: p, Total: len(l)}
	for _, item := range l[lo:hi] {
		v.Items = append(v.Items, fingerprint(item))
	}
	v.Distinct = len(l)%3 > 0 && relay.Distinct(v.Items) // what a reader may know, it need not
	return v
}

// world is a list with its history.
type world struct {
	list   list
	next   int // the number of the next new item
	names  map[relay.Fingerprint]int
	gone   map[int]bool
	calls  int
	change func() // runs ahead of every call but the first of a request
}

func newWorld(size int) *world {
	w := &world{names: map[relay.Fingerprint]int{}, gone: map[int]bool{}}
	for range size {
		w.insert(len(w.list))
	}
	return w
}

func (w *world) insert(at int) {
	w.names[fingerprint(w.next)] = w.next
	w.list = slices.Insert(w.list, at, w.next)
	w.next++
}

func (w *world) remove(at int) {
	w.gone[w.list[at]] = true
	w.list = slices.Delete(w.list, at, at+1)
}

// numbers returns the items of fingerprints.
func (w *world) numbers(items []relay.Fingerprint) []int {
	var numbers []int
	for _, f := range items {
		numbers = append(numbers, w.names[f])
	}
	return numbers
}

// remembered returns what a cursor remembers: items by their distance.
func (w *world) remembered(memories []relay.Neighbor) map[int]int {
	items := map[int]int{}
	for _, m := range memories {
		for f, item := range w.names {
			if f>>16 == m.Item>>16 {
				items[m.Distance] = item
			}
		}
	}
	return items
}

// page is what one request returned.
type page struct {
	items  []int
	answer *relay.Result
	views  []relay.PageSnapshot
	cursor func(i int) string // of the item at an index
}

// ask reads a window as the gateway does.
func (w *world) ask(t *rapid.T, args relay.Args) page {
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*relay.Cursor{window.After, window.Before} {
		if c != nil {
			t.Logf("cursor of item %d at %d of %d, behind %v, ahead of %v", w.names[c.Item], c.Position, c.Total, w.remembered(c.Preceding), w.remembered(c.Following))
		}
	}
	reader := relay.NewAssembler(window, nil)
	var p page
	for calls := 0; ; {
		need := reader.Next(nil).Pages
		if len(need) == 0 {
			break
		}
		for _, n := range need {
			if calls++; calls > 1 {
				w.change()
			}
			if calls > 100 {
				t.Fatalf("got more than 100 calls for one window")
			}
			w.calls++
			v := w.list.view(n)
			p.views = append(p.views, v)
			reader.Add(v)
		}
	}
	for _, v := range p.views {
		t.Logf("page %v of %d items: %v", v.Ref, v.Total, w.numbers(v.Items))
	}
	if p.answer = reader.Result(); p.answer == nil {
		t.Fatal("got no answer")
	}
	t.Logf("answer %+v", p.answer.Realigned)
	p.cursor = func(i int) string { return p.answer.Cursor(i, staticList).Encode() }
	for _, s := range p.answer.Items() {
		p.items = append(p.items, w.names[p.views[s.Page].Items[s.Index]])
	}
	return p
}

// nearMemory is how many of the items returned last a cursor remembers at least, besides its own.
const nearMemory = 3

// traverse pages through the whole list, forward or backward, while it changes, also within a request where that is asked for. It
// returns whether every item is to be returned exactly once, as the history says, and what was wrong, if anything.
func traverse(t *rapid.T, ask func(*world, *rapid.T, relay.Args) page, within bool) (exact bool, fault string) {
	w := newWorld(rapid.IntRange(0, 120).Draw(t, "size"))
	first := int32(rapid.SampledFrom([]int{1, 2, 3, 5, 10, 30, 50, 101, 150}).Draw(t, "first"))
	backward := rapid.Bool().Draw(t, "backward")
	harsh := rapid.IntRange(0, 9).Draw(t, "harsh") == 0
	steps := 0
	mutate := func(most int) {
		for range rapid.IntRange(0, most).Draw(t, "changes") {
			switch kind := rapid.IntRange(0, 2).Draw(t, "kind"); {
			case kind == 0 || len(w.list) == 0:
				w.insert(rapid.IntRange(0, len(w.list)).Draw(t, "at"))
			case kind == 1:
				w.remove(rapid.IntRange(0, len(w.list)-1).Draw(t, "at"))
			default: // replace
				at := rapid.IntRange(0, len(w.list)-1).Draw(t, "at")
				w.remove(at)
				w.insert(at)
			}
		}
	}
	w.change = func() {
		if within {
			mutate(2)
		}
	}
	throughout := slices.Clone(w.list) // what is deleted is taken out at the end

	var returned []int
	exact = true // as the history says
	reported := false
	var cursor *string
	for {
		args := relay.Args{First: &first, After: cursor}
		if backward {
			args = relay.Args{Last: &first, Before: cursor}
		}
		p := ask(w, t, args)
		if cursor != nil {
			// Of what the cursor remembers nearby, is anything left after this request?
			near := returned[max(0, len(returned)-1-nearMemory):]
			if !slices.ContainsFunc(near, func(item int) bool { return !w.gone[item] }) {
				exact = false
			}
			if r := p.answer.Realigned; r != nil && !r.Exact {
				reported = true
			}
		}
		more := p.answer.HasNext
		if backward {
			more = p.answer.HasPrevious
			slices.Reverse(p.items)
		}
		returned = append(returned, p.items...)
		if len(p.items) > 0 {
			end := len(p.items) - 1
			if backward {
				end = 0
			}
			cursor = new(p.cursor(end))
		}
		if !more {
			break
		}
		if len(p.items) == 0 {
			t.Fatalf("got no item though there are more: %+v", p.answer)
		}
		if steps++; steps > 1000 {
			t.Fatalf("got no end after 1000 pages")
		}
		if len(returned) < 4*(len(throughout)+20) { // then let it end
			if mutate(6); harsh {
				for range 6 {
					if near := slices.Index(w.list, returned[len(returned)-1]); near >= 0 {
						w.remove(near)
					}
					if n := len(returned); n > 6 {
						if near := slices.Index(w.list, returned[n-1-rapid.IntRange(0, 5).Draw(t, "near")]); near >= 0 {
							w.remove(near)
						}
					}
				}
			}
		}
	}

	throughout = slices.DeleteFunc(throughout, func(item int) bool { return w.gone[item] })
	if backward {
		slices.Reverse(throughout)
	}
	for _, item := range throughout {
		if !slices.Contains(returned, item) {
			return exact, fmt.Sprintf("item %d was skipped: returned %v", item, returned)
		}
	}
	kept := slices.DeleteFunc(slices.Clone(returned), func(item int) bool { return !slices.Contains(throughout, item) })
	switch {
	case slices.Equal(kept, throughout):
		return exact, ""
	case exact:
		return exact, fmt.Sprintf("got %v, want each once and in order: %v", kept, throughout)
	case !reported:
		return exact, fmt.Sprintf("got %v for %v, and no word of it", kept, throughout)
	}
	return exact, ""
}

func TestTraversalsOfAChangingList(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]bool{"between pages": false, "between the calls of a page too": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all, exact int
			for range testmode.Count(10, 500) { // rapid draws 100 histories
				rapid.Check(t, func(t *rapid.T) {
					ok, fault := traverse(t, (*world).ask, within)
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

// askByPosition reads a window as a gateway with offset cursors does.
func (w *world) askByPosition(t *rapid.T, args relay.Args) page {
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	r := relay.Range{Lo: 0, Hi: min(window.Count, len(w.list))}
	switch {
	case window.After != nil:
		r.Lo = min(window.After.Position+1, len(w.list))
		r.Hi = min(r.Lo+window.Count, len(w.list))
	case window.Before != nil:
		r.Hi = min(window.Before.Position, len(w.list))
		r.Lo = max(r.Hi-window.Count, 0)
	case window.FromBack:
		r = relay.Range{Lo: max(len(w.list)-window.Count, 0), Hi: len(w.list)}
	}
	p := page{items: slices.Clone(w.list[r.Lo:r.Hi]), answer: &relay.Result{HasPrevious: r.Lo > 0 && r.Len() > 0, HasNext: r.Hi < len(w.list) && r.Len() > 0}}
	items := slices.Clone(p.items)
	total := len(w.list)
	p.cursor = func(i int) string {
		return relay.Cursor{Position: r.Lo + i, Total: total, Item: fingerprint(items[i]), List: staticList}.Encode()
	}
	return p
}

// TestOffsetCursorsFail is a test of the test: it has to find what offset cursors lose and repeat.
func TestOffsetCursorsFail(t *testing.T) {
	t.Parallel()
	var all, skipped, repeated int
	for range 10 {
		rapid.Check(t, func(t *rapid.T) {
			all++
			switch _, fault := traverse(t, (*world).askByPosition, false); {
			case strings.Contains(fault, "skipped"):
				skipped++
			case fault != "":
				repeated++
			}
		})
	}
	if skipped < all/10 || repeated < all/50 {
		t.Errorf("got %d traversals with losses and %d with repeats of %d, want a tenth and a fiftieth of them at least", skipped, repeated, all)
	}
	t.Logf("%d of %d traversals with losses, %d with repeats", skipped, all, repeated)
}

// TestCallsUnderChurn pages through a list of 300 with 5 inserts and 5 deletes after each page.
func TestCallsUnderChurn(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	var calls, pages int
	for range testmode.Count(50, 500) {
		w := newWorld(300)
		w.change = func() {}
		var cursor *string
		for {
			window, err := relay.Args{First: new(int32(30)), After: cursor}.Window(staticList, 1000)
			if err != nil {
				t.Fatal(err)
			}
			reader := relay.NewAssembler(window, nil)
			for {
				need := reader.Next(nil).Pages
				if len(need) == 0 {
					break
				}
				for _, p := range need {
					calls++
					reader.Add(w.list.view(p))
				}
			}
			pages++
			answer := reader.Result()
			if !answer.HasNext {
				break
			}
			cursor = new(answer.Cursor(len(answer.Items())-1, staticList).Encode())
			for range 5 {
				w.remove(random.IntN(len(w.list)))
				w.insert(random.IntN(len(w.list) + 1))
			}
		}
	}
	// Without a change, each page of 30 is one call.
	if ratio := float64(calls) / float64(pages); ratio > 1.5 {
		t.Errorf("got %.2f calls a page, want at most 1.5 times as many as without a change", ratio)
	} else {
		t.Logf("%.3f calls a page", ratio)
	}
}
