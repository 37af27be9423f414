package graph_test

import (
	"testing"

	"cvmgraph/internal/testing/cost"
	"cvmgraph/internal/testing/testmode"
)

const sixFields = "{ id name status memory hosted { uptime } node { name } }"

// costOperations makes the operations whose costs are compared.
type costOperations struct {
	list    *cost.List
	cursors []string
	all     string // a selection of all fields of Cvm
	half    string // of half of them
}

func newCostOperations(t *testing.T) *costOperations {
	t.Helper()
	fields, err := cost.NewFields(publicSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	c := &costOperations{list: cost.NewList(0), all: fields.Selection(fields.Count()), half: fields.Selection(fields.Count() / 2)}
	if c.cursors, err = c.list.Cursors(1000); err != nil {
		t.Fatal(err)
	}
	return c
}

// cached returns an operation whose pages are cached.
func (c *costOperations) cached(t *testing.T, query string) *cost.Operation {
	t.Helper()
	return operationOver(t, c.list.Cached(), query)
}

// fetched returns an operation whose pages are fetched and indexed.
func (c *costOperations) fetched(t *testing.T, query string) *cost.Operation {
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

// TestAllocations_growWithWork checks that an additional item or field of a cached page allocates
// nothing, that a field that is not selected allocates nothing, and that all additional connections
// allocate the same.
func TestAllocations_growWithWork(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testmode.Race {
		t.Skip("the race detector allocates")
	}
	c := newCostOperations(t)
	large, small := cost.NewList(64_000), cost.NewList(1000)
	for name, tt := range map[string]struct {
		more, less *cost.Operation
		most       cost.Memory // beyond what less allocates
	}{
		"100 cached items, not 20": {
			more: c.cached(t, cost.Connection(100, sixFields)),
			less: c.cached(t, cost.Connection(20, sixFields)),
			most: cost.Memory{Allocations: 4, Bytes: 200},
		},
		"100 cached items with all fields, not 20": {
			more: c.cached(t, cost.Connection(100, c.all)),
			less: c.cached(t, cost.Connection(20, c.all)),
			most: cost.Memory{Allocations: 4, Bytes: 200},
		},
		"1000 cached items on 11 pages, not 100 on one": {
			more: c.cached(t, cost.Connection(1000, sixFields)),
			less: c.cached(t, cost.Connection(100, sixFields)),
			most: cost.Memory{Allocations: 10 * 9, Bytes: 900 * 160},
		},
		"a response of 5.4 MB of cached items, not one of 0.5": { // the buffer is doubled and not reused
			more: c.cached(t, cost.Connection(1000, c.all)),
			less: c.cached(t, cost.Connection(100, c.all)),
			most: cost.Memory{Allocations: 10 * 12, Bytes: 14_000_000},
		},
		"all fields of cached pages, not one": {
			more: c.cached(t, cost.Connection(100, c.all)),
			less: c.cached(t, cost.Connection(100, "{ name }")),
			most: cost.Memory{Allocations: 4, Bytes: float64(5 * len(c.all) / 2)}, // the query string
		},
		"all fields of fetched pages, not one": {
			more: c.fetched(t, cost.Connection(100, c.all)),
			less: c.fetched(t, cost.Connection(100, "{ name }")),
			most: cost.Memory{Allocations: 4, Bytes: float64(5 * len(c.all) / 2)},
		},
		"one field of large cached items, not of small ones": {
			more: operationOver(t, large.Cached(), cost.Connection(20, "{ name }")),
			less: operationOver(t, small.Cached(), cost.Connection(20, "{ name }")),
			most: cost.Memory{Allocations: 4, Bytes: 200},
		},
		"one field of large fetched items, not of small ones": { // the index: 8 bytes a value
			more: operationOver(t, large.Uncached(), cost.Connection(20, "{ name }")),
			less: operationOver(t, small.Uncached(), cost.Connection(20, "{ name }")),
			most: cost.Memory{Allocations: 4, Bytes: 20 * 63_000 / 4},
		},
		"30 connections of one cached page": {
			more: c.cached(t, cost.Aliases(30, 20, 0, nil)),
			less: c.cached(t, cost.Aliases(1, 20, 0, nil)),
			most: cost.Memory{Allocations: 29 * 50, Bytes: 29 * 4000},
		},
		"30 connections that overlap": {
			more: c.cached(t, cost.Aliases(30, 20, 10, c.cursors)),
			less: c.cached(t, cost.Aliases(1, 20, 10, c.cursors)),
			most: cost.Memory{Allocations: 29 * 90, Bytes: 29 * 8500},
		},
		"30 connections that overlap, fetched": {
			more: c.fetched(t, cost.Aliases(30, 20, 10, c.cursors)),
			less: c.fetched(t, cost.Aliases(1, 20, 10, c.cursors)),
			most: cost.Memory{Allocations: 29 * 110, Bytes: 29 * 23_000},
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

// TestCost_growsWithBytes compares the CPU times of two operations, which run in turns. Twice the
// work takes at most 2.6 times as long, and unselected values cost no more than the scan of their
// bytes. No response has more than 1 MB, the size up to which buffers are reused: new memory from
// the kernel costs more than writing to it.
func TestCost_growsWithBytes(t *testing.T) { //nolint:paralleltest // what others use would count
	aloneOrSkip(t)
	for name, tt := range comparedOperations(t, newCostOperations(t)) {
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

// compared are two operations and the maximum ratio of their CPU times. If most is 0, the maximum
// is the ratio of the bytes read.
type compared struct {
	more, less *cost.Operation
	most       float64
}

func comparedOperations(t *testing.T, c *costOperations) map[string]compared {
	t.Helper()
	at := map[int]*cost.List{}
	for _, size := range []int{1000, 32_000, 64_000} {
		at[size] = cost.NewList(size)
	}
	const twice = 2.6
	return map[string]compared{
		"100 items, 50; cached": {
			more: c.cached(t, cost.Connection(100, sixFields)),
			less: c.cached(t, cost.Connection(50, sixFields)),
			most: twice,
		},
		"100 items, 50; fetched": {
			more: c.fetched(t, cost.Connection(100, sixFields)),
			less: c.fetched(t, cost.Connection(50, sixFields)),
			most: twice,
		},
		"1000 items, 500; cached": {
			more: c.cached(t, cost.Connection(1000, sixFields)),
			less: c.cached(t, cost.Connection(500, sixFields)),
			most: 4, // mostly 2.5: the cover tries up to 100 page sizes for a position, more of them in a long window
		},
		"1000 items, 500; fetched": {
			more: c.fetched(t, cost.Connection(1000, sixFields)),
			less: c.fetched(t, cost.Connection(500, sixFields)),
			most: twice,
		},
		"100 items, 50; all fields": {
			more: c.cached(t, cost.Connection(100, c.all)),
			less: c.cached(t, cost.Connection(50, c.all)),
			most: twice,
		},
		"all fields, half of them; cached": {
			more: c.cached(t, cost.Connection(100, c.all)),
			less: c.cached(t, cost.Connection(100, c.half)),
			most: twice,
		},
		"all fields, one; fetched": {
			more: c.fetched(t, cost.Connection(100, c.all)),
			less: c.fetched(t, cost.Connection(100, "{ name }")),
			most: twice,
		},
		"one field of 64 KB, of 32 KB; fetched": {
			more: operationOver(t, at[64_000].Uncached(), cost.Connection(20, "{ name }")),
			less: operationOver(t, at[32_000].Uncached(), cost.Connection(20, "{ name }")),
			most: twice,
		},
		"one field of 64 KB, of 1 KB; fetched": {
			more: operationOver(t, at[64_000].Uncached(), cost.Connection(20, "{ name }")),
			less: operationOver(t, at[1000].Uncached(), cost.Connection(20, "{ name }")),
			most: 0,
		},
		"one field of 64 KB, of 1 KB; cached": {
			more: operationOver(t, at[64_000].Cached(), cost.Connection(20, "{ name }")),
			less: operationOver(t, at[1000].Cached(), cost.Connection(20, "{ name }")),
			most: 1.5,
		},
		"30 connections of one page, 15": {
			more: c.cached(t, cost.Aliases(30, 20, 0, nil)),
			less: c.cached(t, cost.Aliases(15, 20, 0, nil)),
			most: twice,
		},
		"30 connections that overlap, 15": {
			more: c.cached(t, cost.Aliases(30, 20, 10, c.cursors)),
			less: c.cached(t, cost.Aliases(15, 20, 10, c.cursors)),
			most: twice,
		},
		"30 that overlap, 15; fetched": {
			more: c.fetched(t, cost.Aliases(30, 20, 10, c.cursors)),
			less: c.fetched(t, cost.Aliases(15, 20, 10, c.cursors)),
			most: twice,
		},
	}
}

// aloneOrSkip skips a test that compares CPU times, unless the machine is quiet.
func aloneOrSkip(t *testing.T) {
	t.Helper()
	if testmode.Race {
		t.Skip("the race detector takes most of the time: .ci/run runs this test without it")
	}
	if !testmode.QuietMachine() {
		t.Skip("CPU times are compared on a quiet machine only: set CVMGRAPH_TEST_LATENCY=1")
	}
}
