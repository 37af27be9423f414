package relay_test

import (
	"fmt"
	"testing"

	"cvmgraph/internal/relay"
)

func vms(names ...string) []relay.Identity {
	items := make([]relay.Identity, len(names))
	for i, n := range names {
		items[i] = relay.Identity{VMID: n}
	}
	return items
}

func TestAssemble(t *testing.T) {
	t.Parallel()
	waiting := relay.Identity{Traits: relay.FingerprintOf("waiting")}
	id := relay.VMNodeID
	tests := map[string]struct {
		pages []relay.Loaded
		want  relay.Range
		ids   []string
		again map[int]int // repeats, by index
	}{
		"a part of one page": {
			pages: []relay.Loaded{{Page: relay.Page{Number: 1, Size: 5}, Items: vms("a", "b", "c", "d", "e")}},
			want:  relay.Range{Lo: 1, Hi: 3},
			ids:   []string{id("b"), id("c")},
		},
		"pages that overlap, in another order": {
			pages: []relay.Loaded{
				{Page: relay.Page{Number: 2, Size: 2}, Items: vms("c", "d")},
				{Page: relay.Page{Number: 1, Size: 3}, Items: vms("a", "b", "c")},
			},
			want: relay.Range{Lo: 0, Hi: 4},
			ids:  []string{id("a"), id("b"), id("c"), id("d")},
		},
		"an insert between two calls shows nothing twice": {
			pages: []relay.Loaded{
				{Page: relay.Page{Number: 1, Size: 3}, Items: vms("a", "b", "c")},
				{Page: relay.Page{Number: 2, Size: 2}, Items: vms("b", "c")},
			},
			want: relay.Range{Lo: 0, Hi: 4},
			ids:  []string{id("a"), id("b"), id("c")},
		},
		"the list itself repeats a VM": {
			pages: []relay.Loaded{{Page: relay.Page{Number: 1, Size: 4}, Items: vms("a", "b", "a", "a")}},
			want:  relay.Range{Lo: 0, Hi: 4},
			ids:   []string{id("a"), id("b")},
			again: map[int]int{0: 2},
		},
		"the list repeats a VM across a seam that agrees": {
			pages: []relay.Loaded{
				{Page: relay.Page{Number: 1, Size: 3}, Items: vms("a", "b", "c")},
				{Page: relay.Page{Number: 2, Size: 2}, Items: vms("c", "a")},
			},
			want:  relay.Range{Lo: 0, Hi: 4},
			ids:   []string{id("a"), id("b"), id("c")},
			again: map[int]int{0: 1},
		},
		"equal items without a VM are numbered, also those ahead of the window": {
			pages: []relay.Loaded{{Page: relay.Page{Number: 1, Size: 4}, Items: append([]relay.Identity{waiting, waiting}, append(vms("a"), waiting)...)}},
			want:  relay.Range{Lo: 1, Hi: 4},
			ids:   []string{relay.ProvisionalNodeID(waiting.Traits, 2), id("a"), relay.ProvisionalNodeID(waiting.Traits, 3)},
		},
		"an item without a VM on a seam is one item": {
			pages: []relay.Loaded{
				{Page: relay.Page{Number: 1, Size: 3}, Items: append(vms("a", "b"), waiting)},
				{Page: relay.Page{Number: 2, Size: 2}, Items: append([]relay.Identity{waiting}, vms("d")...)},
			},
			want: relay.Range{Lo: 0, Hi: 4},
			ids:  []string{id("a"), id("b"), relay.ProvisionalNodeID(waiting.Traits, 1), id("d")},
		},
		"nothing": {want: relay.Range{Lo: 3, Hi: 3}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slots := relay.Assemble(test.pages, test.want)
			var ids []string
			for i, s := range slots {
				ids = append(ids, s.ID)
				if s.Repeats != test.again[i] {
					t.Errorf("item %d: got %d repeats, want %d", i, s.Repeats, test.again[i])
				}
				if item := test.pages[s.Page].Items[s.Item]; item.VMID != "" && id(item.VMID) != s.ID {
					t.Errorf("item %d: got id %s at the place of %s", i, s.ID, item.VMID)
				}
				if i > 0 && s.Position <= slots[i-1].Position {
					t.Errorf("item %d: got position %d behind %d", i, s.Position, slots[i-1].Position)
				}
			}
			if got, want := fmt.Sprint(ids), fmt.Sprint(test.ids); got != want {
				t.Errorf("ids: got %v, want %v", got, want)
			}
		})
	}
}

func TestNodeIDsDiffer(t *testing.T) {
	t.Parallel()
	traits := relay.FingerprintOf("x")
	seen := map[string]bool{}
	for _, id := range []string{
		relay.VMNodeID("1a09d706-2686-4e0a-8b1d-323ff0e3504b"), relay.VMNodeID("1A09D706-2686-4E0A-8B1D-323FF0E3504B"), relay.VMNodeID(""),
		relay.ProvisionalNodeID(traits, 1), relay.ProvisionalNodeID(traits, 2), relay.ProvisionalNodeID(traits, 21), relay.ProvisionalNodeID(relay.FingerprintOf("y"), 1),
	} {
		if seen[id] {
			t.Errorf("id %s: got it twice", id)
		}
		seen[id] = true
	}
}
