package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/apierror"
	"cvmgraph/internal/querylimit"
	"cvmgraph/internal/relay"
)

// costs refuses operations that may take more upstream calls than they may, before any is made. What it plans is what the fields
// fetch.
type callBudgetCheck struct{ resolver *Resolver }

// ExtensionName names the extension for gqlgen.
func (callBudgetCheck) ExtensionName() string { return "Costs" }

// Validate accepts every schema.
func (callBudgetCheck) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext looks at the operation, which has its variables by now, and changes nothing of it. A field alone has nobody
// to share pages with; where no window could take too many calls, there is nothing to plan.
func (c callBudgetCheck) MutateOperationContext(ctx context.Context, opCtx *graphql.OperationContext) *gqlerror.Error {
	limit := c.resolver.MaxUpstreamCalls
	if set := opCtx.Operation.SelectionSet; len(set) == 1 && mostPages(c.resolver.MaxFirst) <= limit {
		if _, ok := set[0].(*ast.Field); ok {
			return nil
		}
	}
	planned := c.resolver.planFetches(opCtx)
	if actual := planned.windowCalls + planned.lookupCalls; actual > limit {
		return (&apierror.Error{
			Code: apierror.CodeTooComplex, Argument: planned.argument, Limit: int64(limit), Actual: int64(actual),
			Message: fmt.Sprintf("the operation may take %d upstream calls, of at most %d: ask for fewer items, or in several operations", actual, limit),
		}).GraphQL()
	}
	// gqlgen reads lists that are far too long for each field anew, before the field refuses them.
	if most := querylimit.MaxRootFields * c.resolver.MaxFirst; planned.ids > most {
		return (&apierror.Error{
			Code: apierror.CodeTooComplex, Argument: "ids", Limit: int64(most), Actual: int64(planned.ids),
			Message: fmt.Sprintf("the operation has %d ids: at most %d are allowed, and %d in a list", planned.ids, most, c.resolver.MaxFirst),
		}).GraphQL()
	}
	operationFrom(ctx).plan = planned
	return nil
}

// mostPages returns how many pages a window of up to count items takes at most, whatever its cursors are.
func mostPages(count int) int { return relay.MostPages(count+1) + 1 }
