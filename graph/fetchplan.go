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
	// lookupCalls is how many upstream calls find the total of the list that lookups search. How
	// many the search makes depends on that total.
	lookupCalls int
	// ids is the number of ids in the list arguments of lookups.
	ids int
	// argument is the argument that sets how many items to load. It is empty if there are several
	// or none.
	argument string
}

// plannedList is a list with the plan of the windows that the operation loads from it.
type plannedList struct {
	filter restclient.Filter
	plan   *relay.ListPlan
}

// planFetches returns the plan of an operation. It leaves out fields with invalid arguments, whose
// errors are reported when the fields are resolved.
func (r *Resolver) planFetches(opCtx *graphql.OperationContext) *fetchPlan {
	p := &fetchPlan{}
	var windows windowsByList
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
			c.window.TotalOnly = !selectsItems(opCtx, field)
			windows.add(c.list.filter, c.window)
			if c.window.TotalOnly {
				continue
			}
			p.argument = ""
			if connections++; connections == 1 {
				p.argument = args.countArgument()
			}
		}
	}
	for _, list := range windows {
		plan := relay.NewListPlan(list.windows...)
		p.lists = append(p.lists, plannedList{list.filter, plan})
		p.windowCalls += plan.MaxCalls()
	}
	return p
}

// list returns the plan of a list, nil if nothing is planned for it.
func (p *fetchPlan) list(filter restclient.Filter) *relay.ListPlan {
	if p == nil {
		return nil
	}
	if i := slices.IndexFunc(p.lists, func(l plannedList) bool { return l.filter == filter }); i >= 0 {
		return p.lists[i].plan
	}
	return nil
}

// windowsByList groups windows by their list, in the order in which the lists were first added.
type windowsByList []struct {
	filter  restclient.Filter
	windows []relay.Window
}

func (w *windowsByList) add(filter restclient.Filter, window relay.Window) {
	for i := range *w {
		if list := &(*w)[i]; list.filter == filter {
			list.windows = append(list.windows, window)
			return
		}
	}
	*w = append(*w, struct {
		filter  restclient.Filter
		windows []relay.Window
	}{filter, []relay.Window{window}})
}
