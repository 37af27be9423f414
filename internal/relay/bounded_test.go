package relay_test

import (
	"fmt"
	"slices"
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
)

// loadItems assembles a window of a list that does not change meanwhile. It returns the window's
// items and the result.
func loadItems(t *testing.T, l *changinglist.List, args relay.Args) ([]int, *relay.Result) {
	t.Helper()
	window, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	assembler := relay.NewAssembler(window, nil)
	var loaded []relay.PageSnapshot
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		for _, page := range next.Pages {
			loaded = append(loaded, l.Snapshot(page))
			assembler.Add(loaded[len(loaded)-1])
		}
		if len(loaded) > 60 {
			t.Fatalf("got no end after %d calls", len(loaded))
		}
	}
	result := assembler.Result()
	if result == nil {
		t.Fatal("got no result")
	}
	var items []int
	for _, ref := range result.Items() {
		items = append(items, l.Item(loaded[ref.Page].Items[ref.Index]))
	}
	return items, result
}

// numbers returns the numbers from lo to hi-1.
func numbers(lo, hi int) []int {
	var n []int
	for i := lo; i < hi; i++ {
		n = append(n, i)
	}
	return n
}

// TestAssembler_loopOverBoundedRange pages through the items between two cursors of a list that
// does not change, as long as pageInfo reports more.
func TestAssembler_loopOverBoundedRange(t *testing.T) {
	t.Parallel()
	l := changinglist.New(60)
	_, all := loadItems(t, l, relay.Args{First: new(int32(60))})
	cursor := func(i int) *string { return new(all.Cursor(i, staticList).Encode()) }
	for name, test := range map[string]struct {
		after, before *string
		count         int32
		backward      bool
		want          []int
	}{
		"forward, up to a cursor":                  {before: cursor(20), count: 10, want: numbers(0, 20)},
		"forward, between two cursors":             {after: cursor(3), before: cursor(20), count: 7, want: numbers(4, 20)},
		"forward, by one":                          {after: cursor(3), before: cursor(7), count: 1, want: numbers(4, 7)},
		"forward, nothing between":                 {after: cursor(3), before: cursor(4), count: 1},
		"forward, up to the first item":            {before: cursor(0), count: 5},
		"backward, down to a cursor":               {after: cursor(39), count: 10, backward: true, want: numbers(40, 60)},
		"backward, between two cursors":            {after: cursor(3), before: cursor(20), count: 7, backward: true, want: numbers(4, 20)},
		"backward, nothing between":                {after: cursor(3), before: cursor(4), count: 1, backward: true},
		"backward, down to the last item":          {after: cursor(59), count: 5, backward: true},
		"forward, a limit that is not after after": {after: cursor(50), before: cursor(20), count: 4, want: numbers(51, 60)},
		"forward, the same cursor twice":           {after: cursor(50), before: cursor(50), count: 4, want: numbers(51, 60)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := relay.Args{First: &test.count, After: test.after, Before: test.before}
			if test.backward {
				args.First, args.Last = nil, &test.count
			}
			var got []int
			for more, pages := true, 0; more; pages++ {
				items, result := loadItems(t, l, args)
				if more = result.HasNext; test.backward {
					more = result.HasPrevious
				}
				if pages > 20 || more && len(items) == 0 {
					t.Fatalf("got %d items on page %d, and more: %t", len(items), pages, more)
				}
				switch {
				case len(items) == 0:
				case test.backward:
					got = append(items, got...)
					args.Before = new(result.Cursor(0, staticList).Encode())
				default:
					got = append(got, items...)
					args.After = new(result.Cursor(len(items)-1, staticList).Encode())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestAssembler_cursorsOfDifferentMoments loads a window between a cursor that was made before the
// list changed, and one that was made afterwards.
func TestAssembler_cursorsOfDifferentMoments(t *testing.T) {
	t.Parallel()
	insertAtFront := func(n int) func(*changinglist.List) {
		return func(l *changinglist.List) {
			for range n {
				l.Insert(0)
			}
		}
	}
	deleteFromFront := func(l *changinglist.List) {
		for range 10 {
			l.Remove(0)
		}
	}
	for name, test := range map[string]struct {
		change        func(*changinglist.List)
		after, before int  // the positions of the cursors' items in the changed list
		oldAfter      bool // after is the old cursor, else before is
	}{
		"25 inserts, up to the old first item":          {change: insertAtFront(25), after: 9, before: 25},
		"5 inserts, the old item is before the new one": {change: insertAtFront(5), after: 9, before: 5},
		"5 inserts, the items are adjacent":             {change: insertAtFront(5), after: 4, before: 5},
		"10 deletes, up to an old item":                 {change: deleteFromFront, after: 4, before: 10},
		"10 deletes, after an old item":                 {change: deleteFromFront, after: 10, before: 35, oldAfter: true},
		"10 deletes, the old item is after the new one": {change: deleteFromFront, after: 30, before: 25, oldAfter: true},
	} {
		for _, count := range []int32{0, 1, 4, 30} {
			t.Run(fmt.Sprintf("%s, %d", name, count), func(t *testing.T) {
				t.Parallel()
				l := changinglist.New(60)
				_, old := loadItems(t, l, relay.Args{First: new(int32(60))})
				test.change(l)
				_, changed := loadItems(t, l, relay.Args{First: new(int32(100))})
				cursor := func(position int, isOld bool) *string {
					if isOld {
						return new(old.Cursor(l.Items[position], staticList).Encode())
					}
					return new(changed.Cursor(position, staticList).Encode())
				}
				args := relay.Args{After: cursor(test.after, test.oldAfter), Before: cursor(test.before, !test.oldAfter)}
				inRange := l.Items[test.after+1:]
				if test.before > test.after {
					inRange = l.Items[test.after+1 : test.before]
				}
				n := min(int(count), len(inRange))

				args.First = &count
				got, result := loadItems(t, l, args)
				if want := inRange[:n]; !slices.Equal(got, want) || result.HasNext != (n < len(inRange)) {
					t.Errorf("first: got %v, more %t, want %v of %d, %+v", got, result.HasNext, want, len(inRange), result.Realigned)
				}
				args.First, args.Last = nil, &count
				got, result = loadItems(t, l, args)
				if want := inRange[len(inRange)-n:]; !slices.Equal(got, want) || result.HasPrevious != (n < len(inRange)) {
					t.Errorf("last: got %v, more %t, want %v of %d, %+v", got, result.HasPrevious, want, len(inRange), result.Realigned)
				}
			})
		}
	}
}

// TestAssembler_cursorsPassEachOther loads the window between two cursors, after the half of the
// list with the first one moved to the end. The range is empty: otherwise a loop that has crossed
// the end of its range would begin again at the end of the list.
func TestAssembler_cursorsPassEachOther(t *testing.T) {
	t.Parallel()
	l := changinglist.New(60)
	_, all := loadItems(t, l, relay.Args{First: new(int32(60))})
	cursor := func(i int) *string { return new(all.Cursor(i, staticList).Encode()) }
	l.Items = slices.Concat(l.Items[30:], l.Items[:30])
	for _, args := range []relay.Args{
		{First: new(int32(10)), After: cursor(15), Before: cursor(45)},
		{Last: new(int32(10)), After: cursor(15), Before: cursor(45)},
	} {
		if got, result := loadItems(t, l, args); len(got) > 0 || result.HasNext != (args.Last != nil) || result.HasPrevious != (args.First != nil) {
			t.Errorf("got %v, more after it: %t, before it: %t, %+v", got, result.HasNext, result.HasPrevious, result.Realigned)
		}
	}
}
