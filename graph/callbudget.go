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

// callBudgetCheck is a gqlgen extension that rejects operations that may need more upstream calls
// than MaxUpstreamCalls, before the first call. It stores the fetch plan in the operation.
type callBudgetCheck struct{ resolver *Resolver }

// ExtensionName names the extension for gqlgen.
func (callBudgetCheck) ExtensionName() string { return "CallBudgetCheck" }

// Validate accepts every schema.
func (callBudgetCheck) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext checks the operation after its variables are known. It does not change it.
// An operation with one field needs no plan: the field shares no pages, and if no window can exceed
// the budget, there is nothing to check.
func (c callBudgetCheck) MutateOperationContext(ctx context.Context, opCtx *graphql.OperationContext) *gqlerror.Error {
	limit := c.resolver.MaxUpstreamCalls
	if set := opCtx.Operation.SelectionSet; len(set) == 1 && maxWindowCalls(c.resolver.MaxFirst) <= limit {
		if _, ok := set[0].(*ast.Field); ok {
			return nil
		}
	}
	plan := c.resolver.planFetches(opCtx)
	if actual := plan.windowCalls + plan.lookupCalls; actual > limit {
		return (&apierror.Error{
			Code: apierror.CodeTooComplex, Argument: plan.argument, Limit: int64(limit), Actual: int64(actual),
			Message: fmt.Sprintf("the operation may take %d upstream calls: at most %d are allowed; "+
				"request fewer items, or use several operations", actual, limit),
		}).GraphQL()
	}
	// gqlgen decodes the list arguments of each field again before the field can reject long ones.
	if most := querylimit.MaxRootFields * c.resolver.MaxFirst; plan.ids > most {
		return (&apierror.Error{
			Code: apierror.CodeTooComplex, Argument: "ids", Limit: int64(most), Actual: int64(plan.ids),
			Message: fmt.Sprintf("the operation has %d ids: at most %d are allowed, and %d in one list",
				plan.ids, most, c.resolver.MaxFirst),
		}).GraphQL()
	}
	operationFrom(ctx).fetchPlan = plan
	return nil
}

// maxWindowCalls returns the maximum number of calls for a window of up to count items with any
// cursors.
func maxWindowCalls(count int) int { return relay.MostPages(count+1) + 1 }
