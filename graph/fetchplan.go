package graph

import (
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// plans are what an operation's connections fetch, settled for all of them together, so that connections that overlap share pages
// whichever of them is resolved first.
type fetchPlan struct {
	lists []listPlan
	// windows is how many upstream calls the connections take at most, in lists that do not move meanwhile.
	windows int
	// lookups is how many it takes to learn how long the list is that CVMs are looked for in. What a search takes depends on that.
	lookups int
	// ids is how many ids the lookups are given in lists.
	ids int
	// argument is the one that says how much to fetch, empty where there are several or none.
	argument string

	openings []opening
}

// plan is what the connections of an operation ask of one list.
type listPlan struct {
	filter restclient.Filter
	ranges []relay.Range
	// first are the pages that they need before any answer is there.
	first []relay.PageRef
	// front and back are the largest counts of the windows without a cursor, from either end of the list; -1 where there are none.
	front, back int
	// long is what those from the front begin with that go beyond a page.
	long []relay.Range
	// ends is how many windows are of no items, and begin at an end of the list that they do not ask for.
	ends int
}

// plan plans what the operation's connections fetch.
func (r *Resolver) planFetches(opCtx *graphql.OperationContext) *fetchPlan {
	all := &fetchPlan{}
	connections := 0
	for _, field := range graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"}) {
		switch field.Name {
		case "nodes":
			all.ids += len(graphql.CoerceList(field.ArgumentMap(opCtx.Variables)["ids"]))
			all.lookups = 1
			continue
		case "_entities":
			all.ids += len(graphql.CoerceList(field.ArgumentMap(opCtx.Variables)["representations"]))
			all.lookups = 1
			continue
		case "node", "cvm":
			all.lookups = 1
			continue
		case "cvms":
		default:
			continue
		}
		// What is wrong with a field's arguments is said when that field is resolved.
		args, err := connectionArgsOf(field.ArgumentMap(opCtx.Variables))
		if err != nil {
			continue
		}
		list, err := r.list(args)
		if err != nil {
			continue
		}
		window, err := args.Window(list.fingerprint, r.MaxFirst)
		if err != nil {
			continue
		}
		p := all.list(list.filter)
		if !selectsItems(opCtx, field) {
			continue
		}
		p.add(window)
		if connections++; connections == 1 {
			all.argument = args.counting()
		} else {
			all.argument = ""
		}
	}
	for i := range all.lists {
		p := &all.lists[i]
		if p.front > relay.MaxPageSize {
			p.long = relay.Window{Count: p.front}.First()
			p.ranges = append(p.ranges, p.long...)
		}
		p.first = relay.CoverAll(p.ranges)
		all.windows += p.calls()
	}
	return all
}

// counting returns the argument that says how many items to fetch, empty where none does.
func (a connectionArgs) counting() string {
	switch {
	case a.First != nil:
		return "first"
	case a.Last != nil:
		return "last"
	}
	return ""
}

// list returns the plan of a list, which is empty at first.
func (all *fetchPlan) list(filter restclient.Filter) *listPlan {
	if p := all.find(filter); p != nil {
		return p
	}
	all.lists = append(all.lists, listPlan{filter: filter, front: -1, back: -1})
	return &all.lists[len(all.lists)-1]
}

// find returns the plan of a list, nil where nothing is planned; all may be nil.
func (all *fetchPlan) find(filter restclient.Filter) *listPlan {
	if all == nil {
		return nil
	}
	if i := slices.IndexFunc(all.lists, func(p listPlan) bool { return p.filter == filter }); i >= 0 {
		return &all.lists[i]
	}
	return nil
}

// add adds a window.
func (p *listPlan) add(w relay.Window) {
	if w.Count == 0 && (w.FromBack && w.Before == nil || !w.FromBack && w.After == nil) {
		p.ends++
	}
	switch {
	case !w.IsUnanchored():
	case w.FromBack:
		p.back = max(p.back, w.Count)
	default:
		p.front = max(p.front, w.Count)
		if w.Count > relay.MaxPageSize {
			return // all of them begin as the longest does
		}
	}
	p.ranges = append(p.ranges, w.First()...)
}

// calls returns how many upstream calls the plan takes at most, in a list that does not move.
func (p *listPlan) calls() int {
	calls := len(p.first) + p.ends
	if p.front > relay.MaxPageSize {
		calls += relay.MostPages(p.front) - len(p.long) // without the first, which is planned
	}
	if p.back >= 0 {
		calls += 1 + relay.MostPages(max(p.back, 1)) // after the total
	}
	return max(calls, 1) // the total
}

// reader returns a reader of a window, and what it reads first. It shares the pages of the operation's other windows.
func (all *fetchPlan) reader(filter restclient.Filter, w relay.Window) (*relay.Assembler, []relay.Range) {
	reader, p := relay.NewAssembler(w), all.find(filter)
	switch {
	case p == nil || !w.IsUnanchored():
	case w.FromBack:
		reader.AlignWith(p.back)
	default:
		reader.AlignWith(p.front)
		if w.Count > relay.MaxPageSize {
			return reader, p.long
		}
	}
	return reader, w.First()
}
