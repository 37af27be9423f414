package fair

// shares are the shares of all members, at a moment.
type shares struct {
	known, stranger int // of one member of each kind
	// full reports that no member may use more units than its share, because the units within the
	// shares, or those beyond the maximum, are all in use.
	full bool

	reserve       int
	strangersFull bool // the same as full, for strangers
}

// shares returns the shares for a maximum.
func (l *Limit) shares(limit int) shares {
	o, s := &l.options, shares{}
	callers := l.total.members - l.strangers.members
	if l.strangers.members > 0 {
		s.stranger = limit / (callers + 1) / l.strangers.members
		callers++
	}
	s.known = limit / max(callers, 1)
	s.reserve = o.Reserve
	s.strangersFull = l.strangers.extra >= o.StrangersExtra
	if s.full = l.total.inUse >= limit+o.Extra; s.full {
		return s
	}
	within := 0 // units in use within the shares
	for _, m := range l.list {
		within += min(m.inUse, s.of(m))
	}
	s.full = within >= limit
	return s
}

func (s shares) of(m *member) int {
	if m.Known {
		return s.known
	}
	return s.stranger
}

// allow reports whether the member may use another unit beyond the maximum.
func (s shares) allow(m *member) bool {
	return !s.full && (m.Known || !s.strangersFull) && m.inUse < min(s.of(m), s.reserve)
}

// next returns the member that gets the next unit, among the waiting members that are eligible: the
// one that uses the fewest. Strangers are compared with others by what all of them use. It returns
// nil if there is none.
func (l *Limit) next(eligible func(*member) bool) *member {
	var first *member
	for _, m := range l.list {
		if m.waiting > 0 && eligible(m) && (first == nil || l.before(m, first)) {
			first = m
		}
	}
	return first
}

func (l *Limit) before(a, b *member) bool {
	if x, y := l.group(a).inUse, l.group(b).inUse; x != y {
		return x < y
	}
	if a.inUse != b.inUse {
		return a.inUse < b.inUse
	}
	return a.queue[0].arrival < b.queue[0].arrival
}

// heaviest returns the member with most waiters, which is a stranger if the strangers together have
// as many as any other member.
func (l *Limit) heaviest() *member {
	var first *member
	for _, m := range l.list {
		if m.waiting > 0 && (first == nil || l.heavier(m, first)) {
			first = m
		}
	}
	return first
}

func (l *Limit) heavier(a, b *member) bool {
	if x, y := l.group(a).waiting, l.group(b).waiting; x != y {
		return x > y
	}
	if a.Known != b.Known {
		return b.Known
	}
	if a.waiting != b.waiting {
		return a.waiting > b.waiting
	}
	return a.queue[len(a.queue)-1].arrival > b.queue[len(b.queue)-1].arrival
}

// group returns the usage of a known member, or of all strangers.
func (l *Limit) group(m *member) usage {
	if m.Known {
		return m.usage
	}
	return l.strangers
}
