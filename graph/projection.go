package graph

import (
	"context"
	"io"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/projection"
)

// joint puts projections in the place of the CVMs and connections that gqlgen would execute the selections of.
type joint struct {
	planner *projection.Planner // nil: gqlgen executes everything
	plans   *otter.Cache[planKey, *projection.Plan]
}

// planKey says what a plan depends on.
type planKey struct {
	operation *ast.OperationDefinition
	field     *ast.Field
	// conditions are the values of the operation's Boolean variables, two bits each.
	conditions uint64
}

const (
	// planBytes bounds what the plans and the documents that they keep alive take, in bytes.
	planBytes = 16 << 20
	// maxConditions is how many Boolean variables a planKey has room for.
	maxConditions = 32
)

func newJoint(planner *projection.Planner) *joint {
	return &joint{planner, otter.Must(&otter.Options[planKey, *projection.Plan]{
		MaximumWeight: planBytes,
		Weigher: func(key planKey, plan *projection.Plan) uint32 {
			size := parsedFactor*len(key.field.Position.Src.Input) + entryBytes
			if plan != nil {
				size += plan.Size()
			}
			return uint32(size)
		},
	})}
}

// ExtensionName names the extension for gqlgen.
func (*joint) ExtensionName() string { return "Projection" }

// Validate accepts every schema.
func (*joint) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField resolves a field, and returns what is to be written in its place where it has one of the types that are
// projected.
func (j *joint) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if err != nil || graphql.GetFieldContext(ctx).Object != "Query" {
		return value, err
	}
	switch v := value.(type) {
	case *model.CvmConnection:
		if plan := j.plan(ctx, (*projection.Planner).Connection); v != nil && plan != nil {
			return project(ctx, func(dst []byte) []byte { return plan.AppendConnection(dst, &v.Window) }), nil
		}
	case *model.Cvm:
		if v == nil {
			return v, nil
		}
		return j.node(ctx, v), nil
	case []generated.Node:
		return j.nodes(ctx, v), nil
	}
	return value, nil
}

func (j *joint) node(ctx context.Context, cvm *model.Cvm) any {
	plan := j.plan(ctx, (*projection.Planner).Item)
	if plan == nil {
		return cvm.Decode()
	}
	return project(ctx, func(dst []byte) []byte { return plan.AppendItem(dst, cvm.Indexed) })
}

func (j *joint) nodes(ctx context.Context, nodes []generated.Node) any {
	plan := j.plan(ctx, (*projection.Planner).Item)
	if plan == nil {
		for _, node := range nodes {
			if cvm, ok := node.(*model.Cvm); ok {
				cvm.Decode()
			}
		}
		return nodes
	}
	return project(ctx, func(dst []byte) []byte {
		dst = append(dst, '[')
		for i, node := range nodes {
			if i > 0 {
				dst = append(dst, ',')
			}
			if cvm, ok := node.(*model.Cvm); ok {
				dst = plan.AppendItem(dst, cvm.Indexed)
			} else {
				dst = append(dst, "null"...)
			}
		}
		return append(dst, ']')
	})
}

// plan returns the plan of the current field, nil where gqlgen is to execute it.
func (j *joint) plan(ctx context.Context, compile func(*projection.Planner, *graphql.OperationContext, graphql.CollectedField) (*projection.Plan, bool)) *projection.Plan {
	if j.planner == nil {
		return nil
	}
	opCtx, field := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	conditions, ok := conditionsOf(opCtx)
	if !ok {
		plan, _ := compile(j.planner, opCtx, field)
		return plan
	}
	key := planKey{opCtx.Operation, field.Field, conditions}
	plan, ok := j.plans.GetIfPresent(key)
	if !ok {
		plan, _ = compile(j.planner, opCtx, field)
		j.plans.Set(key, plan)
	}
	return plan
}

// conditionsOf returns the values of the operation's Boolean variables, false where there are too many of them.
func conditionsOf(opCtx *graphql.OperationContext) (conditions uint64, ok bool) {
	n := 0
	for _, v := range opCtx.Operation.VariableDefinitions {
		if v.Type.NamedType != "Boolean" {
			continue
		}
		if n++; n > maxConditions {
			return 0, false
		}
		conditions <<= 2
		switch opCtx.Variables[v.Variable] {
		case true:
			conditions |= 1
		case false:
			conditions |= 2
		}
	}
	return conditions, true
}

// spliced stands in gqlgen's data for what a projection writes. It is never in JSON.
const spliced = 0

// splices are the projections of one answer, in the order in which they stand in gqlgen's data.
type splices struct{ parts []func(dst []byte) []byte }

type splicesKey struct{}

// project returns a value that gqlgen marshals to a mark, where [splices.append] will write the JSON.
func project(ctx context.Context, appendJSON func(dst []byte) []byte) graphql.Marshaler {
	s := ctx.Value(splicesKey{}).(*splices)
	return graphql.WriterFunc(func(w io.Writer) {
		s.parts = append(s.parts, appendJSON)
		_, _ = w.Write([]byte{spliced}) // into gqlgen's buffer, which takes everything
	})
}

// append appends gqlgen's data to dst, with the projections in their places.
func (s *splices) append(dst, data []byte) []byte {
	for _, c := range data {
		if c == spliced {
			dst = s.parts[0](dst)
			s.parts = s.parts[1:]
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
