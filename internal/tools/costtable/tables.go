package main

import (
	"strconv"
	"strings"
	"time"

	"cvmgraph/internal/testing/cost"
)

// rounds is the number of measurements of each figure. The tables have medians.
const rounds = 9

// table shows how the cost grows with one parameter.
type table struct {
	title, description string
	column             string // the parameter
	rows               []row
}

// row is an operation with cached and with uncached pages.
type row struct {
	label            string
	cached, uncached figures
}

type figures struct {
	operation *cost.Operation
	memory    cost.Memory
	cpu       time.Duration
}

const sixFields = "{ id name status memory hosted { uptime } node { name } }"

// newTables returns all tables, without figures.
func newTables(sdl string) ([]table, error) {
	fields, err := cost.NewFields(sdl)
	if err != nil {
		return nil, err
	}
	list := cost.NewList(0)
	cursors, err := list.Cursors(1000)
	if err != nil {
		return nil, err
	}
	all := fields.Count()
	first := table{
		title: "Items", column: "first",
		description: "Six fields of each item: `" + inner(sixFields) + "`. A window of more than 100 items has\n" +
			"several pages. Choosing and aligning them costs up to 1 µs per item.",
	}
	everything := table{
		title: "Items, all fields", column: "first",
		description: "All fields at any depth, so that the response is about as large as the pages. A response of more than 1 MB needs new\n" +
			"memory for each operation, which costs more than writing it.",
	}
	for _, n := range []int{1, 5, 20, 50, 100, 300, 1000} {
		if err := first.add(list, strconv.Itoa(n), cost.Connection(n, sixFields)); err != nil {
			return nil, err
		}
		if err := everything.add(list, strconv.Itoa(n), cost.Connection(n, fields.Selection(all))); err != nil {
			return nil, err
		}
	}
	selected := table{
		title: "Selected fields", column: "fields",
		description: "100 items and the first fields in schema order, including fields of nested objects. An `id` is computed with hashes. The\n" +
			"other fields are copied.",
	}
	for _, n := range []int{1, 2, 5, 10, 20, 50, all} {
		if err := selected.add(list, strconv.Itoa(n), cost.Connection(100, fields.Selection(n))); err != nil {
			return nil, err
		}
	}
	sizes := table{
		title: "Size of an item", column: "KB",
		description: "20 items and one field, `name`. The additional bytes are in fields that are not selected: a multi-line string and events.",
	}
	for _, kilobytes := range []int{1, 2, 4, 8, 16, 32, 64} {
		if err := sizes.add(cost.NewList(1000*kilobytes), strconv.Itoa(kilobytes), cost.Connection(20, "{ name }")); err != nil {
			return nil, err
		}
	}
	same := table{
		title: "Aliases of one window", column: "aliases",
		description: "`cvms(first: 20) { nodes { name status } }` several times. All aliases use the same page.",
	}
	steps := table{
		title: "Aliases of overlapping windows", column: "aliases",
		description: "Each window of 20 items begins 10 items after the start of the previous window.",
	}
	touching := table{
		title: "Aliases of adjacent windows", column: "aliases",
		description: "Each window of 20 items begins at the end of the previous window. For each alias, the gateway chooses pages for its window and\n" +
			"all previous windows again, so µs grows faster than the bytes, up to the limit of 30 aliases per document.",
	}
	for _, n := range []int{1, 2, 5, 10, 20, 30} {
		if err := touching.add(list, strconv.Itoa(n), cost.Aliases(n, 20, 20, cursors)); err != nil {
			return nil, err
		}
		if err := same.add(list, strconv.Itoa(n), cost.Aliases(n, 20, 0, nil)); err != nil {
			return nil, err
		}
		if err := steps.add(list, strconv.Itoa(n), cost.Aliases(n, 20, 10, cursors)); err != nil {
			return nil, err
		}
	}
	return []table{first, everything, selected, sizes, same, steps, touching}, nil
}

// inner returns a selection without its braces.
func inner(selection string) string {
	return strings.TrimSuffix(strings.TrimPrefix(selection, "{ "), " }")
}

// add adds a row for an operation.
func (t *table) add(list *cost.List, label, query string) error {
	cached, err := cost.NewOperation(list.Cached(), query)
	if err != nil {
		return err
	}
	uncached, err := cost.NewOperation(list.Uncached(), query)
	if err != nil {
		return err
	}
	t.rows = append(t.rows, row{label: label, cached: figures{operation: cached}, uncached: figures{operation: uncached}})
	return nil
}

// measure measures all rows in turn.
func (t *table) measure() {
	var all []*figures
	for i := range t.rows {
		all = append(all, &t.rows[i].cached, &t.rows[i].uncached)
	}
	runs := make([]func(), len(all))
	for i, f := range all {
		runs[i] = f.operation.Run
		f.memory = cost.Allocated(f.operation.Run)
	}
	for i, times := range cost.CPUTimes(rounds, runs...) {
		all[i].cpu = cost.Median(times)
	}
}
