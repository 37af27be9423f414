package graph

import (
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// fetchPlan is what the fields of one operation load. It is computed for all fields together,
// before the first upstream call, so that connections that overlap share pages whichever of them is
// resolved first. A nil plan is valid: its fields share nothing.
type fetchPlan struct {
	lists []plannedList
	// windowCalls is how many upstream calls the connections make at most if the lists do not
	// change.
	windowCalls int
	// lookupCalls is the number of upstream calls that find the total of the list in which lookups
	// search: 1 if there are lookups, else 0. The number of calls of the search depends on the
	// total.
	lookupCalls int
	// ids is the number of ids in the list arguments of lookups.
	ids int
	// argument is the argument that sets how many items to load. It is empty if there are several
	// or none.
	argument string
}

// plannedList is a list with the windows that the operation loads from it, and their plan.
type plannedList struct {
	filter  restclient.Filter
	windows []relay.Window
	plan    *relay.ListPlan
}

// planFetches returns the plan of an operation. It leaves out fields with invalid arguments, whose
// errors are reported when the fields are resolved.
func (r *Resolver) planFetches(opCtx *graphql.OperationContext) *fetchPlan {
	p := &fetchPlan{}
	connections := 0
	for _, field := range graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"}) {
		raw := field.ArgumentMap(opCtx.Variables)
		switch field.Name {
		case "nodes":
			p.ids += len(graphql.CoerceList(raw["ids"]))
			p.lookupCalls = 1
		case "_entities":
			p.ids += len(graphql.CoerceList(raw["representations"]))
			p.lookupCalls = 1
		case "node", "cvm":
			p.lookupCalls = 1
		case "cvms":
			args, err := connectionArgsOf(raw)
			if err != nil {
				continue
			}
			c, err := r.windowOf(args)
			if err != nil {
				continue
			}
			if !selectsItems(opCtx, field) {
				c.window.TotalOnly = true
				p.add(c.list.filter, c.window)
				continue
			}
			p.add(c.list.filter, c.window)
			p.argument = ""
			if connections++; connections == 1 {
				p.argument = args.countArgument()
			}
		}
	}
	for i := range p.lists {
		list := &p.lists[i]
		list.plan = relay.NewListPlan(list.windows...)
		p.windowCalls += list.plan.MaxCalls()
	}
	return p
}

// add adds a window of a list.
func (p *fetchPlan) add(filter restclient.Filter, window relay.Window) {
	i := p.index(filter)
	if i < 0 {
		i = len(p.lists)
		p.lists = append(p.lists, plannedList{filter: filter})
	}
	p.lists[i].windows = append(p.lists[i].windows, window)
}

// index returns the index of a list, or -1 if nothing is planned for it.
func (p *fetchPlan) index(filter restclient.Filter) int {
	return slices.IndexFunc(p.lists, func(l plannedList) bool { return l.filter == filter })
}

// list returns the plan of a list, nil if nothing is planned for it.
func (p *fetchPlan) list(filter restclient.Filter) *relay.ListPlan {
	if p == nil {
		return nil
	}
	if i := p.index(filter); i >= 0 {
		return p.lists[i].plan
	}
	return nil
}
