package relay

import "slices"

// View is a page as the upstream sent it at one moment. The items of one view belong together; those of two views may be of
// different moments.
type View struct {
	Page Page
	// Items are the fingerprints of the page's items, in order.
	Items []Fingerprint
	// Total is how many items the list held, as this page says.
	Total int
}

func (v View) lo() int { return v.Page.Range().Lo }

// end returns the position behind the view's last item.
func (v View) end() int { return v.lo() + len(v.Items) }

// reachesEnd says whether the view holds the last item of the list, or looks beyond it.
func (v View) reachesEnd() bool { return v.end() >= v.Total }

// ends says whether the list ends with the view, in the direction dir.
func (v View) ends(dir int) bool {
	return dir > 0 && v.reachesEnd() || dir < 0 && (v.lo() == 0 || v.Total == 0)
}

// spot is a place between two items of a view: ahead of the item at index.
type spot struct{ view, index int }

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

// Bounds of what one window may cost beyond its own pages.
const (
	// searchCalls is how many calls looking for a cursor's item may take.
	searchCalls = 12
	// seamCalls is how many calls mending a window of several pages may take.
	seamCalls = 8
	// endSlack is how far beyond the end of a list that grows is looked for it, in positions.
	endSlack = 10
	// seamSlack is how far around a seam is looked for its item, in positions, and again as far at each further try.
	seamSlack = 8
	// maxRounds is how often pages may be asked for.
	maxRounds = 16
)

// Reader answers a window from pages. It asks for pages ([Reader.Need]), takes them ([Reader.Add]), and has the answer once it
// asks for none ([Reader.Answer]). It does no I/O, and is not safe for concurrent use.
type Reader struct {
	window Window
	views  []View
	search int // calls left to look for cursors' items
	seam   int // calls left to mend seams
	rounds int
	settle bool // make do with the views that are there
	// outdated are views in which a walk found its beginning but no way on.
	outdated map[int]bool
	retries  int // of the walk from one place
	answer   *Answer
}

// NewReader returns a reader of w that has no pages yet.
func NewReader(w Window) *Reader {
	return &Reader{window: w, search: searchCalls, seam: seamCalls, outdated: map[int]bool{}}
}

// NewScan returns a reader of a whole list, which was seen to hold total items.
func NewScan(total int) *Reader {
	return NewReader(Window{Count: total + maxPosition/2})
}

// Add gives the reader pages of its list, asked for or not.
func (r *Reader) Add(views ...View) { r.views = append(r.views, views...) }

// Need returns the pages to fetch next, and why; none once the answer is there. A page that the reader already has is to be
// fetched anew.
func (r *Reader) Need() ([]Page, Reason) {
	if len(r.views) == 0 {
		if ranges := r.window.First(); len(ranges) > 0 {
			return CoverAll(ranges), ReasonWindow
		}
		return []Page{{1, 1}}, ReasonTotal
	}
	answer, pages, reason := r.step()
	if r.rounds++; len(pages) > 0 && (r.rounds > maxRounds || !r.allowed(len(pages), reason)) {
		r.settle = true
		if answer, pages, reason = r.step(); r.rounds > 2*maxRounds {
			pages = nil
		}
	}
	r.answer = answer
	return pages, reason
}

// allowed takes the calls from what is left for their reason.
func (r *Reader) allowed(calls int, reason Reason) bool {
	switch reason {
	case ReasonRealign, ReasonScan:
		r.search -= calls
		return r.search >= 0
	case ReasonSeam:
		r.seam -= calls
		return r.seam >= 0
	case ReasonWindow, ReasonTotal, ReasonLookup:
	}
	return true
}

// Answer returns the answer. It is nil as long as [Reader.Need] has asked for pages last, and where the list moves too fast to
// be read.
func (r *Reader) Answer() *Answer { return r.answer }

// total returns the size of the list as the page added last says.
func (r *Reader) total() int { return r.views[len(r.views)-1].Total }

// missing returns the pages for those of the ranges that no view holds yet. They overlap what is there by one position.
func (r *Reader) missing(ranges ...Range) []Page {
	have := make([]Range, len(r.views))
	for i, v := range r.views {
		have[i] = Range{v.lo(), v.end()}
	}
	var open []Range
	for _, w := range ranges {
		w = Range{max(w.Lo, 0), min(w.Hi, r.total())}
		for _, gap := range gaps(w, have) {
			open = append(open, Range{max(gap.Lo-1, w.Lo), min(gap.Hi+1, w.Hi)})
		}
	}
	return CoverAll(open)
}

// step tries to answer from the views that are there. Otherwise it returns the pages that it lacks; where r.settle is set, it
// makes do without them.
func (r *Reader) step() (*Answer, []Page, Reason) {
	w, dir := r.window, r.window.direction()
	start, stop := w.After, w.Before
	if w.FromBack {
		start, stop = stop, start
	}
	for {
		from, pages, reason := r.begin(start, dir)
		if len(pages) > 0 {
			return nil, pages, reason
		}
		until := alignment{}
		if stop != nil {
			if until, pages, reason = r.locate(stop, -dir); len(pages) > 0 {
				return nil, pages, reason
			}
		}
		walk := r.follow(from, dir, w.Count, stop, until)
		if !walk.complete && !r.settle {
			if pages, reason := r.goOn(walk, dir); len(pages) > 0 {
				return nil, pages, reason
			}
		}
		if walk.complete || len(walk.picks) > 0 {
			return r.compose(from, until, walk), nil, ""
		}
		// Nothing goes on from there: the place was found in a view that is out of date.
		if r.outdated[from.spot.view] || len(r.outdated) == len(r.views)-1 {
			return nil, nil, ""
		}
		r.outdated[from.spot.view] = true
		r.retries = 0
	}
}

// begin returns where the window begins: behind its first cursor, or at the end of the list.
func (r *Reader) begin(start *Cursor, dir int) (alignment, []Page, Reason) {
	if start != nil {
		return r.locate(start, dir)
	}
	at := -1
	for i, v := range r.views {
		if dir > 0 && v.lo() == 0 || dir < 0 && v.reachesEnd() && (len(v.Items) > 0 || v.Total == 0) {
			if at < 0 || len(v.Items) >= len(r.views[at].Items) {
				at = i
			}
		}
	}
	// A window of the last items was asked for before anybody knew where they are.
	if dir < 0 && !r.settle {
		last := Range{r.total() - max(r.window.Count, 1), r.total()}
		if r.window.After != nil {
			last.Lo = min(max(last.Lo, r.window.After.Position+1), last.Hi-1)
		}
		if pages := r.missing(last); len(pages) > 0 && (at < 0 || len(r.views[at].Items) < r.window.Count && r.views[at].lo() > 0) {
			return alignment{}, pages, ReasonWindow
		}
	}
	if at < 0 && dir > 0 {
		if pages := r.missing(Range{0, max(r.window.Count, 1)}); len(pages) > 0 {
			return alignment{}, pages, ReasonWindow
		}
	}
	if at < 0 && dir < 0 && !r.settle {
		// The list has grown since its total was seen: look beyond it.
		return alignment{}, Cover(Range{max(r.total()-max(r.window.Count, 1), 0), r.total() + endSlack}), ReasonSeam
	}
	if at < 0 {
		for i, v := range r.views { // it grew at every look: its end is the furthest seen
			if at < 0 || v.end() > r.views[at].end() {
				at = i
			}
		}
	}
	a := alignment{spot: spot{at, 0}, exact: true}
	if dir < 0 {
		a.spot.index = len(r.views[at].Items)
	}
	return a, nil, ""
}

// walk is a way along the list from a spot, in the order in which it was gone.
type walk struct {
	picks    []spot // the items, as the spots ahead of them
	complete bool   // as many as were asked for, or all that there are
	last     spot   // the place reached, between two items
	// repeats counts the items that a page lists again, by the index of picks.
	repeats map[int]int
	moved   int  // how far seams were apart, in positions
	behind  bool // an item was left out because the cursor remembers it on the other side
}

// passed marks an item that a walk is not to pick.
const passed = -1

// follow goes along the list from an alignment until count items are found, or stop's place, or the end. Where a view ends it
// goes on in one that holds the last item found, or one found before it.
func (r *Reader) follow(from alignment, dir, count int, stop *Cursor, until alignment) walk {
	w := walk{last: from.spot, repeats: map[int]int{}}
	taken := make(map[Fingerprint]int, min(count, 10*MaxPageSize)) // by item: its index in picks
	limit := stopper{stop: stop, until: until, dir: dir, reader: r}
	used := map[int]bool{}
	for {
		v := r.views[w.last.view]
		used[w.last.view] = true
		for ; w.last.index < len(v.Items) && dir > 0 || w.last.index > 0 && dir < 0; w.last.index += dir {
			item := w.last
			if dir < 0 {
				item.index--
			}
			f := v.Items[item.index]
			if len(w.picks) == count || limit.reached(item, f) {
				w.complete = true
				return w
			}
			if i, ok := taken[f]; ok {
				if i != passed && w.picks[i].view == item.view {
					w.repeats[i]++
				}
				continue
			}
			if from.remembersBehind(f, dir) {
				w.behind = true
				continue
			}
			taken[f] = len(w.picks)
			w.picks = append(w.picks, item)
		}
		if len(w.picks) == count || v.ends(dir) {
			w.complete = true
			return w
		}
		next, moved, ok := r.continuation(w, dir, used)
		if !ok {
			return w
		}
		// What this view has behind the place reached is not to be met again, wherever the next view begins.
		for i, f := range v.Items {
			if _, ok := taken[f]; !ok && (i < w.last.index) == (dir > 0) {
				taken[f] = passed
			}
		}
		w.last = next
		w.moved = max(w.moved, moved)
	}
}

// continuation returns the spot in another view that is behind the item found last, and how far that item stands from where it
// stood. Where that item is gone, one found before it will do: what follows it is new or the same.
func (r *Reader) continuation(w walk, dir int, used map[int]bool) (spot, int, bool) {
	// The items of this view at and behind the place reached, nearest first.
	v := r.views[w.last.view]
	at := w.last.index
	for back := range 2 * MaxPageSize {
		index := at - 1 - back
		if dir < 0 {
			index = at + back
		}
		if index < 0 || index >= len(v.Items) {
			break
		}
		f := v.Items[index]
		best, bestMoved, found := spot{}, 0, false
		for i, other := range r.views {
			if used[i] || r.outdated[i] {
				continue
			}
			j := slices.Index(other.Items, f)
			if j < 0 {
				continue
			}
			next := spot{i, j + 1}
			if dir < 0 {
				next.index = j
			}
			ahead := len(other.Items) - next.index
			if dir < 0 {
				ahead = next.index
			}
			if ahead == 0 && !other.ends(dir) {
				continue
			}
			if !found || ahead > r.aheadOf(best, dir) {
				best, bestMoved, found = next, abs(other.lo()+j-v.lo()-index), true
			}
		}
		if found {
			return best, max(bestMoved, back), true
		}
	}
	return spot{}, 0, false
}

func (r *Reader) aheadOf(s spot, dir int) int {
	if dir < 0 {
		return s.index
	}
	return len(r.views[s.view].Items) - s.index
}

// goOn returns the pages that continue a walk from where it stopped.
func (r *Reader) goOn(w walk, dir int) ([]Page, Reason) {
	position := r.position(w.last) // of the item that would be next
	lacking := r.window.Count - len(w.picks)
	ahead := func(margin int) Range { // the item found last is the seam; it may have moved by the margin
		if dir > 0 {
			return Range{max(position-1-margin, 0), position + lacking + margin}
		}
		return Range{max(position-lacking-margin, 0), position + 1 + margin}
	}
	if pages := r.missing(ahead(0)); len(pages) > 0 {
		return pages, ReasonWindow
	}
	// The pages are there and do not continue the walk: the list moved between the calls. Look again, and wider.
	if r.retries++; r.retries > 3 {
		return nil, ""
	}
	near := ahead(seamSlack * r.retries)
	if near.Len() > MaxPageSize/2 {
		if dir > 0 {
			near.Hi = near.Lo + MaxPageSize/2
		} else {
			near.Lo = near.Hi - MaxPageSize/2
		}
	}
	return Cover(near), ReasonSeam
}

// stopper tells a walk where the other cursor's place is.
type stopper struct {
	stop   *Cursor
	until  alignment
	dir    int
	reader *Reader
}

// reached says whether the item is at or beyond the stop.
func (s stopper) reached(item spot, f Fingerprint) bool {
	if s.stop == nil || s.until.lost {
		return false
	}
	if f == s.stop.Item {
		return true
	}
	if fence, ok := s.fence(); ok && f == fence {
		return true
	}
	if item.view == s.until.spot.view {
		if s.dir > 0 {
			return item.index >= s.until.spot.index
		}
		return item.index < s.until.spot.index
	}
	return false
}

// fence returns the first item beyond the stop.
func (s stopper) fence() (Fingerprint, bool) {
	index := s.until.spot.index
	if s.dir < 0 {
		index--
	}
	items := s.reader.views[s.until.spot.view].Items
	if index < 0 || index >= len(items) {
		return 0, false
	}
	return items[index], true
}
