package changinglist_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/testing/changinglist"
)

// walker makes the next step of a walk of a list's last version: at most count items.
type walker func(h *changinglist.History, w *changinglist.Walk, count int) changinglist.Step

// lineOf returns the items of the last version in the order of the walk.
func lineOf(h *changinglist.History, w *changinglist.Walk) []int {
	line := slices.Clone(h.Items(h.Last()))
	if w.Backward {
		slices.Reverse(line)
	}
	return line
}

// returnedBy returns the items that a walk has returned so far.
func returnedBy(w *changinglist.Walk) []int {
	var items []int
	for _, step := range w.Steps {
		items = append(items, step.Items...)
	}
	return items
}

// stepFrom returns a step that begins at an index of the line and leaves out the given items.
func stepFrom(h *changinglist.History, line []int, begin, count int, without []int) changinglist.Step {
	rest := slices.DeleteFunc(slices.Clone(line[begin:]), func(item int) bool { return slices.Contains(without, item) })
	step := changinglist.Step{Seen: changinglist.Span{Lo: h.Last(), Hi: h.Last()}, Items: rest[:min(count, len(rest))], More: len(rest) > count}
	step.Before = len(step.Items) > 0 && slices.Index(line, step.Items[0]) > 0
	return step
}

// knowing goes on after the item that was returned last and has not moved since. It leaves out what
// was returned before.
func knowing(h *changinglist.History, w *changinglist.Walk, count int) changinglist.Step {
	line, begin := lineOf(h, w), 0
	for _, step := range w.Steps {
		for _, item := range step.Items {
			if h.Kept(item, changinglist.Span{Lo: step.Seen.Lo, Hi: h.Last()}) {
				begin = slices.Index(line, item) + 1
			}
		}
	}
	return stepFrom(h, line, begin, count, returnedBy(w))
}

// byPosition goes on at the position where the last step ended.
func byPosition(h *changinglist.History, w *changinglist.Walk, count int) changinglist.Step {
	line := lineOf(h, w)
	return stepFrom(h, line, min(len(returnedBy(w)), len(line)), count, nil)
}

// byItem goes on after the item that was returned last, wherever it is now.
func byItem(h *changinglist.History, w *changinglist.Walk, count int) changinglist.Step {
	line, begin := lineOf(h, w), 0
	if returned := returnedBy(w); len(returned) > 0 {
		begin = slices.Index(line, returned[len(returned)-1]) + 1
	}
	return stepFrom(h, line, begin, count, nil)
}

// randomWalk walks along a list that changes between the steps, and returns the faults.
func randomWalk(random *rand.Rand, next walker, kinds int) []string {
	l := changinglist.New(random.IntN(60))
	h := changinglist.NewHistory(l)
	w := changinglist.Walk{History: h, Backward: random.IntN(2) == 0}
	count := 1 + random.IntN(12)
	for range 100 {
		step := next(h, &w, count)
		if n := len(w.Steps); n > 0 {
			returned := returnedBy(&w)
			slices.Reverse(returned)
			step.Cursor = &changinglist.Mark{Near: returned[:min(changinglist.NearItems, len(returned))], Seen: w.Steps[n-1].Seen}
		}
		w.Steps = append(w.Steps, step)
		if !step.More || len(step.Items) == 0 {
			break
		}
		for range random.IntN(4) {
			change := changinglist.Change{
				Kind: changinglist.ChangeKind(random.IntN(kinds)), At: random.IntN(60), By: random.IntN(20) - 10,
			}
			change.Apply(l)
			h.Save()
		}
	}
	return w.Faults()
}

// TestWalk_ofGateways checks the oracle: it accepts a gateway that knows the whole history, and
// finds the faults of simple gateways.
func TestWalk_ofGateways(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		next        walker
		kinds       changinglist.ChangeKind // of changes, below this one
		least, most int                     // of 1000 walks, the ones with faults
	}{
		"knows the history, order kept": {next: knowing, kinds: changinglist.MoveToFront},
		"knows the history, items move": {next: knowing, kinds: changinglist.MoveBy + 1},
		"uses positions, order kept":    {next: byPosition, kinds: changinglist.MoveToFront, least: 300, most: 1000},
		"uses positions, items move":    {next: byPosition, kinds: changinglist.MoveBy + 1, least: 200, most: 1000},
		"follows the item, order kept":  {next: byItem, kinds: changinglist.MoveToFront, least: 20, most: 1000},
		"follows the item, items move":  {next: byItem, kinds: changinglist.MoveBy + 1, least: 20, most: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			found := 0
			var example []string
			for range 1000 {
				if faults := randomWalk(random, tt.next, int(tt.kinds)); len(faults) > 0 {
					found++
					example = faults
				}
			}
			if found < tt.least || found > tt.most {
				t.Errorf("got %d walks with faults, want %d to %d; the last: %q", found, tt.least, tt.most, example)
			}
			t.Logf("%d of 1000 walks with faults", found)
		})
	}
}

// TestWalk_fault checks a walk of two steps along [0 1 2 3 4 5], which changes before the second
// step.
func TestWalk_fault(t *testing.T) {
	t.Parallel()
	toEnd := changinglist.Change{Kind: changinglist.MoveToEnd, At: 2} // [0 1 3 4 5 2]
	remove := changinglist.Change{Kind: changinglist.Delete, At: 4}   // [0 1 2 3 5]
	still := changinglist.Change{Kind: changinglist.MoveBy}
	inexact := changinglist.Report{Present: true}
	for name, tt := range map[string]struct {
		change changinglist.Change
		second changinglist.Step // of version 1, unless its Seen is set
		stop   int               // the item of the cursor at the end of the walk; 0 for none
		want   string            // a part of the only fault, empty if there is none
	}{
		"the rest":                        {change: still, second: changinglist.Step{Items: []int{3, 4, 5}, Before: true}},
		"a skipped item":                  {change: still, second: changinglist.Step{Items: []int{4, 5}, Before: true}, want: "[3] are not returned"},
		"a skipped item of a deletion":    {change: remove, second: changinglist.Step{Items: []int{5}, Before: true}, want: "[3] are not returned"},
		"a deleted item":                  {change: remove, second: changinglist.Step{Items: []int{3, 4, 5}, Before: true}, want: "4 is returned, which versions"},
		"a deleted item of an older page": {change: remove, second: changinglist.Step{Items: []int{3, 4, 5}, Before: true, Seen: changinglist.Span{Hi: 1}}},
		"an item twice":                   {change: still, second: changinglist.Step{Items: []int{3, 4, 4, 5}, Before: true}, want: "4 is returned twice"},
		"a repeat":                        {change: still, second: changinglist.Step{Items: []int{2, 3, 4, 5}, Before: true}, want: "2 is repeated from step 0, and no response reports it"},
		"a repeat that is reported":       {change: still, second: changinglist.Step{Items: []int{2, 3, 4, 5}, Before: true, Report: inexact}, want: "2 is repeated from step 0, though near items"},
		"the wrong order":                 {change: still, second: changinglist.Step{Items: []int{4, 3, 5}, Before: true}, want: "3 is returned after 4"},
		"the cursor's item moved":         {change: toEnd, second: changinglist.Step{Items: []int{3, 4, 5}, Before: true, Report: inexact}},
		"the cursor's item was followed":  {change: toEnd, second: changinglist.Step{}, want: "[3 4 5] are not returned"},
		"the mover is repeated":           {change: toEnd, second: changinglist.Step{Items: []int{3, 4, 5, 2}, Before: true}, want: "2 is repeated from step 0, and no response reports it"},
		"the mover is repeated, reported": {change: toEnd, second: changinglist.Step{Items: []int{3, 4, 5, 2}, Before: true, Report: inexact}},
		"more items without items":        {change: still, second: changinglist.Step{More: true}, want: "no item is returned, but more are announced"},
		"no more items at the end":        {change: still, second: changinglist.Step{Items: []int{3, 4, 5}, More: true, Before: true}, want: "more items are announced after the last one"},
		"more items are not announced":    {change: still, second: changinglist.Step{Items: []int{3, 4}, Before: true}, want: "no more items are announced, but 5 follows"},
		"the other side":                  {change: still, second: changinglist.Step{Items: []int{3, 4, 5}}, want: "the flag about items on the other side: got false, want true"},
		"a report of what did not happen": {change: remove, second: changinglist.Step{Items: []int{3, 5}, Before: true, Report: changinglist.Report{Present: true, Exact: true, Removed: 2}}, want: "want at most 0 inserted and 1 removed"},
		"up to the stop":                  {change: still, stop: 5, second: changinglist.Step{Items: []int{3, 4}, Before: true}},
		"past the stop":                   {change: still, stop: 4, second: changinglist.Step{Items: []int{3, 4}, Before: true}, want: "4 is returned, which is not before the walk's end"},
		"more items after the stop":       {change: still, stop: 5, second: changinglist.Step{Items: []int{3, 4}, Before: true, More: true}, want: "more items are announced after the last one"},
		"a skipped item before the stop":  {change: still, stop: 5, second: changinglist.Step{Items: []int{3}, Before: true}, want: "no more items are announced, but 4 follows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := changinglist.New(6)
			h := changinglist.NewHistory(l)
			tt.change.Apply(l)
			h.Save()
			first := changinglist.Span{}
			w := changinglist.Walk{History: h}
			if tt.stop > 0 {
				w.Stop = &changinglist.Mark{Near: []int{tt.stop}, Seen: first}
			}
			second := tt.second
			if second.Seen == first {
				second.Seen = changinglist.Span{Lo: 1, Hi: 1}
			}
			second.Cursor = &changinglist.Mark{Near: []int{2, 1, 0}, Seen: first}
			w.Steps = []changinglist.Step{{Items: []int{0, 1, 2}, More: true, Seen: first}, second}
			faults := strings.Join(w.Faults(), "; ")
			if !strings.Contains(faults, tt.want) || tt.want == "" && faults != "" {
				t.Errorf("got %q, want %q", faults, tt.want)
			}
		})
	}
}
