package fair_test

import (
	"slices"

	"cvmgraph/internal/fair"
)

// oracle computes who has a unit from the list of all requests, without any other state.
type oracle struct {
	fair.Options
	requests []*request // in the order of their arrival, without the ended ones
}

// request is a request for a unit.
type request struct {
	fair.Caller
	held, extra, rejected bool
}

func (o *oracle) count(include func(*request) bool) int {
	n := 0
	for _, r := range o.requests {
		if include(r) {
			n++
		}
	}
	return n
}

func held(r *request) bool { return r.held }

func waiting(r *request) bool { return !r.held }

// callers returns the distinct callers of one kind.
func (o *oracle) callers(known bool) []fair.Caller {
	var all []fair.Caller
	for _, r := range o.requests {
		if r.Known == known && !slices.Contains(all, r.Caller) {
			all = append(all, r.Caller)
		}
	}
	return all
}

func (o *oracle) heldBy(c fair.Caller) int {
	return o.count(func(r *request) bool { return r.held && r.Caller == c })
}

// share returns the share of a caller that has a request.
func (o *oracle) share(c fair.Caller) int {
	known, strangers := len(o.callers(true)), len(o.callers(false))
	switch {
	case strangers == 0:
		return o.Max(0) / known
	case c.Known:
		return o.Max(0) / (known + 1)
	}
	return o.Max(0) / (known + 1) / strangers
}

// mayExceed reports whether the caller may have one more unit beyond the maximum.
func (o *oracle) mayExceed(c fair.Caller) bool {
	within := 0
	for _, other := range append(o.callers(true), o.callers(false)...) {
		within += min(o.heldBy(other), o.share(other))
	}
	ofStrangers := o.count(func(r *request) bool { return r.extra && !r.Known })
	return within < o.Max(0) && o.count(held) < o.Max(0)+o.Extra && (c.Known || ofStrangers < o.StrangersExtra) &&
		o.heldBy(c) < min(o.share(c), o.Reserve)
}

// group returns the number of requests of a known caller, or of all strangers.
func (o *oracle) group(c fair.Caller, include func(*request) bool) int {
	return o.count(func(r *request) bool { return include(r) && r.Known == c.Known && (!c.Known || r.Caller == c) })
}

// settle gives units to waiting requests, and returns a rejected one, if any.
func (o *oracle) settle() {
	for {
		extra := o.count(held) >= o.Max(0)
		var next *request
		for _, r := range o.requests {
			if r.held || extra && !o.mayExceed(r.Caller) {
				continue
			}
			if next == nil || o.group(r.Caller, held) < o.group(next.Caller, held) ||
				o.group(r.Caller, held) == o.group(next.Caller, held) && o.heldBy(r.Caller) < o.heldBy(next.Caller) {
				next = r
			}
		}
		if next == nil {
			return
		}
		next.held, next.extra = true, extra
	}
}

// request adds a request.
func (o *oracle) request(c fair.Caller) *request {
	added := &request{Caller: c}
	o.requests = append(o.requests, added)
	o.settle()
	if o.Queue > 0 && o.count(waiting) > o.Queue*o.Max(0) {
		o.rejectHeaviest()
		o.settle() // the shares have changed
	}
	return added
}

// rejectHeaviest rejects the last request of the heaviest caller.
func (o *oracle) rejectHeaviest() {
	var last *request
	heavier := func(a, b *request) bool {
		mine := func(c fair.Caller) int {
			return o.count(func(r *request) bool { return !r.held && r.Caller == c })
		}
		x, y := o.group(a.Caller, waiting), o.group(b.Caller, waiting)
		switch {
		case x != y:
			return x > y
		case a.Known != b.Known:
			return b.Known
		}
		return mine(a.Caller) >= mine(b.Caller) // a is later
	}
	for _, r := range o.requests {
		if !r.held && (last == nil || heavier(r, last)) {
			last = r
		}
	}
	last.rejected = true
	o.requests = slices.DeleteFunc(o.requests, func(r *request) bool { return r == last })
}

// end ends a request, whether it waits or has a unit.
func (o *oracle) end(ended *request) {
	o.requests = slices.DeleteFunc(o.requests, func(r *request) bool { return r == ended })
	o.settle()
}
