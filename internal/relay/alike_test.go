package relay_test

import (
	"slices"
	"testing"

	"cvmgraph/internal/relay"
)

// TestWindow_renumbered gives a cursor the numbers that items without a VM have in the whole list.
func TestWindow_renumbered(t *testing.T) {
	t.Parallel()
	vm := func(id string) relay.Identity { return relay.Identity{VMID: id} }
	alike := func(number int) relay.Identity { return relay.Identity{Traits: 1, Number: number} }
	for name, tt := range map[string]struct {
		cursor    int // the position of its item
		seen      []relay.Identity
		now       []relay.Identity
		want      []relay.Identity // the cursor's item and the items before it, the nearest first
		wantWrong bool
	}{
		"the page did not show the number": {
			cursor: 3, seen: []relay.Identity{vm("a"), vm("b"), alike(1), vm("c")},
			now:  []relay.Identity{alike(1), alike(2), alike(3), vm("c")},
			want: []relay.Identity{vm("c"), alike(3)}, wantWrong: true,
		},
		"the right number, in a list that moved": {
			cursor: 3, seen: []relay.Identity{vm("a"), alike(1), alike(2), vm("c")},
			now:  []relay.Identity{vm("x"), vm("a"), alike(1), alike(2), vm("c")},
			want: []relay.Identity{vm("c"), alike(2)},
		},
		// The nearest item with a VM moved by two places. The next one did not move.
		"the right number, near an item that moved": {
			cursor: 6, seen: []relay.Identity{vm("a"), vm("b"), vm("c"), alike(1), vm("d"), alike(2), vm("e")},
			now:  []relay.Identity{vm("a"), vm("b"), vm("c"), alike(1), vm("e"), alike(2), vm("d")},
			want: []relay.Identity{vm("e"), alike(2)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fingerprints := func(items []relay.Identity) (all []relay.Fingerprint) {
				for _, item := range items {
					all = append(all, item.Fingerprint())
				}
				return all
			}
			seen := fingerprints(tt.seen)
			c := relay.Cursor{Position: tt.cursor, Total: len(seen), Item: seen[tt.cursor]}
			for distance := 1; distance <= tt.cursor; distance++ {
				c.Preceding = append(c.Preceding, relay.Neighbor{Distance: distance, Item: seen[tt.cursor-distance]})
			}
			w, wrong := relay.Window{After: &c}.Renumbered(tt.now, fingerprints(tt.now))
			got := []relay.Fingerprint{w.After.Item}
			for _, n := range w.After.Preceding[:len(tt.want)-1] {
				got = append(got, n.Item)
			}
			if want := fingerprints(tt.want); !slices.Equal(got, want) || wrong != tt.wantWrong {
				t.Errorf("got %x, wrong %t, want %x, %t", got, wrong, want, tt.wantWrong)
			}
		})
	}
}
