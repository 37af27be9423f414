package main

import (
	"strconv"
	"strings"
	"time"

	"cvmgraph/internal/testing/cost"
)

// rounds is how often each figure is taken; the table has their medians.
const rounds = 9

// table is how cost grows with one thing.
type table struct {
	title, text, column string
	rows                []row
}

// row is one operation over both kinds of source.
type row struct {
	label          string
	atHand, unread figures
}

type figures struct {
	operation *cost.Operation
	memory    cost.Memory
	cpu       time.Duration
}

const sixFields = "{ id name status memory hosted { uptime } node { name } }"

// newTables returns the tables with no figures yet.
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
		text: "Six fields of each item: `" + inner(sixFields) + "`. Above 100 items a window takes several\npages, and settling which costs up to a microsecond an item.",
	}
	everything := table{title: "Items, all fields", column: "first", text: "Every field at any depth: what is written is about as much as what is read. Beyond 1 MB it is written to\nnew memory, which costs more than what is written to it."}
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
		text: "100 items, and the first fields in the order of the schema, those of nested objects included. An `id` is made of hashes, the others\nare copied.",
	}
	for _, n := range []int{1, 2, 5, 10, 20, 50, all} {
		if err := selected.add(list, strconv.Itoa(n), cost.Connection(100, fields.Selection(n))); err != nil {
			return nil, err
		}
	}
	sizes := table{
		title: "Size of an item", column: "KB",
		text: "20 items, and one field of each: `name`. All of what an item gains is in fields that are not selected: a text of many lines, and\nevents.",
	}
	for _, kilobytes := range []int{1, 2, 4, 8, 16, 32, 64} {
		if err := sizes.add(cost.NewList(1000*kilobytes), strconv.Itoa(kilobytes), cost.Connection(20, "{ name }")); err != nil {
			return nil, err
		}
	}
	same := table{title: "Aliases of one window", column: "aliases", text: "`cvms(first: 20) { nodes { name status } }`, again and again: one page for all."}
	steps := table{title: "Aliases of windows that overlap", column: "aliases", text: "Each window of 20 begins 10 items behind the one before."}
	touching := table{
		title: "Aliases of windows that touch", column: "aliases",
		text: "Each window of 20 begins where the one before ends. Whether they share pages is settled for each anew, together with all before it:\n" +
			"here µs grow faster than the bytes, up to the 30 aliases that a document may have.",
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

func inner(selection string) string {
	return strings.TrimSuffix(strings.TrimPrefix(selection, "{ "), " }")
}

func (t *table) add(list *cost.List, label, query string) error {
	atHand, err := cost.NewOperation(list.Cached(), query)
	if err != nil {
		return err
	}
	unread, err := cost.NewOperation(list.Uncached(), query)
	if err != nil {
		return err
	}
	t.rows = append(t.rows, row{label, figures{operation: atHand}, figures{operation: unread}})
	return nil
}

// measure fills in the figures: all rows take turns.
func (t *table) measure() {
	var all []*figures
	for i := range t.rows {
		all = append(all, &t.rows[i].atHand, &t.rows[i].unread)
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
