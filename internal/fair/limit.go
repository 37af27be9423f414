// Package fair protects the callers of an upstream from each other: a [Limit] shares a limited
// number of units between them, such as calls in flight, and a [Breaker] stops all calls only if
// several callers fail.
package fair

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrOverload is returned to a caller that does not get a unit: too many callers are waiting, or it
// has waited too long.
var ErrOverload = errors.New("too many units are in use")

// Caller is one that uses units. Callers that are not known are strangers. Anyone can invent any
// number of strangers, so all of them together get the share of one known caller.
type Caller struct {
	Key   uint64
	Known bool
}

// Options configures a [Limit].
type Options struct {
	// Max returns the maximum number of units in use, at least 1. It is called with their current
	// number, while the limit is locked.
	Max func(inUse int) int
	// Reserve is the number of units that a caller gets beyond Max, at most its share, if others
	// use more than their shares. Extra is the maximum number of these units of all callers, and
	// StrangersExtra that of all strangers.
	Reserve, Extra, StrangersExtra int
	// Queue is the maximum number of waiting calls, as a multiple of Max. If 0, there is no
	// maximum.
	Queue int
}

// Limit limits the number of units in use. It is safe for concurrent use.
//
// A caller's share is an equal part of the maximum, among the callers that use or want units. A
// caller may use more than its share, and keeps it, but what it uses beyond its share does not
// count against a caller that uses less than its own: the latter gets some units beyond the
// maximum. A unit that becomes free is for the waiting caller that uses the fewest. If too many
// calls wait, the caller with most of them loses its last one.
type Limit struct {
	options Options

	mu      sync.Mutex
	members map[uint64]*member // callers that use or want units
	list    []*member          // the same members, because a map is slow to walk
	total   usage              // of all members
	// strangers is the usage of the members that are not known.
	strangers usage
	arrivals  uint64
	unused    []*member // for later callers
}

// usage is the usage of some members. Units beyond the maximum are in inUse and extra.
type usage struct{ members, inUse, extra, waiting int }

func (u *usage) add(other usage, sign int) {
	u.members += sign * other.members
	u.inUse += sign * other.inUse
	u.extra += sign * other.extra
	u.waiting += sign * other.waiting
}

// member is a caller that uses or wants units.
type member struct {
	Caller
	usage

	index int       // in Limit.list
	queue []*waiter // in the order of their arrival
}

// waiter is a call that waits for a unit. Its other fields are set before done is closed.
type waiter struct {
	arrival uint64
	done    chan struct{}
	unit    Unit
	err     error
}

// Unit is a unit in use.
type Unit struct {
	limit  *Limit
	member *member
	kind   usage // what the unit adds to its member's usage
}

// NewLimit returns a limit without units in use.
func NewLimit(options Options) *Limit {
	return &Limit{options: options, members: make(map[uint64]*member)}
}

// State returns the numbers of units in use and of waiting calls.
func (l *Limit) State() (inUse, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total.inUse, l.total.waiting
}

// Release ends the use of the unit. It must be called once.
func (u Unit) Release() {
	l := u.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	l.change(u.member, u.kind, -1)
	l.leave(u.member)
	l.dispatch()
}

// TryAcquire returns a unit, unless the caller would have to wait for it.
func (l *Limit) TryAcquire(c Caller) (Unit, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.enter(c)
	limit := l.options.Max(l.total.inUse)
	switch {
	case l.total.waiting == 0 && l.total.inUse < limit:
		return l.take(m, false), true
	case m.waiting == 0 && l.shares(limit).allow(m):
		return l.take(m, true), true
	}
	l.leave(m)
	return Unit{}, false
}

// Acquire waits for a unit. It returns [ErrOverload], or the error of ctx if that ends first. If
// longest is 0, only ctx limits the wait.
func (l *Limit) Acquire(ctx context.Context, c Caller, longest time.Duration) (Unit, error) {
	l.mu.Lock()
	m := l.enter(c)
	if l.total.waiting == 0 && l.total.inUse < l.options.Max(l.total.inUse) {
		defer l.mu.Unlock()
		return l.take(m, false), nil
	}
	w := l.enqueue(m)
	l.mu.Unlock()

	var late <-chan time.Time
	if longest > 0 {
		timer := time.NewTimer(longest)
		defer timer.Stop()
		late = timer.C
	}
	err := ErrOverload
	select {
	case <-w.done:
		return w.unit, w.err
	case <-late:
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(m.queue, w); i >= 0 {
		l.reject(m, i, err)
	}
	return w.unit, w.err // a unit, if it became free at the same moment
}

// enter returns the member of a caller. The caller of this method and of the following ones holds
// the lock.
func (l *Limit) enter(c Caller) *member {
	m := l.members[c.Key]
	switch {
	case m == nil:
		if last := len(l.unused) - 1; last >= 0 {
			m, l.unused = l.unused[last], l.unused[:last]
		} else {
			m = &member{}
		}
		m.Caller = c
		l.members[c.Key], m.index = m, len(l.list)
		l.list = append(l.list, m)
		l.change(m, usage{members: 1}, 1)
	case m.Known != c.Known:
		usage := m.usage
		l.change(m, usage, -1)
		m.Known = c.Known
		l.change(m, usage, 1)
	}
	return m
}

// leave removes a member that neither uses nor wants a unit.
func (l *Limit) leave(m *member) {
	const maxUnused = 64
	if m.inUse > 0 || m.waiting > 0 {
		return
	}
	l.change(m, usage{members: 1}, -1)
	delete(l.members, m.Key)
	last := l.list[len(l.list)-1]
	l.list[m.index], last.index = last, m.index
	l.list = l.list[:len(l.list)-1]
	if len(l.unused) < maxUnused {
		l.unused = append(l.unused, m)
	}
}

// change adds to the usage of a member, or subtracts from it if sign is -1.
func (l *Limit) change(m *member, by usage, sign int) {
	m.add(by, sign)
	l.total.add(by, sign)
	if !m.Known {
		l.strangers.add(by, sign)
	}
}

// take gives a unit to a member.
func (l *Limit) take(m *member, extra bool) Unit {
	kind := usage{inUse: 1}
	if extra {
		kind.extra = 1
	}
	l.change(m, kind, 1)
	return Unit{l, m, kind}
}

// enqueue adds a waiter, which may get a unit at once. If there are too many waiters, one of them
// is rejected.
func (l *Limit) enqueue(m *member) *waiter {
	l.arrivals++
	w := &waiter{arrival: l.arrivals, done: make(chan struct{})}
	m.queue = append(m.queue, w)
	l.change(m, usage{waiting: 1}, 1)
	l.dispatch()
	if l.options.Queue > 0 && l.total.waiting > l.options.Queue*l.options.Max(l.total.inUse) {
		heaviest := l.heaviest()
		l.reject(heaviest, len(heaviest.queue)-1, ErrOverload)
	}
	return w
}

// dispatch gives units to waiters.
func (l *Limit) dispatch() {
	for l.total.waiting > 0 {
		limit := l.options.Max(l.total.inUse)
		extra := l.total.inUse >= limit
		var next *member
		if extra {
			next = l.next(l.shares(limit).allow)
		} else {
			next = l.next(func(*member) bool { return true })
		}
		if next == nil {
			return
		}
		w := l.dequeue(next, 0)
		w.unit = l.take(next, extra)
		close(w.done)
	}
}

// reject removes a waiter, which gets an error.
func (l *Limit) reject(m *member, index int, err error) {
	w := l.dequeue(m, index)
	w.err = err
	close(w.done)
	l.leave(m)
	l.dispatch() // the shares have changed
}

func (l *Limit) dequeue(m *member, index int) *waiter {
	w := m.queue[index]
	m.queue = slices.Delete(m.queue, index, index+1)
	l.change(m, usage{waiting: 1}, -1)
	return w
}
