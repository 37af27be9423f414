package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"cvmgraph/internal/testing/changinglist"
)

const (
	listSize   = 300
	pageSize   = 30
	traversals = 200 // by kind and rate of churn and by gateway
	baseRate   = 5   // changes between two pages in the table
	// moveRate is how many of the items returned last move: fewer than half of the near neighbors
	// that a cursor remembers.
	moveRate = 2
	// harshRate is larger than the number of near neighbors that a cursor remembers.
	harshRate = 10
)

// comparison has the totals of both gateways for the same churn.
type comparison struct {
	churn            churn
	rate             int // changes between two pages
	offset, cvmgraph totals
}

// totals are sums over traversals.
type totals struct {
	traversals, pages, calls int
	stayed                   int      // items that were in the list throughout
	lost, repeated           int      // items
	inexact                  []uint64 // the seeds of the traversals that were not exact
}

func (t totals) perTraversal(n int) float64 { return float64(n) / float64(t.traversals) }

func (t totals) callsPerPage() float64 { return float64(t.calls) / float64(t.pages) }

// exact returns the number of exact traversals.
func (t totals) exact() int { return t.traversals - len(t.inexact) }

// measureTable returns a row for an unchanging list, a row for each kind of churn that keeps the
// order of the items, and a row for the churn that is hardest for cvmgraph's cursors.
func measureTable() ([]comparison, error) {
	none, err := compare(unchanging(), 0, traversals)
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

// measureReorders returns a row for each kind of churn that does not keep the order of the items.
func measureReorders() ([]comparison, error) {
	var rows []comparison
	for _, c := range reorders() {
		row, err := compare(c, rateOf(c), traversals)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// rateOf returns how many items a kind of churn moves between two pages.
func rateOf(c churn) int {
	if strings.HasPrefix(c.name, "of the items") {
		return moveRate
	}
	return baseRate
}

// measureCurve returns points for increasing rates of churn.
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

// compare makes n traversals with each gateway, with the seeds from 1 to n.
func compare(c churn, rate, n int) (comparison, error) {
	result := comparison{churn: c, rate: rate}
	for seed := uint64(1); seed <= uint64(n); seed++ {
		if err := result.offset.add(byOffset, c, rate, seed); err != nil {
			return comparison{}, fmt.Errorf("offset cursor, %s, seed %d: %w", c.name, seed, err)
		}
		if err := result.cvmgraph.add(byCursor, c, rate, seed); err != nil {
			return comparison{}, fmt.Errorf("cvmgraph, %s, seed %d: %w", c.name, seed, err)
		}
	}
	return result, nil
}

// add makes one traversal of a new list and adds its figures.
func (t *totals) add(read gateway, c churn, rate int, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, uint64(rate)))
	l := changinglist.New(listSize)
	load := func(after *string) (changinglist.Page, error) { return read(l, after) }
	traversal, err := l.Traverse(false, load, func(returned []int) { c.step(l, rng, rate, returned) })
	if err != nil {
		return err
	}
	unmoved := func(items []int) []int { return slices.DeleteFunc(slices.Clone(items), l.Moved) }
	lost, repeated, exact := check(unmoved(traversal.Stayed), unmoved(traversal.Returned))
	t.traversals++
	t.pages += traversal.Pages
	t.calls += l.Calls
	t.stayed += len(traversal.Stayed)
	t.lost += lost
	t.repeated += repeated
	if !exact {
		t.inexact = append(t.inexact, seed)
	}
	return nil
}

// check returns the number of items that stayed in the list but were not returned, and the number
// of items that were returned more than once. The traversal is exact if both are 0 and the returned
// items are in the list's order.
func check(stayed, returned []int) (lost, repeated int, exact bool) {
	times := map[int]int{}
	for _, item := range returned {
		if times[item]++; times[item] == 2 {
			repeated++
		}
	}
	inList := map[int]bool{}
	for _, item := range stayed {
		inList[item] = true
		if times[item] == 0 {
			lost++
		}
	}
	returnedStayed := slices.DeleteFunc(slices.Clone(returned), func(item int) bool { return !inList[item] })
	return lost, repeated, repeated == 0 && slices.Equal(returnedStayed, stayed)
}
