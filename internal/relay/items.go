package relay

import "sort"

// items are places of items in the order in which a traversal found them. Each is the boundary
// before its item. A run of adjacent items takes no more memory than one item.
type items struct {
	dir  int // of the traversal
	len  int
	runs []itemRun
}

// itemRun is a run of adjacent items of one page.
type itemRun struct {
	first    boundary // of the item found first
	previous int      // how many items were found before it
}

func (it *items) add(b boundary) {
	if last := len(it.runs) - 1; last < 0 || it.runs[last].at(it.len, it.dir) != b {
		it.runs = append(it.runs, itemRun{b, it.len})
	}
	it.len++
}

// at returns the item at index i.
func (it *items) at(i int) boundary {
	next := sort.Search(len(it.runs), func(r int) bool { return it.runs[r].previous > i })
	return it.runs[next-1].at(i, it.dir)
}

// at returns the place that the item at index i of all items has if it belongs to the run.
func (r itemRun) at(i, dir int) boundary {
	return boundary{r.first.page, r.first.index + dir*(i-r.previous)}
}
