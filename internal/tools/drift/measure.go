package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

const (
	listSize   = 300
	pageSize   = 30
	traversals = 200 // of each kind and rate of churn, by each gateway
	baseRate   = 5   // changes between two pages, in the table
	// harshRate is more deletes at a cursor than it remembers nearest neighbours.
	harshRate = 10
	// maxPages bounds a traversal: an offset cursor gets nowhere in a list that grows by a page or more between two pages.
	maxPages = 1000
)

// comparison is what both gateways made of the same churn.
type comparison struct {
	churn        churn
	rate         int // changes between two pages
	offset, ours figures
}

// figures are sums over traversals.
type figures struct {
	traversals, pages, calls int
	stayed                   int      // items that were there all the time
	lost, repeated           int      // items
	inexact                  []uint64 // the seeds of the traversals that were not exact
}

func (f figures) perTraversal(n int) float64 { return float64(n) / float64(f.traversals) }

func (f figures) callsPerPage() float64 { return float64(f.calls) / float64(f.pages) }

// exact returns how many traversals were exact.
func (f figures) exact() int { return f.traversals - len(f.inexact) }

// measureTable returns a row for a list that stays as it is, one for each kind of churn, and one for the churn that is hardest
// on our cursors.
func measureTable() ([]comparison, error) {
	none, err := compare(still(), 0, traversals)
	if err != nil {
		return nil, err
	}
	rows := []comparison{none}
	for _, c := range churns() {
		row, err := compare(c, baseRate, traversals)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	harsh, err := compare(atCursor(), harshRate, traversals)
	if err != nil {
		return nil, err
	}
	return append(rows, harsh), nil
}

// measureCurve returns points of rising churn.
func measureCurve() ([]comparison, error) {
	var points []comparison
	for _, rate := range []int{0, 1, 2, 5, 10, 20} {
		point, err := compare(mixed(), rate, traversals)
		if err != nil {
			return nil, err
		}
		points = append(points, point)
	}
	return points, nil
}

// compare lets both gateways page through n lists, with the seeds from 1 to n.
func compare(c churn, rate, n int) (comparison, error) {
	result := comparison{churn: c, rate: rate}
	for seed := uint64(1); seed <= uint64(n); seed++ {
		if err := result.offset.add(byOffset, c, rate, seed); err != nil {
			return comparison{}, fmt.Errorf("offset cursor, %s, seed %d: %w", c.name, seed, err)
		}
		if err := result.ours.add(byCursor, c, rate, seed); err != nil {
			return comparison{}, fmt.Errorf("cvmgraph, %s, seed %d: %w", c.name, seed, err)
		}
	}
	return result, nil
}

// add pages through a list from its front to its end, and adds what came of it.
func (f *figures) add(read gateway, c churn, rate int, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, uint64(rate)))
	l := newList(listSize)
	throughout := slices.Clone(l.items) // what is deleted is taken out at the end

	var returned []int
	after := ""
	pages := 0
	for {
		p, err := read(l, after)
		if err != nil {
			return err
		}
		if pages++; pages > maxPages {
			return fmt.Errorf("no end after %d pages", maxPages)
		}
		returned = append(returned, p.items...)
		if len(p.items) > 0 {
			after = p.end
		}
		if !p.more {
			break
		}
		c.step(l, rng, rate, returned)
	}
	throughout = slices.DeleteFunc(throughout, func(item int) bool { return l.gone[item] })

	lost, repeated, exact := judge(throughout, returned)
	f.traversals++
	f.pages += pages
	f.calls += l.calls
	f.stayed += len(throughout)
	f.lost += lost
	f.repeated += repeated
	if !exact {
		f.inexact = append(f.inexact, seed)
	}
	return nil
}

// judge compares the items returned with those that were there all the time: how many of these are missing, and how many items
// were returned more than once. Exact says that neither happened, and that the order is the list's.
func judge(throughout, returned []int) (lost, repeated int, exact bool) {
	times := map[int]int{}
	for _, item := range returned {
		if times[item]++; times[item] == 2 {
			repeated++
		}
	}
	there := map[int]bool{}
	for _, item := range throughout {
		there[item] = true
		if times[item] == 0 {
			lost++
		}
	}
	kept := slices.DeleteFunc(slices.Clone(returned), func(item int) bool { return !there[item] })
	return lost, repeated, repeated == 0 && slices.Equal(kept, throughout)
}
