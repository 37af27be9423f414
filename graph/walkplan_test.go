package graph_test

import (
	"fmt"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"cvmgraph/internal/testing/changinglist"
	"cvmgraph/restclient"
)

// walkKind is a kind of walk along a list.
type walkKind int

const (
	walkForward         walkKind = iota // from the front to the end
	walkBackward                        // from the end to the front
	walkTurn                            // some steps from one end, then back to it
	walkOutward                         // from the middle to both ends, alternately
	walkBounded                         // forward between two cursors
	walkBoundedBackward                 // backward between two cursors
)

// walkPlan is all that a walk depends on.
type walkPlan struct {
	shape restclient.Shape // of the items; set by the walkers
	kind  walkKind
	ttl   time.Duration
	size  int // of the list at first
	// every is how many items there are for one without a VM; 0 if all have one.
	every int
	alike bool // the items without a VM differ only in their order
	// notFound makes the upstream respond with the status 404 to requests of pages after the end.
	notFound bool
	// reverse exchanges the ends of the list, or the cursors of a bounded walk.
	reverse bool
	// pick and stop are the indexes, in their windows, of the cursors at which a leg begins and
	// ends.
	pick, stop int
	turnAfter  int  // steps
	newWindow  bool // the cursors of a bounded walk are from two windows
	fromEnd    bool // a bounded walk has only the cursor of its end
	lookUp     bool // all items are looked up by id after the walk
	steps      []walkStep
}

// walkStep is one step of a walk, and what happens before it.
type walkStep struct {
	changes []walkChange
	wait    time.Duration
	others  []walkOther // other requests
	count   int
	noCache bool
	back    bool         // an outward walk makes the step backward
	within  []walkChange // changes after the upstream calls of the step
}

// walkChange is a change of the list. If near is true, its position is relative to the item of the
// walk's last cursor: nearCursor is the item itself.
type walkChange struct {
	changinglist.Change
	near bool
}

const nearCursor = 8

// walkOther is a request between two steps.
type walkOther struct {
	kind    otherKind
	changes []walkChange
	wait    time.Duration
	count   int // of a window; the item of a lookup
	noCache bool
}

type otherKind int

const (
	otherFirst otherKind = iota
	otherLast
	otherLookup
)

func walkTTLs() []time.Duration { return []time.Duration{0, 2 * time.Second, 30 * time.Second} }

func (p *walkPlan) provisional(item int) bool { return p.every > 0 && item%p.every == 0 }

func vmID(item int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", item) }

// appendItem appends the JSON of an item, whose vcpu is its number.
func (p *walkPlan) appendItem(dst []byte, item int) []byte {
	switch flat := p.shape == restclient.ShapeFlat; {
	case flat && p.provisional(item):
		dst = append(dst, `{"vm_uuid":null,`...)
		if !p.alike {
			dst = fmt.Appendf(dst, `"id":"cvm_%d",`, item)
		}
		return fmt.Appendf(dst, `"resource":{"vcpu":%d}}`, item)
	case flat:
		return fmt.Appendf(dst, `{"vm_uuid":%q,"resource":{"vcpu":%d}}`, vmID(item), item)
	case p.provisional(item):
		dst = append(dst, `{"hosted":null,"name":"cvm-`...)
		if !p.alike {
			dst = strconv.AppendInt(dst, int64(item), 10)
		}
		dst = append(dst, `","vcpu":`...)
	default:
		dst = append(dst, `{"hosted":{"id":"00000000-0000-4000-8000-`...)
		dst = fmt.Appendf(dst, "%012d", item)
		dst = append(dst, `"},"vcpu":`...)
	}
	return append(strconv.AppendInt(dst, int64(item), 10), '}')
}

// planner draws a plan from rapid: always the same one for a seed.
type planner struct{ t *rapid.T }

// oneOf draws one of the values. The first one is the simplest.
func (d planner) oneOf(label string, values ...int) int {
	return rapid.SampledFrom(values).Draw(d.t, label)
}

func (d planner) between(label string, lo, hi int) int {
	return rapid.IntRange(lo, hi).Draw(d.t, label)
}

func (d planner) half(label string) bool { return d.oneOf(label, 0, 1) == 1 }

func (d planner) seldom(label string) bool { return d.oneOf(label, 0, 0, 0, 0, 0, 0, 0, 1) == 1 }

func (d planner) few(label string) int { return d.oneOf(label, 0, 0, 1, 1, 1, 2, 2, 3) }

// pageSize draws the argument first or last.
func (d planner) pageSize() int { return d.oneOf("page size", 10, 1, 2, 3, 5, 10, 30, 50, 101, 150) }

func (d planner) wait() time.Duration {
	return time.Duration(d.oneOf("wait", 1, 1, 300, 1_000, 3_000, 25_000, 40_000)) * time.Millisecond
}

// plan draws a plan.
func (d planner) plan() walkPlan {
	p := walkPlan{
		kind:      walkKind(d.between("kind", int(walkForward), int(walkBoundedBackward))),
		ttl:       walkTTLs()[d.oneOf("ttl", 0, 1, 2)],
		size:      d.oneOf("size", 12, 0, 1, 2, 5, 15, 22, 25, 31, 40, 40, 60, 60, 61, 80, 100, 101, 120, 120),
		reverse:   d.half("reverse"),
		pick:      d.between("pick", 0, 49),
		stop:      d.between("stop", 0, 49),
		turnAfter: d.few("turn after"),
		newWindow: d.half("new window"),
		fromEnd:   d.seldom("from end"),
		notFound:  d.seldom("not found"),
	}
	if d.seldom("provisional") {
		p.every, p.alike = 3, d.half("alike")
	}
	reorder, within, changingSizes := d.half("reorder"), d.seldom("within"), d.seldom("changing sizes")
	size := d.pageSize()
	for range d.between("steps", 1, 10) {
		if changingSizes {
			size = d.pageSize()
		}
		s := walkStep{
			changes: d.changes(reorder), wait: d.wait(), count: size, noCache: d.seldom("no cache"), back: d.half("back"),
		}
		if d.seldom("others") {
			for range d.few("others") {
				s.others = append(s.others, walkOther{
					kind: otherKind(d.oneOf("other", int(otherFirst), int(otherLast), int(otherLookup))), changes: d.changes(reorder),
					wait: d.wait(), count: d.between("other count", 0, 150), noCache: d.half("other no cache"),
				})
			}
		}
		if within {
			s.within = d.changes(reorder)
		}
		p.steps = append(p.steps, s)
	}
	return p
}

// changes draws a few changes. Half of them are near the cursor.
func (d planner) changes(reorder bool) []walkChange {
	changes := make([]walkChange, d.few("changes"))
	last := changinglist.MoveToFront - 1
	if reorder {
		last = changinglist.MoveBy
	}
	for i := range changes {
		c := &changes[i]
		c.Kind = changinglist.ChangeKind(d.between("change", int(changinglist.Insert), int(last)))
		if c.near = d.half("near"); c.near {
			c.At = nearCursor + d.oneOf("at", 0, 0, 0, -1, -1, 1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6, -8, 8)
		} else {
			c.At = d.between("at", 0, 150)
		}
		if c.Kind == changinglist.MoveBy {
			c.By = d.oneOf("places", 1, -1, 2, -2, 5, -5, 12, -12, 40, -40)
		} else {
			c.By = d.oneOf("run", 1, 2, 3, 5, 8, 12, 20, 30)
		}
	}
	return changes
}
