package graph_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cvmgraph/internal/testing/changinglist"
)

// clientWalk is one client's walk along a list.
type clientWalk struct {
	plan       walkPlan
	handler    http.Handler
	credential string
	list       *changinglist.List
	history    *changinglist.History

	mu      sync.Mutex
	within  []walkChange // the changes between the calls of the current request
	fetched []fetchedPage
	// fresh is the version that all later responses must show at least, after one without caches.
	fresh int

	cursorItem int            // the item of the last cursor; -1 for none
	ids        map[int]string // of the items that the client got
	faults     []string
	log        strings.Builder
	// moved reports that items moved, and unsteady that the promises of a leg did not hold
	// throughout.
	moved, unsteady bool
}

func newClientWalk(plan walkPlan, handler http.Handler, credential string) *clientWalk {
	w := &clientWalk{plan: plan, handler: handler, credential: credential, list: changinglist.New(plan.size), cursorItem: -1, ids: make(map[int]string)}
	w.history = changinglist.NewHistory(w.list)
	fmt.Fprintf(&w.log, "%d items, ttl %v, one of %d without a VM, alike %t\n", plan.size, plan.ttl, plan.every, plan.alike)
	return w
}

func (w *clientWalk) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
	fmt.Fprintf(&w.log, "FAULT "+format+"\n", args...)
}

// other sends a request between two steps.
func (w *clientWalk) other(ctx context.Context, o *walkOther) {
	for _, change := range o.changes {
		w.change(change)
	}
	pass(o.wait)
	if o.kind == otherLookup {
		w.lookup(ctx, o)
		return
	}
	l := w.newLeg(o.kind == otherLast, o.kind == otherLast, nil, nil)
	cursorItem := w.cursorItem
	w.step(ctx, l, &walkStep{count: max(o.count, 1), noCache: o.noCache})
	w.cursorItem = cursorItem
	w.check("another request", l)
}

// leg is a part of a walk in one direction.
type leg struct {
	backward bool
	fromBack bool // uses last, else first
	at, stop *walkCursor
	done     bool
	checked  changinglist.Walk
	returned []int
	last     walkResponse
}

func (w *clientWalk) newLeg(backward, fromBack bool, at, stop *walkCursor) *leg {
	l := &leg{backward: backward, fromBack: fromBack, at: at, stop: stop}
	l.checked = changinglist.Walk{History: w.history, Backward: backward}
	if stop != nil {
		l.checked.Stop = stop.Mark
	}
	return l
}

// step makes one step of a leg.
func (w *clientWalk) step(ctx context.Context, l *leg, s *walkStep) {
	r := walkRequest{count: s.count, fromBack: l.fromBack, after: l.at, before: l.stop, noCache: s.noCache}
	if l.backward {
		r.after, r.before = r.before, r.after
	}
	response, ok := w.send(ctx, r)
	if !ok {
		l.done = true
		return
	}
	l.last = response
	items := slices.Clone(response.items)
	step := changinglist.Step{Seen: response.seen, More: response.hasNext, Before: response.hasPrev, Report: response.report, Items: items}
	end := len(items) - 1
	if l.backward {
		slices.Reverse(items)
		step.More, step.Before, end = step.Before, step.More, 0
	}
	if l.at != nil {
		step.Cursor = l.at.Mark
	}
	l.checked.Steps = append(l.checked.Steps, step)
	if len(items) > 0 {
		l.at = response.cursor(end, l.backward, l.returned)
		w.cursorItem = l.at.Item()
	}
	l.returned = append(l.returned, items...)
	l.done = !step.More || len(items) == 0
}

// check reports the faults of a leg.
func (w *clientWalk) check(name string, l *leg) {
	for _, fault := range l.checked.Faults() {
		w.fault("%s: %s", name, fault)
	}
	w.unsteady = w.unsteady || !l.checked.Steady()
}

// maxSteps is the maximum number of steps of a walk of a list that stops changing.
const maxSteps = 400

// advance makes what the plan has before step number n, and returns the step.
func (w *clientWalk) advance(ctx context.Context, n int) *walkStep {
	if n >= len(w.plan.steps) {
		pass(time.Millisecond)
		return &walkStep{count: w.plan.steps[len(w.plan.steps)-1].count}
	}
	s := &w.plan.steps[n]
	for _, change := range s.changes {
		w.change(change)
	}
	pass(s.wait)
	for _, other := range s.others {
		w.other(ctx, &other)
	}
	w.within = s.within
	return s
}

func (w *clientWalk) run(ctx context.Context) {
	switch w.plan.kind {
	case walkForward, walkBackward:
		w.walkLeg(ctx, w.newLeg(w.plan.kind == walkBackward, w.plan.kind == walkBackward, nil, nil), 0, math.MaxInt)
	case walkTurn:
		w.runTurn(ctx)
	case walkOutward:
		w.runOutward(ctx)
	case walkBounded, walkBoundedBackward:
		w.runBounded(ctx)
	}
	if w.plan.lookUp {
		w.lookUpNodes(ctx)
	}
}

// walkLeg makes the steps of a leg up to a number, and returns the number of the next one.
func (w *clientWalk) walkLeg(ctx context.Context, l *leg, n, end int) int {
	begin := n
	for ; !l.done && n < end; n++ {
		if n > begin+maxSteps {
			w.fault("the walk does not end")
			break
		}
		w.step(ctx, l, w.advance(ctx, n))
	}
	w.check(fmt.Sprintf("leg from step %d", begin), l)
	return n
}

// runTurn walks in one direction for some steps, and then back to the list's other end.
func (w *clientWalk) runTurn(ctx context.Context) {
	first := w.newLeg(w.plan.reverse, w.plan.reverse, nil, nil)
	n := w.walkLeg(ctx, first, 0, 1+w.plan.turnAfter)
	if len(first.last.items) == 0 {
		return
	}
	at := w.plan.pick % len(first.last.items)
	back := w.newLeg(!w.plan.reverse, !w.plan.reverse, first.last.cursor(at, !w.plan.reverse, nil), nil)
	w.walkLeg(ctx, back, n, math.MaxInt)
}

// runOutward walks from a cursor in both directions, alternately.
func (w *clientWalk) runOutward(ctx context.Context) {
	begin := w.newLeg(w.plan.reverse, w.plan.reverse, nil, nil)
	n := w.walkLeg(ctx, begin, 0, 1)
	if len(begin.last.items) == 0 {
		return
	}
	at := w.plan.pick % len(begin.last.items)
	legs := []*leg{
		w.newLeg(false, false, begin.last.cursor(at, false, nil), nil),
		w.newLeg(true, true, begin.last.cursor(at, true, nil), nil),
	}
	for ; !legs[0].done || !legs[1].done; n++ {
		if n > 2*maxSteps {
			w.fault("the walk does not end")
			break
		}
		s := w.advance(ctx, n)
		l := legs[0]
		if s.back && !legs[1].done || l.done {
			l = legs[1]
		}
		w.step(ctx, l, s)
	}
	w.check("forward leg", legs[0])
	w.check("backward leg", legs[1])
}

// runBounded walks between two cursors of one window or of two.
func (w *clientWalk) runBounded(ctx context.Context) {
	first := w.newLeg(false, false, nil, nil)
	n := w.walkLeg(ctx, first, 0, 1)
	second := first
	if w.plan.newWindow {
		second = w.newLeg(false, false, nil, nil)
		n = w.walkLeg(ctx, second, n, n+1)
	}
	if w.plan.reverse {
		first, second = second, first
	}
	if len(first.last.items) == 0 || len(second.last.items) == 0 {
		return
	}
	backward := w.plan.kind == walkBoundedBackward
	start, stop := w.plan.pick%len(first.last.items), w.plan.stop%len(second.last.items)
	if !w.plan.newWindow && start > stop != backward {
		start, stop = stop, start
	}
	at := first.last.cursor(start, backward, nil)
	if w.plan.fromEnd {
		at = nil
	}
	w.walkLeg(ctx, w.newLeg(backward, backward, at, second.last.stopCursor(stop)), n, math.MaxInt)
}
