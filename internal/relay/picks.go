package relay

import "sort"

// picks are items in the order in which a walk found them, as the spots ahead of them. Those that stand side by side take no more
// room than one.
type picks struct {
	dir  int // the walk's
	len  int
	runs []stretch
}

// stretch is items side by side in a view.
type stretch struct {
	first  spot // of the item found first
	before int  // how many items were found before that
}

func (p *picks) add(s spot) {
	if last := len(p.runs) - 1; last < 0 || p.runs[last].at(p.len, p.dir) != s {
		p.runs = append(p.runs, stretch{s, p.len})
	}
	p.len++
}

// at returns the item at index i.
func (p *picks) at(i int) spot {
	beyond := sort.Search(len(p.runs), func(r int) bool { return p.runs[r].before > i })
	return p.runs[beyond-1].at(i, p.dir)
}

// at returns where the stretch has the item at index i of all, if it reaches that far.
func (s stretch) at(i, dir int) spot {
	return spot{s.first.view, s.first.index + dir*(i-s.before)}
}
