package relay

import "slices"

// PageSnapshot is a page as the upstream sent it at one moment. The items of one view belong together; those of two views may be of
// different moments.
type PageSnapshot struct {
	Ref PageRef
	// Items are the fingerprints of the page's items, in order.
	Items []Fingerprint
	// Total is how many items the list held, as this page says.
	Total int
	// Seen is when the page was there, as [Clock] tells it; 0: nobody knows.
	Seen uint32
	// Distinct says that no two of the items are equal. It saves looking: where it is false they may be, or not.
	Distinct bool
}

// Distinct says whether no two of the items are equal.
func Distinct(items []Fingerprint) bool {
	var room [MaxPageSize]Fingerprint
	sorted := append(room[:0], items...)
	slices.Sort(sorted)
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return false
		}
	}
	return true
}

func (v PageSnapshot) start() int { return v.Ref.Range().Lo }

// end returns the position behind the view's last item.
func (v PageSnapshot) end() int { return v.start() + len(v.Items) }

// reachesEnd says whether the view holds the last item of the list, or looks beyond it.
func (v PageSnapshot) reachesEnd() bool { return v.end() >= v.Total }

// ends says whether the list ends with the view, in the direction dir.
func (v PageSnapshot) ends(dir int) bool {
	return dir > 0 && v.reachesEnd() || dir < 0 && (v.start() == 0 || v.Total == 0)
}

// spot is a place between two items of a view: ahead of the item at index.
type boundary struct{ page, index int }

// Reason says what a page is fetched for.
type Reason string

// The reasons.
const (
	ReasonWindow  Reason = "window"  // the items asked for, and the cursors' own
	ReasonTotal   Reason = "total"   // the size of the list
	ReasonSeam    Reason = "seam"    // the list moved between two pages of a window
	ReasonRealign Reason = "realign" // a cursor's item is not at its place
	ReasonScan    Reason = "scan"    // nothing that a cursor remembers is near its place
	ReasonLookup  Reason = "lookup"  // an object is looked for by its id
)

// Searches says whether the page is fetched to find out where a cursor's place has gone.
func (r Reason) Searches() bool { return r == ReasonRealign || r == ReasonScan }

// Bounds of what one window may cost beyond its own pages.
const (
	// searchCalls is how many calls looking for a cursor's item may take.
	maxSearchCalls = 12
	// seamCalls is how many calls mending a window of several pages may take.
	maxSeamCalls = 8
	// endSlack is how far beyond the end of a list that grows is looked for it, in positions.
	endSlack = 10
	// seamSlack is how far around a seam is looked for its item, in positions, and again as far at each further try.
	seamSlack = 8
	// maxAsked is how many positions are asked for at a time, whatever total the upstream gives.
	maxAsked = 12_000
	// maxRetries is how often a seam is looked at anew.
	maxRetries = 3
	// maxRounds is how often pages may be asked for.
	maxRounds = 16
)

// Assembler answers a window from pages. It asks for pages ([Assembler.Next]), takes them ([Assembler.Add]), and has the answer once it
// asks for none ([Assembler.Result]). It does no I/O, and is not safe for concurrent use.
type Assembler struct {
	window      Window
	widest      int // the largest count of the windows that this one shares pages with
	pages       []PageSnapshot
	windowCalls int // calls left for the window's own pages
	searchCalls int // calls left to look for cursors' items
	seamCalls   int // calls left to mend seams
	ends        int // how often the end of the list was asked for in vain
	rounds      int
	bestEffort  bool // make do with the views that are there
	// outdated are views in which a walk found its beginning but no way on.
	outdated map[int]bool
	retries  int // of the walk from one place
	result   *Result
}

// NewAssembler returns a reader of w that has no pages yet.
func NewAssembler(w Window) *Assembler {
	return &Assembler{
		window: w, widest: w.Count,
		windowCalls: 2*(w.Count/(MaxPageSize-10)) + 8, searchCalls: maxSearchCalls, seamCalls: maxSeamCalls,
	}
}

// NewListAssembler returns an assembler of a whole list, which was seen to hold total items.
func NewListAssembler(total int) *Assembler {
	return NewAssembler(Window{Count: total + maxPosition/2})
}

// Restart returns an assembler of the same window that has no pages yet.
func (r *Assembler) Restart() *Assembler {
	again := NewAssembler(r.window)
	again.AlignWith(r.widest)
	return again
}

// AlignWith makes the assembler ask for pages that windows of up to count items, from the same end of the list, ask for as well.
func (r *Assembler) AlignWith(count int) { r.widest = max(r.widest, count) }

// Add gives the reader pages of its list, asked for or not.
func (r *Assembler) Add(views ...PageSnapshot) { r.pages = append(r.pages, views...) }

// Next returns the pages to fetch next, and why; none once the answer is there. A page that the reader already has is to be
// fetched anew.
func (r *Assembler) Next() ([]PageRef, Reason) {
	if len(r.pages) == 0 {
		if ranges := r.window.First(); len(ranges) > 0 {
			return CoverAll(ranges), ReasonWindow
		}
		return []PageRef{{1, 1}}, ReasonTotal
	}
	answer, pages, reason := r.step()
	if r.rounds++; len(pages) > 0 && (r.rounds > maxRounds || !r.allowed(len(pages), reason)) {
		r.bestEffort = true
		answer, pages, reason = r.step()
	}
	if answer == nil && len(pages) == 0 && !r.bestEffort {
		// Nothing joins. What is there is taken for what it is worth, and the answer does not claim to be exact.
		r.bestEffort = true
		clear(r.outdated)
		answer, pages, reason = r.step()
	}
	r.result = answer
	return pages, reason
}

// allowed takes the calls from what is left for their reason.
func (r *Assembler) allowed(calls int, reason Reason) bool {
	switch reason {
	case ReasonRealign, ReasonScan:
		r.searchCalls -= calls
		return r.searchCalls >= 0
	case ReasonSeam:
		r.seamCalls -= calls
		return r.seamCalls >= 0
	case ReasonWindow, ReasonTotal, ReasonLookup:
		r.windowCalls -= calls
	}
	return r.windowCalls >= 0
}

// Result returns the result. It is nil as long as [Assembler.Next] has asked for pages last, and where the list moves too fast to
// be read.
func (r *Assembler) Result() *Result { return r.result }

// total returns the size of the list as the page added last says.
func (r *Assembler) total() int { return r.pages[len(r.pages)-1].Total }

// missing returns the pages for those of the ranges that no view holds yet. They overlap what is there by one position.
func (r *Assembler) missing(ranges ...Range) []PageRef { return CoverAll(r.open(ranges...)) }

// open returns what no view holds yet of the ranges, and a position more on either side.
func (r *Assembler) open(ranges ...Range) []Range {
	have := make([]Range, len(r.pages))
	for i, v := range r.pages {
		have[i] = Range{v.start(), v.end()}
	}
	var open []Range
	for _, w := range ranges {
		w = Range{max(w.Lo, 0), min(w.Hi, r.total(), max(w.Lo, 0)+maxAsked)}
		for _, gap := range gaps(w, have) {
			open = append(open, Range{max(gap.Lo-1, w.Lo), min(gap.Hi+1, w.Hi)})
		}
	}
	return open
}

// cut returns those of the pages that hold some of the range.
func overlapping(pages []PageRef, needed Range) []PageRef {
	return slices.DeleteFunc(pages, func(p PageRef) bool { return !p.Range().Overlaps(needed) })
}

// step tries to answer from the views that are there. Otherwise it returns the pages that it lacks; where r.settle is set, it
// makes do without them.
func (r *Assembler) step() (*Result, []PageRef, Reason) {
	w, dir := r.window, r.window.direction()
	start, stop := w.After, w.Before
	if w.FromBack {
		start, stop = stop, start
	}
	for {
		from, pages, reason := r.start(start, dir)
		if len(pages) > 0 {
			return nil, pages, reason
		}
		until := alignment{}
		if stop != nil {
			if until, pages, reason = r.locate(stop, -dir); len(pages) > 0 {
				return nil, pages, reason
			}
		}
		walk := r.traverse(from, dir, w.Count, stop, until)
		if !walk.complete && !r.bestEffort {
			if pages, reason := r.continuationPages(walk, dir); len(pages) > 0 {
				return nil, pages, reason
			}
		}
		if walk.complete || walk.items.len > 0 {
			return r.compose(from, until, walk), nil, ""
		}
		// Nothing goes on from there: the place was found in a view that is out of date.
		if r.outdated[from.boundary.page] || len(r.outdated) == len(r.pages)-1 {
			return nil, nil, ""
		}
		if r.outdated == nil {
			r.outdated = make(map[int]bool)
		}
		r.outdated[from.boundary.page] = true
		r.retries = 0
	}
}

// begin returns where the window begins: behind its first cursor, or at the end of the list.
func (r *Assembler) start(start *Cursor, dir int) (alignment, []PageRef, Reason) {
	if start != nil {
		return r.locate(start, dir)
	}
	at := -1
	for i, v := range r.pages {
		if dir > 0 && v.start() == 0 || dir < 0 && v.reachesEnd() && (len(v.Items) > 0 || v.Total == 0) {
			if at < 0 || len(v.Items) >= len(r.pages[at].Items) {
				at = i
			}
		}
	}
	// A window of the last items was asked for before anybody knew where they are.
	if dir < 0 && !r.bestEffort {
		last := Range{r.total() - max(r.widest, 1), r.total()}
		if r.window.After != nil {
			last.Lo = min(max(last.Lo, r.window.After.Position+1), last.Hi-1)
		}
		needed := Range{r.total() - max(r.window.Count, 1), r.total()}
		if pages := overlapping(r.missing(last), needed); len(pages) > 0 && (at < 0 || len(r.pages[at].Items) < r.window.Count && r.pages[at].start() > 0) {
			return alignment{}, pages, ReasonWindow
		}
	}
	if at < 0 && dir > 0 {
		if pages := r.missing(Range{0, max(r.window.Count, 1)}); len(pages) > 0 {
			return alignment{}, pages, ReasonWindow
		}
	}
	if at < 0 && dir < 0 && !r.bestEffort {
		// The list has grown since its total was seen: look beyond it.
		return alignment{}, Cover(Range{max(r.total()-max(r.window.Count, 1), 0), r.total() + endSlack}), ReasonSeam
	}
	if at < 0 {
		for i, v := range r.pages { // it grew at every look: its end is the furthest seen
			if len(v.Items) > 0 && (at < 0 || v.end() > r.pages[at].end()) {
				at = i
			}
		}
		at = max(at, 0)
	}
	a := alignment{boundary: boundary{at, 0}, exact: true}
	if dir < 0 {
		a.boundary.index = len(r.pages[at].Items)
	}
	return a, nil, ""
}
