package relay_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"cvmgraph/internal/relay"
	"cvmgraph/internal/testing/changinglist"
	"cvmgraph/internal/testing/testmode"
)

var staticList = relay.FingerprintOf("static list")

func cursorAt(position, total int) *string {
	c := relay.Cursor{Position: position, Total: total, Item: changinglist.Fingerprint(position), List: staticList}
	return new(c.Encode())
}

func TestArgs_invalid(t *testing.T) {
	t.Parallel()
	foreign := relay.Cursor{Position: 1, Total: 2, List: relay.FingerprintOf("other")}.Encode()
	tests := map[string]struct {
		args         relay.Args
		wantArgument string
	}{
		"first below 0":                 {args: relay.Args{First: new(int32(-1))}, wantArgument: "first"},
		"first above the limit":         {args: relay.Args{First: new(int32(1001))}, wantArgument: "first"},
		"last below 0":                  {args: relay.Args{Last: new(int32(-1))}, wantArgument: "last"},
		"last above the limit":          {args: relay.Args{Last: new(int32(1001))}, wantArgument: "last"},
		"first with last":               {args: relay.Args{First: new(int32(1)), Last: new(int32(1))}, wantArgument: "last"},
		"an empty after":                {args: relay.Args{After: new("")}, wantArgument: "after"},
		"a damaged after":               {args: relay.Args{After: new("x")}, wantArgument: "after"},
		"an empty before":               {args: relay.Args{Before: new("")}, wantArgument: "before"},
		"a before of another list":      {args: relay.Args{Before: &foreign}, wantArgument: "before"},
		"a good after, a damaged first": {args: relay.Args{First: new(int32(-5)), After: cursorAt(1, 2)}, wantArgument: "first"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := test.args.Window(staticList, 1000)
			argument, ok := errors.AsType[*relay.ArgumentError](err)
			if !ok || argument.Argument != test.wantArgument {
				t.Errorf("Window: got error %v, want one of argument %s", err, test.wantArgument)
			}
		})
	}
}

func TestArgs_defaultCount(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args         relay.Args
		wantCount    int
		wantFromBack bool
	}{
		"no argument":      {args: relay.Args{}, wantCount: 30, wantFromBack: false},
		"after alone":      {args: relay.Args{After: cursorAt(3, 9)}, wantCount: 30, wantFromBack: false},
		"before alone":     {args: relay.Args{Before: cursorAt(3, 9)}, wantCount: 30, wantFromBack: true},
		"after and before": {args: relay.Args{After: cursorAt(3, 9), Before: cursorAt(7, 9)}, wantCount: 30, wantFromBack: false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := test.args.Window(staticList, 1000)
			if err != nil || w.Count != test.wantCount || w.FromBack != test.wantFromBack {
				t.Errorf("Window: got %+v, %v, want count %d, from back %v", w, err, test.wantCount, test.wantFromBack)
			}
		})
	}
}

// specified is the algorithm of the Relay connection specification on a list of positions. In the
// direction of the count, more reports whether the range between the cursors has more items.
func specified(args relay.Args, first, last *int32, total int) (edges []int, more bool) {
	decode := func(encoded *string) int {
		c, err := relay.DecodeCursor(*encoded, staticList)
		if err != nil {
			panic(err)
		}
		return c.Position
	}
	for x := range total {
		edges = append(edges, x)
	}
	if args.After != nil {
		if i := slices.Index(edges, decode(args.After)); i >= 0 {
			edges = edges[i+1:]
		}
	}
	if args.Before != nil {
		if i := slices.Index(edges, decode(args.Before)); i >= 0 {
			edges = edges[:i]
		}
	}
	if first != nil && len(edges) > int(*first) {
		return edges[:*first], true
	}
	if last != nil && len(edges) > int(*last) {
		return edges[len(edges)-int(*last):], true
	}
	return edges, false
}

// read assembles a window of a list that does not change. It returns the positions of the items,
// the result, and the loaded pages.
func read(t *testing.T, w relay.Window, total int) (relay.Range, *relay.Result, []relay.PageRef) {
	t.Helper()
	l := changinglist.New(total)
	assembler := relay.NewAssembler(w, nil)
	var pages []relay.PageRef
	for next := assembler.Next(nil); len(next.Pages) > 0; next = assembler.Next(nil) {
		for _, page := range next.Pages {
			assembler.Add(l.Snapshot(page))
		}
		if pages = append(pages, next.Pages...); len(pages) > 60 {
			t.Fatalf("window %+v of %d items: got no end, loaded %v", w, total, pages)
		}
	}
	result := assembler.Result()
	if result == nil {
		t.Fatalf("window %+v of %d items: got no result of %v", w, total, pages)
	}
	var got relay.Range
	for i, s := range result.Items() {
		if i == 0 {
			got.Lo = s.Position
		}
		if s.Position != got.Lo+i {
			t.Fatalf("window %+v of %d items: got position %d at %d", w, total, s.Position, i)
		}
		got.Hi = s.Position + 1
	}
	return got, result, pages
}

func checkWindow(t *testing.T, args relay.Args, total int) {
	t.Helper()
	w, err := args.Window(staticList, 1000)
	if err != nil {
		t.Fatal(err)
	}
	got, result, pages := read(t, w, total)
	first, last := args.First, args.Last
	switch {
	case first != nil || last != nil:
	case args.Before != nil && args.After == nil:
		last = new(int32(relay.DefaultCount))
	default:
		first = new(int32(relay.DefaultCount))
	}
	want, more := specified(args, first, last, total)
	if got.Len() != len(want) || len(want) > 0 && got.Lo != want[0] {
		t.Fatalf("window %+v of %d items: got %v, want %v", w, total, got, want)
	}
	checkPageInfo(t, w, result, more)
	if len(want) > 0 && (first != nil && result.HasPrevious != (want[0] > 0) || last != nil && result.HasNext != (want[len(want)-1] < total-1)) {
		t.Fatalf("window %+v of %d items: got previous %v and next %v at %v", w, total, result.HasPrevious, result.HasNext, got)
	}
	if result.Realigned != nil || result.Total != total {
		t.Fatalf("window %+v of %d items: got total %d, re-aligned %+v", w, total, result.Total, result.Realigned)
	}
	for _, c := range []*relay.Cursor{w.After, w.Before} {
		if c != nil && !covered(pages, c.Position) {
			t.Fatalf("window %+v of %d items: got pages %v, want the cursor's own item on one", w, total, pages)
		}
	}
	for _, p := range pages {
		if p.Range().Lo >= max(total, 1) {
			t.Fatalf("window %+v of %d items: got pages %v, want none beyond the end", w, total, pages)
		}
	}
	// The total, and a cursor's item outside of the window, may take a call each.
	if n := got.Len(); len(pages) > (n+89)/90+1+2 {
		t.Fatalf("window %+v of %d items: got %d calls", w, total, len(pages))
	}
}

// checkPageInfo checks whether there are more items in the direction of the count.
func checkPageInfo(t *testing.T, w relay.Window, result *relay.Result, more bool) {
	t.Helper()
	got := result.HasNext
	if w.FromBack {
		got = result.HasPrevious
	}
	if got != more {
		t.Fatalf("window %+v: got more %t, want %t", w, got, more)
	}
}

func TestAssembler_followsRelaySpecification(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	sizes := []int32{0, 1, 2, 7, 29, 30, 31, 50, 51, 99, 100, 101, 250, 1000}
	for range testmode.Count(4000, 60000) {
		total := random.IntN(400)
		var args relay.Args
		if n := sizes[random.IntN(len(sizes))]; random.IntN(3) > 0 {
			if random.IntN(2) == 0 {
				args.First = &n
			} else {
				args.Last = &n
			}
		}
		if total > 0 && random.IntN(2) == 0 {
			args.After = cursorAt(random.IntN(total), total)
		}
		if total > 0 && random.IntN(2) == 0 {
			args.Before = cursorAt(random.IntN(total), total)
		}
		checkWindow(t, args, total)
	}
}

func TestAssembler_pagesOfWindow(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args  relay.Args
		total int
		want  []relay.PageRef
	}{
		"the default window": {
			args: relay.Args{}, total: 300, want: []relay.PageRef{{Number: 1, Size: 30}},
		},
		"first: 0 needs only the total": {
			args: relay.Args{First: new(int32(0))}, total: 300, want: []relay.PageRef{{Number: 1, Size: 1}},
		},
		"first: 0 after a cursor needs the cursor's item": {
			args: relay.Args{First: new(int32(0)), After: cursorAt(41, 300)}, total: 300, want: []relay.PageRef{{Number: 42, Size: 1}},
		},
		"a list that ends early, without a cursor": {
			args: relay.Args{First: new(int32(1000))}, total: 42, want: []relay.PageRef{{Number: 1, Size: 100}},
		},
		"several pages after a cursor that has the total": {
			args: relay.Args{First: new(int32(1000)), After: cursorAt(0, 42)}, total: 42, want: []relay.PageRef{{Number: 1, Size: 42}},
		},
		"the last items of a list with an unknown total": {
			args: relay.Args{Last: new(int32(5))}, total: 300, want: []relay.PageRef{{Number: 1, Size: 1}, {Number: 60, Size: 5}},
		},
		"the last items after a far cursor": {
			args: relay.Args{Last: new(int32(5)), After: cursorAt(10, 300)}, total: 300, want: []relay.PageRef{{Number: 11, Size: 1}, {Number: 60, Size: 5}},
		},
		"an empty list": {
			args: relay.Args{}, total: 0, want: []relay.PageRef{{Number: 1, Size: 30}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := test.args.Window(staticList, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, got := read(t, w, test.total); !slices.Equal(got, test.want) {
				t.Errorf("pages: got %v, want %v", got, test.want)
			}
		})
	}
}
