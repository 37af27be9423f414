package graph_test

import (
	"testing"

	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

const sixFields = "{ id name status memory hosted { uptime } node { name } }"

// costs makes the operations whose costs are compared.
type callBudgetCheck struct {
	list    *cost.List
	cursors []string
	all     string // a selection of all fields of Cvm
	half    string // of half of them
}

func newCosts(t *testing.T) *callBudgetCheck {
	t.Helper()
	fields, err := cost.NewFields(publicSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &callBudgetCheck{list: cost.NewList(0), all: fields.Selection(fields.Count()), half: fields.Selection(fields.Count() / 2)}
	if c.cursors, err = c.list.Cursors(1000); err != nil {
		t.Fatal(err)
	}
	return c
}

// atHand returns an operation whose pages are at hand.
func (c *callBudgetCheck) atHand(t *testing.T, query string) *cost.Operation {
	t.Helper()
	return operationOver(t, c.list.Cached(), query)
}

// read returns an operation whose pages are indexed first.
func (c *callBudgetCheck) read(t *testing.T, query string) *cost.Operation {
	t.Helper()
	return operationOver(t, c.list.Uncached(), query)
}

func operationOver(t *testing.T, source *cost.Source, query string) *cost.Operation {
	t.Helper()
	o, err := cost.NewOperation(source, query)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestAllocationsGrowWithTheWork holds that there are none for a further item or field of a page at hand, nor for a field that is not
// selected, and that further connections allocate alike.
func TestAllocationsGrowWithTheWork(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	c := newCosts(t)
	large, small := cost.NewList(64_000), cost.NewList(1000)
	for name, tt := range map[string]struct {
		more, less *cost.Operation
		most       cost.Memory // beyond what less allocates
	}{
		"100 items at hand, not 20": {
			c.atHand(t, cost.Connection(100, sixFields)),
			c.atHand(t, cost.Connection(20, sixFields)),
			cost.Memory{Allocations: 4, Bytes: 200},
		},
		"100 items at hand with all fields, not 20": {
			c.atHand(t, cost.Connection(100, c.all)),
			c.atHand(t, cost.Connection(20, c.all)),
			cost.Memory{Allocations: 4, Bytes: 200},
		},
		"1000 items at hand on 11 pages, not 100 on one": {
			c.atHand(t, cost.Connection(1000, sixFields)),
			c.atHand(t, cost.Connection(100, sixFields)),
			cost.Memory{Allocations: 10 * 9, Bytes: 900 * 160},
		},
		"an answer of 5.4 MB at hand, not one of 0.5": { // the memory is doubled as it fills, and not used again
			c.atHand(t, cost.Connection(1000, c.all)),
			c.atHand(t, cost.Connection(100, c.all)),
			cost.Memory{Allocations: 10 * 12, Bytes: 14_000_000},
		},
		"all fields at hand, not one": {
			c.atHand(t, cost.Connection(100, c.all)),
			c.atHand(t, cost.Connection(100, "{ name }")),
			cost.Memory{Allocations: 4, Bytes: 2500}, // the text of the query
		},
		"all fields of pages that are read, not one": {
			c.read(t, cost.Connection(100, c.all)),
			c.read(t, cost.Connection(100, "{ name }")),
			cost.Memory{Allocations: 4, Bytes: 2500},
		},
		"one field of large items at hand, not of small ones": {
			operationOver(t, large.Cached(), cost.Connection(20, "{ name }")),
			operationOver(t, small.Cached(), cost.Connection(20, "{ name }")),
			cost.Memory{Allocations: 4, Bytes: 200},
		},
		"one field of large items that are read, not of small ones": { // the index: 8 bytes for each value
			operationOver(t, large.Uncached(), cost.Connection(20, "{ name }")),
			operationOver(t, small.Uncached(), cost.Connection(20, "{ name }")),
			cost.Memory{Allocations: 4, Bytes: 20 * 63_000 / 4},
		},
		"30 connections of one page at hand": {
			c.atHand(t, cost.Aliases(30, 20, 0, nil)),
			c.atHand(t, cost.Aliases(1, 20, 0, nil)),
			cost.Memory{Allocations: 29 * 50, Bytes: 29 * 4000},
		},
		"30 connections that overlap": {
			c.atHand(t, cost.Aliases(30, 20, 10, c.cursors)),
			c.atHand(t, cost.Aliases(1, 20, 10, c.cursors)),
			cost.Memory{Allocations: 29 * 90, Bytes: 29 * 8500},
		},
		"30 connections that overlap, read": {
			c.read(t, cost.Aliases(30, 20, 10, c.cursors)),
			c.read(t, cost.Aliases(1, 20, 10, c.cursors)),
			cost.Memory{Allocations: 29 * 110, Bytes: 29 * 23_000},
		},
	} {
		more, less := cost.Allocated(tt.more.Run), cost.Allocated(tt.less.Run)
		got := cost.Memory{Allocations: more.Allocations - less.Allocations, Bytes: more.Bytes - less.Bytes}
		t.Logf("%s: %.0f more allocations, of %.0f bytes", name, got.Allocations, got.Bytes)
		if got.Allocations > tt.most.Allocations || got.Bytes > tt.most.Bytes {
			t.Errorf("%s: got %+v more, want at most %+v", name, got, tt.most)
		}
	}
}

// TestCostGrowsWithTheBytes compares CPU times of two operations, which take turns: twice the work takes at most 2.6 times as long, and
// what is not selected costs no more than to be scanned. No answer is beyond the 1 MB up to which its memory is used again: the kernel's
// new memory costs more than what is written to it.
func TestCostGrowsWithTheBytes(t *testing.T) { //nolint:paralleltest // what others use would count
	aloneOrSkip(t)
	c := newCosts(t)
	at := map[int]*cost.List{}
	for _, size := range []int{1000, 32_000, 64_000} {
		at[size] = cost.NewList(size)
	}
	const twice = 2.6
	for name, tt := range map[string]struct {
		more, less *cost.Operation
		most       float64 // 0 is the ratio of the bytes read
	}{
		"100 items, 50; at hand": {
			c.atHand(t, cost.Connection(100, sixFields)),
			c.atHand(t, cost.Connection(50, sixFields)),
			twice,
		},
		"100 items, 50; read": {
			c.read(t, cost.Connection(100, sixFields)),
			c.read(t, cost.Connection(50, sixFields)),
			twice,
		},
		"1000 items, 500; at hand": {
			c.atHand(t, cost.Connection(1000, sixFields)),
			c.atHand(t, cost.Connection(500, sixFields)),
			4, // settling the pages looks at up to 100 sizes for a position, and at more of them in a long window: mostly 2.5
		},
		"1000 items, 500; read": {
			c.read(t, cost.Connection(1000, sixFields)),
			c.read(t, cost.Connection(500, sixFields)),
			twice,
		},
		"100 items, 50; all fields": {
			c.atHand(t, cost.Connection(100, c.all)),
			c.atHand(t, cost.Connection(50, c.all)),
			twice,
		},
		"all fields, half of them; at hand": {
			c.atHand(t, cost.Connection(100, c.all)),
			c.atHand(t, cost.Connection(100, c.half)),
			twice,
		},
		"all fields, one; read": {
			c.read(t, cost.Connection(100, c.all)),
			c.read(t, cost.Connection(100, "{ name }")),
			twice,
		},
		"one field of 64 KB, of 32 KB; read": {
			operationOver(t, at[64_000].Uncached(), cost.Connection(20, "{ name }")),
			operationOver(t, at[32_000].Uncached(), cost.Connection(20, "{ name }")),
			twice,
		},
		"one field of 64 KB, of 1 KB; read": {
			operationOver(t, at[64_000].Uncached(), cost.Connection(20, "{ name }")),
			operationOver(t, at[1000].Uncached(), cost.Connection(20, "{ name }")),
			0,
		},
		"one field of 64 KB, of 1 KB; at hand": {
			operationOver(t, at[64_000].Cached(), cost.Connection(20, "{ name }")),
			operationOver(t, at[1000].Cached(), cost.Connection(20, "{ name }")),
			1.5,
		},
		"30 connections of one page, 15": {
			c.atHand(t, cost.Aliases(30, 20, 0, nil)),
			c.atHand(t, cost.Aliases(15, 20, 0, nil)),
			twice,
		},
		"30 connections that overlap, 15": {
			c.atHand(t, cost.Aliases(30, 20, 10, c.cursors)),
			c.atHand(t, cost.Aliases(15, 20, 10, c.cursors)),
			twice,
		},
		"30 that overlap, 15; read": {
			c.read(t, cost.Aliases(30, 20, 10, c.cursors)),
			c.read(t, cost.Aliases(15, 20, 10, c.cursors)),
			twice,
		},
	} {
		if tt.most == 0 {
			tt.most = float64(tt.more.BytesRead) / float64(tt.less.BytesRead)
		}
		var got float64
		if !cost.InThreeTries(func() bool {
			times := cost.CPUTimes(25, tt.more.Run, tt.less.Run)
			got = cost.Ratio(times[0], times[1])
			t.Logf("%s: %.2f times the CPU time, at most %.2f", name, got, tt.most)
			return got <= tt.most
		}) {
			t.Errorf("%s: got %.2f times the CPU time three times, want at most %.2f", name, got, tt.most)
		}
	}
}

// aloneOrSkip skips what compares CPU times, unless it was asked for.
func aloneOrSkip(t *testing.T) {
	t.Helper()
	if testmode.Race {
		t.Skip("the race detector takes most of the time: .ci/run runs this without it")
	}
	if !testmode.QuietMachine() {
		t.Skip("CPU times are compared where little else runs: set CVMGRAPH_TEST_LATENCY=1")
	}
}
