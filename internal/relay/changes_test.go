package relay_test

import (
	"slices"
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
)

// TestAssembler_listChangesBetweenCalls loads one item after a cursor. The list changes after the
// first call.
func TestAssembler_listChangesBetweenCalls(t *testing.T) {
	t.Parallel()
	for name, test := range changesBetweenCalls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// changeBetweenCalls is a change of a list after the first call for a window.
type changeBetweenCalls struct {
	size   int
	cursor relay.Cursor
	change func(*changinglist.List)
	want   int // the item after the cursor
}

func changesBetweenCalls() map[string]changeBetweenCalls {
	return map[string]changeBetweenCalls{
		"an item is inserted just before the cursor's item": {
			size:   10,
			cursor: relay.Cursor{Position: 4, Total: 10, Item: changinglist.Fingerprint(5)},
			change: func(l *changinglist.List) { l.Insert(slices.Index(l.Items, 5)) },
			want:   6,
		},
		"inserted items move the cursor's item past the next page": {
			size:   100,
			cursor: relay.Cursor{Position: 4, Total: 100, Item: changinglist.Fingerprint(5)},
			change: func(l *changinglist.List) {
				l.Insert(slices.Index(l.Items, 5))
				l.Insert(slices.Index(l.Items, 5))
			},
			want: 6,
		},
		"the cursor's item is deleted after it was found": {
			size:   10,
			cursor: relay.Cursor{Position: 4, Total: 10, Item: changinglist.Fingerprint(5)},
			change: func(l *changinglist.List) { l.Remove(slices.Index(l.Items, 5)) },
			want:   6,
		},
		"the cursor's item and all its known neighbors are deleted after it was found": { // the traversal starts again, and says so
			size:   10,
			cursor: relay.Cursor{Position: 4, Total: 10, Item: changinglist.Fingerprint(5)},
			change: func(l *changinglist.List) { l.Remove(slices.Index(l.Items, 5)); l.Remove(slices.Index(l.Items, 4)) },
			want:   0,
		},
		"many items are inserted at the front": {
			size:   10,
			cursor: relay.Cursor{Position: 4, Total: 10, Item: changinglist.Fingerprint(5)},
			change: func(l *changinglist.List) {
				for range 20 {
					l.Insert(0)
				}
			},
			want: 6,
		},
		"many items are deleted from the front": {
			size:   60,
			cursor: relay.Cursor{Position: 40, Total: 60, Item: changinglist.Fingerprint(41)},
			change: func(l *changinglist.List) {
				for range 20 {
					l.Remove(0)
				}
			},
			want: 42,
		},
	}
}

func (test changeBetweenCalls) run(t *testing.T) {
	t.Helper()
	l := changinglist.New(test.size)
	test.cursor.List = staticList
	window, err := relay.Args{First: new(int32(1)), After: new(test.cursor.Encode())}.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	assembler := relay.NewAssembler(window, nil)
	var loaded []relay.PageSnapshot
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		for _, page := range next.Pages {
			if len(loaded) == 1 {
				test.change(l)
			}
			loaded = append(loaded, l.Snapshot(page))
			assembler.Add(loaded[len(loaded)-1])
		}
	}
	result := assembler.Result()
	if result == nil || len(result.Items()) != 1 {
		t.Fatalf("got %+v, want one item", result)
	}
	ref := result.Items()[0]
	if got := l.Item(loaded[ref.Page].Items[ref.Index]); got != test.want {
		t.Errorf("got item %d by %d calls, want %d", got, len(loaded), test.want)
	}
	if len(loaded) < 2 || result.Realigned == nil {
		t.Errorf("got %d calls and realigned %+v, want a change between the calls", len(loaded), result.Realigned)
	}
}

// TestAssembler_itemSlipsBetweenPages deletes two items between two calls, so that neither page has
// the cursor's item: the first page is before it, and when the second page is loaded, it is too.
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

// TestAssembler_itemsMoveBetweenPages loads a window of two pages. Between the calls, five items
// before the first page's end are deleted, so that the next page does not begin with the first
// page's last item, and then the list changes among the items that the first page has.
func TestAssembler_itemsMoveBetweenPages(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*changinglist.List)
		want   []int // from item 56 on
	}{
		"nothing else":                        {change: func(*changinglist.List) {}, want: numbers(56, 66)},
		"an insert before the last items":     {change: func(l *changinglist.List) { l.Insert(slices.Index(l.Items, 58)) }, want: numbers(56, 66)},
		"the last item moves by two places":   {change: moveTo(57, 60), want: numbers(56, 66)},
		"the last item moves to the end":      {change: moveTo(194, 60), want: numbers(56, 66)},
		"an earlier item moves by ten places": {change: moveTo(62, 57), want: numbers(56, 66)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := changinglist.New(200)
			window, err := relay.Args{First: new(int32(120))}.Window(staticList, 1000)
			if err != nil {
				t.Fatal(err)
			}
			assembler := relay.NewAssembler(window, nil)
			var loaded []relay.PageSnapshot
			for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
				for _, page := range next.Pages {
					if len(loaded) == 1 {
						l.Items = l.Items[5:]
						tt.change(l)
					}
					loaded = append(loaded, l.Snapshot(page))
					assembler.Add(loaded[len(loaded)-1])
				}
			}
			var got []int
			for _, ref := range assembler.Result().Items() {
				got = append(got, l.Item(loaded[ref.Page].Items[ref.Index]))
			}
			if got := got[slices.Index(got, 56):][:len(tt.want)]; !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
