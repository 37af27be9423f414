package relay_test

import (
	"slices"
	"testing"

	"cvmgraph/internal/relay"
)

// TestWindowsThatAreTorn reads one item behind a cursor while the list changes between the calls for it.
func TestWindowsThatAreTorn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		size   int
		cursor relay.Cursor
		change func(*world) // after the first call
		want   int
	}{
		"an item comes just ahead of the cursor's": {
			10,
			relay.Cursor{Position: 4, Total: 10, Item: fingerprint(5)},
			func(w *world) { w.insert(slices.Index(w.list, 5)) }, 6,
		},
		"items push the cursor's beyond the next page": {
			100,
			relay.Cursor{Position: 4, Total: 100, Item: fingerprint(5)},
			func(w *world) {
				w.insert(slices.Index(w.list, 5))
				w.insert(slices.Index(w.list, 5))
			}, 6,
		},
		"the cursor's item goes once it was found": {
			10,
			relay.Cursor{Position: 4, Total: 10, Item: fingerprint(5)},
			func(w *world) { w.remove(slices.Index(w.list, 5)) }, 6,
		},
		"the cursor's item and all that is known beside it go once it was found": { // the traversal begins anew, and says so
			10,
			relay.Cursor{Position: 4, Total: 10, Item: fingerprint(5)},
			func(w *world) { w.remove(slices.Index(w.list, 5)); w.remove(slices.Index(w.list, 4)) }, 0,
		},
		"many items come at the front": {
			10,
			relay.Cursor{Position: 4, Total: 10, Item: fingerprint(5)},
			func(w *world) {
				for range 20 {
					w.insert(0)
				}
			}, 6,
		},
		"many items go from the front": {
			60,
			relay.Cursor{Position: 40, Total: 60, Item: fingerprint(41)},
			func(w *world) {
				for range 20 {
					w.remove(0)
				}
			}, 42,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(test.size)
			test.cursor.List = staticList
			window, err := relay.Args{First: new(int32(1)), After: new(test.cursor.Encode())}.Window(staticList, 1000)
			if err != nil {
				t.Fatal(err)
			}
			reader := relay.NewAssembler(window, nil)
			var views []relay.PageSnapshot
			for {
				need := reader.Next(nil).Pages
				if len(need) == 0 {
					break
				}
				for _, p := range need {
					if len(views) == 1 {
						test.change(w)
					}
					views = append(views, w.list.view(p))
					reader.Add(views[len(views)-1])
				}
			}
			answer := reader.Result()
			if answer == nil || len(answer.Items()) != 1 {
				t.Fatalf("got %+v, want one item", answer)
			}
			slot := answer.Items()[0]
			if got := w.names[views[slot.Page].Items[slot.Index]]; got != test.want {
				t.Errorf("got item %d by %d calls, want %d", got, len(views), test.want)
			}
			if len(views) < 2 || answer.Realigned == nil {
				t.Errorf("got %d calls and re-aligned %+v, want a torn window", len(views), answer.Realigned)
			}
		})
	}
}
