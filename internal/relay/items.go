package relay

import "sort"

// picks are items in the order in which a walk found them, as the spots ahead of them. Those that stand side by side take no more
// room than one.
type items struct {
	dir  int // the walk's
	len  int
	runs []itemRun
}

// stretch is items side by side in a view.
type itemRun struct {
	first  boundary // of the item found first
	before int      // how many items were found before that
}

func (p *items) add(s boundary) {
	if last := len(p.runs) - 1; last < 0 || p.runs[last].at(p.len, p.dir) != s {
		p.runs = append(p.runs, itemRun{s, p.len})
	}
	p.len++
}

// at returns the item at index i.
func (p *items) at(i int) boundary {
	beyond := sort.Search(len(p.runs), func(r int) bool { return p.runs[r].before > i })
	return p.runs[beyond-1].at(i, p.dir)
}

// at returns where the stretch has the item at index i of all, if it reaches that far.
func (s itemRun) at(i, dir int) boundary {
	return boundary{s.first.page, s.first.index + dir*(i-s.before)}
}
