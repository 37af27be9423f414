package relay

import "slices"

// Reason is why pages are loaded.
type Reason string

// The reasons.
const (
	ReasonWindow  Reason = "window"  // the window's items, and those of its cursors
	ReasonTotal   Reason = "total"   // the size of the list
	ReasonSeam    Reason = "seam"    // the list changed between two pages of a window
	ReasonRealign Reason = "realign" // a cursor's item is not at its position
	ReasonScan    Reason = "scan"    // nothing that a cursor remembers is near its position
	ReasonLookup  Reason = "lookup"  // an object is looked up by its id
)

// searches reports whether pages are loaded to find a cursor's place.
func (r Reason) searches() bool { return r == ReasonRealign || r == ReasonScan }

// Limits on the calls that one window may need beyond its own pages.
const (
	// maxSearchCalls is how many calls a search for a cursor's item may make.
	maxSearchCalls = 12
	// maxSeamCalls is how many calls the repair of seams between pages may make.
	maxSeamCalls = 8
	// endSlack is how far after the last known end of a growing list its end is searched, in
	// positions.
	endSlack = 10
	// seamSlack is how far around a seam its item is searched, in positions; each retry adds as
	// much.
	seamSlack = 8
	// maxRequested is how many positions are requested at a time, whatever total the upstream
	// reports.
	maxRequested = 12_000
	// maxRetries is how often the repair of a seam, of the list's end or of a search is tried.
	maxRetries = 3
	// maxRounds is how often pages may be requested.
	maxRounds = 16
)

// Assembler assembles a window from pages. It decides which pages of the list are loaded, the first
// ones and all later ones: call [Assembler.Next], load its pages, pass them to [Assembler.Add], and
// repeat until Next returns no pages. Then [Assembler.Result] returns the window. An Assembler does
// no I/O and is not safe for concurrent use.
type Assembler struct {
	window Window
	plan   *ListPlan
	widest int // the largest count of the windows that share pages with this one
	pages  snapshots

	windowCalls int // calls left for the window's own pages
	searchCalls int // calls left to search for the items of cursors
	seamCalls   int // calls left to repair seams
	endCalls    int // how often the end of the list was requested in vain
	rounds      int
	retries     int  // of the traversal from one place
	bestEffort  bool // use the pages that there are and request no more
	restarted   bool
	// outdated are the pages that have a traversal's first item but join no other page. Later
	// traversals do not begin in them.
	outdated map[int]bool
	result   *Result
}

// NewAssembler returns an assembler of w. The plan has the operation's other windows of the list,
// and w itself; nil if there are none.
func NewAssembler(w Window, plan *ListPlan) *Assembler {
	return &Assembler{
		window: w, plan: plan, widest: plan.widest(w),
		windowCalls: 2*(w.Count/(MaxPageSize-10)) + 8, searchCalls: maxSearchCalls, seamCalls: maxSeamCalls,
	}
}

// NewListAssembler returns an assembler of a whole list, whose last known total is given.
func NewListAssembler(total int) *Assembler {
	return NewAssembler(Window{Count: total + maxPosition/2}, nil)
}

// PageSet is a set of pages to load.
type PageSet struct {
	// Pages is empty once the result is complete. A page that the assembler has already is to be
	// loaded again.
	Pages  []PageRef
	Reason Reason
	// Restart reports that the assembler has dropped all of its pages. The caller drops them as
	// well and accepts no page that was cached before now.
	Restart bool
}

// Add adds pages of the list, requested or not.
func (asm *Assembler) Add(pages ...PageSnapshot) { asm.pages = append(asm.pages, pages...) }

// Next returns the pages to load next. Only the first call uses cached, the pages of the list that
// need no upstream call.
//
// The first pages are cached ones if they hold all that the window needs first, else those that the
// plan has for it, else the cheapest cover. All later pages are those that the assembler lacks
// after it has aligned the window's cursors with the pages that it has.
func (asm *Assembler) Next(cached []CachedPage) PageSet {
	if len(asm.pages) == 0 {
		pages, reason := asm.plan.firstPages(asm.window, cached)
		return PageSet{Pages: pages, Reason: reason}
	}
	if asm.window.TotalOnly {
		asm.result = &Result{Total: asm.pages[len(asm.pages)-1].reported(), pages: asm.pages}
		return PageSet{}
	}
	result, pages, reason := asm.assemble()
	if asm.rounds++; len(pages) > 0 && (asm.rounds > maxRounds || !asm.allowed(len(pages), reason)) {
		asm.bestEffort = true
		result, pages, reason = asm.assemble()
	}
	if result == nil && len(pages) == 0 && !asm.bestEffort {
		// No two pages join. The result is made of what they have, and does not claim to be exact.
		asm.bestEffort = true
		clear(asm.outdated)
		result, pages, reason = asm.assemble()
	}
	cachedPage := func(s PageSnapshot) bool { return s.Cached }
	if reason.searches() && !asm.restarted && slices.ContainsFunc(asm.pages, cachedPage) {
		return asm.restart()
	}
	asm.result = result
	return PageSet{Pages: pages, Reason: reason}
}

// restart starts again without cached pages: they are of different moments, between which an item
// can move from one page to another, so that a search would miss it.
func (asm *Assembler) restart() PageSet {
	widest := asm.widest
	*asm = *NewAssembler(asm.window, nil)
	asm.widest, asm.restarted = widest, true
	next := asm.Next(nil)
	next.Restart = true
	return next
}

// allowed deducts calls from the budget of their reason, and reports whether it suffices.
func (asm *Assembler) allowed(calls int, reason Reason) bool {
	switch reason {
	case ReasonRealign, ReasonScan:
		asm.searchCalls -= calls
		return asm.searchCalls >= 0
	case ReasonSeam:
		asm.seamCalls -= calls
		return asm.seamCalls >= 0
	case ReasonWindow, ReasonTotal, ReasonLookup:
		asm.windowCalls -= calls
	}
	return asm.windowCalls >= 0
}

// Result returns the window. It is nil as long as the last [Assembler.Next] returned pages, and if
// the list changes too fast to be assembled.
func (asm *Assembler) Result() *Result { return asm.result }

// position returns the position in the list of the item after a boundary.
func (asm *Assembler) position(b boundary) int { return asm.pages.position(b) }

// total returns the number of items in the list according to the page added last.
func (asm *Assembler) total() int { return asm.pages[len(asm.pages)-1].Total }

// missing returns pages for the parts of the ranges that no page has yet. They overlap the pages
// that there are by one position.
func (asm *Assembler) missing(ranges ...Range) []PageRef { return CoverAll(asm.open(ranges...)) }

// open returns the parts of the ranges that no page has yet, extended by one position on either
// side.
func (asm *Assembler) open(ranges ...Range) []Range {
	loaded := make([]Range, len(asm.pages))
	for i, page := range asm.pages {
		loaded[i] = Range{page.start(), page.end()}
	}
	var open []Range
	for _, w := range ranges {
		w = Range{max(w.Lo, 0), min(w.Hi, asm.total(), max(w.Lo, 0)+maxRequested)}
		for _, gap := range gaps(w, loaded) {
			open = append(open, Range{max(gap.Lo-1, w.Lo), min(gap.Hi+1, w.Hi)})
		}
	}
	return open
}

// overlapping returns the pages that have a position of the range.
func overlapping(pages []PageRef, needed Range) []PageRef {
	return slices.DeleteFunc(pages, func(p PageRef) bool { return !p.Range().Overlaps(needed) })
}

// assemble assembles the result from the pages that there are. If they do not suffice, it returns
// the missing pages, unless bestEffort is set.
func (asm *Assembler) assemble() (*Result, []PageRef, Reason) {
	dir := asm.window.direction()
	for {
		var s span
		if pages, reason := s.align(asm, dir); len(pages) > 0 {
			return nil, pages, reason
		}
		t := asm.traverse(&s, dir, asm.window.Count)
		if !t.complete && !asm.bestEffort {
			if pages, reason := asm.continuationPages(&t, dir); len(pages) > 0 {
				return nil, pages, reason
			}
		}
		if t.complete || t.items.len > 0 {
			return asm.compose(&s, &t), nil, ""
		}
		// The traversal cannot go on from there: the cursor was found in an outdated page.
		page := s.from.boundary.page
		if asm.outdated[page] || len(asm.outdated) == len(asm.pages)-1 {
			return nil, nil, ""
		}
		if asm.outdated == nil {
			asm.outdated = make(map[int]bool)
		}
		asm.outdated[page] = true
		asm.retries = 0
	}
}

// span is the part of the list that a window is about, in the direction of the traversal.
type span struct {
	from alignment
	// ends are the alignments of the window's cursors, if it has them: where the traversal begins,
	// and where it ends.
	ends [2]alignment
	// limited reports that the part ends at the second cursor, not at the end of the list.
	limited bool
	// view marks a span that only shows where items are.
	view bool
}

// align aligns the cursors of the window. If the pages do not show their places, it returns pages
// that may.
func (s *span) align(asm *Assembler, dir int) (pages []PageRef, reason Reason) {
	cursors := [2]*Cursor{asm.window.After, asm.window.Before}
	if dir < 0 {
		cursors[0], cursors[1] = cursors[1], cursors[0]
	}
	for i, c := range cursors {
		if c == nil {
			continue
		}
		if s.ends[i], pages, reason = asm.locate(c, dir*(1-2*i), i > 0); len(pages) > 0 {
			return pages, reason
		}
	}
	begins := cursors[0] != nil
	s.limited = cursors[1] != nil && !s.ends[1].lost
	if begins && s.limited && !s.ends[0].lost {
		begins = asm.orderEnds(s, dir)
	}
	if begins {
		s.from = s.ends[0]
		return nil, ""
	}
	s.from, pages, reason = asm.start(dir)
	return pages, reason
}

// orderEnds compares the places of the window's two cursors. Relay's algorithm looks for Before
// only among the items after After: if its place is not there, it has no effect. If that is not
// certain, or was different when the cursors were made, the list changed while a loop went over the
// range. Then nothing is between them, so that the loop ends. orderEnds returns false if the window
// begins at an end of the list instead of Before.
func (asm *Assembler) orderEnds(s *span, dir int) (begins bool) {
	after, before := &s.ends[0], &s.ends[1]
	if dir < 0 {
		after, before = before, after
	}
	same := after.cursor.Item == before.cursor.Item
	switch {
	case !same && asm.pages.compare(before.boundary, after.boundary) >= 0:
		return true
	case !same && (asm.window.limit() != nil || !after.known() || !before.known()):
		s.ends[1].boundary = s.ends[0].boundary
		return true
	case dir > 0:
		s.limited = false
		return true
	}
	return false
}

// start returns the end of the list at which a window begins.
func (asm *Assembler) start(dir int) (alignment, []PageRef, Reason) {
	at := -1
	for i, page := range asm.pages {
		begins := dir > 0 && page.start() == 0 || dir < 0 && page.reachesEnd() && (len(page.Items) > 0 || page.Total == 0)
		if begins && (at < 0 || len(page.Items) >= len(asm.pages[at].Items)) {
			at = i
		}
	}
	// The first page of a window of the last items only returned the total. Pages without items
	// were past the end of a list that shrinks: the next one begins earlier.
	if dir < 0 && !asm.bestEffort {
		margin := 0
		for _, page := range asm.pages {
			if len(page.Items) == 0 {
				margin += seamSlack
			}
		}
		last := Range{asm.total() - max(asm.widest, 1) - margin, asm.total()}
		if asm.window.After != nil {
			last.Lo = min(max(last.Lo, asm.window.After.Position+1), last.Hi-1)
		}
		needed := Range{asm.total() - max(asm.window.Count, 1) - margin, asm.total()}
		short := at < 0 || len(asm.pages[at].Items) < asm.window.Count && asm.pages[at].start() > 0
		if pages := overlapping(asm.missing(last), needed); len(pages) > 0 && short {
			return alignment{}, pages, ReasonWindow
		}
	}
	if at < 0 && dir > 0 {
		if pages := asm.missing(Range{0, max(asm.window.Count, 1)}); len(pages) > 0 {
			return alignment{}, pages, ReasonWindow
		}
	}
	if at < 0 && dir < 0 && !asm.bestEffort {
		// The list has grown since its total was reported. Its end is after that.
		return alignment{}, asm.endPages(dir), ReasonSeam
	}
	if at < 0 {
		// The list grew between all calls. The page that reaches furthest counts as its end.
		for i, page := range asm.pages {
			if len(page.Items) > 0 && (at < 0 || page.end() > asm.pages[at].end()) {
				at = i
			}
		}
		at = max(at, 0)
	}
	a := alignment{boundary: boundary{at, 0}, exact: true}
	if dir < 0 {
		a.boundary.index = len(asm.pages[at].Items)
	}
	return a, nil, ""
}
