package graph

import (
	"bytes"
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
	to := &operationFrom(ctx).splices
	switch v := value.(type) {
	case *model.CvmConnection:
		if plan := j.plan(ctx, (*projection.Planner).Connection); v != nil && plan != nil {
			return &projectedConnection{to, plan, &v.Window}, nil
		}
	case *model.Cvm:
		if v == nil {
			return v, nil
		}
		if plan := j.plan(ctx, (*projection.Planner).Item); plan != nil {
			return &projectedNode{to, plan, v.Indexed}, nil
		}
		return v.Decode(), nil
	case []generated.Node:
		return nodesOf(ctx, j, v), nil
	case []generated.Entity:
		if v == nil {
			return nil, nil
		}
		return nodesOf(ctx, j, v), nil
	}
	return value, nil
}

// nodesOf returns what is to be written in the place of CVMs: themselves, decoded, where gqlgen is to execute the field.
func nodesOf[T any](ctx context.Context, j *joint, nodes []T) any {
	if plan := j.plan(ctx, (*projection.Planner).Item); plan != nil {
		return &projectedNodes[T]{&operationFrom(ctx).splices, plan, nodes}
	}
	for _, node := range nodes {
		if cvm, ok := any(node).(*model.Cvm); ok {
			cvm.Decode()
		}
	}
	return nodes
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
type splices struct {
	parts []appender
	room  [1]appender // for the one that most answers have
	mark  [1]byte     // spliced
}

// appender appends JSON.
type appender interface{ appendJSON(dst []byte) []byte }

// put writes the mark in whose place [splices.append] will write the JSON.
func (s *splices) put(w io.Writer, a appender) {
	if s.parts == nil {
		s.parts = s.room[:0]
	}
	s.parts = append(s.parts, a)
	_, _ = w.Write(s.mark[:]) // into gqlgen's buffer, which takes everything
}

// append appends gqlgen's data to dst, with the projections in their places.
func (s *splices) append(dst, data []byte) []byte {
	for {
		at := bytes.IndexByte(data, spliced)
		if at < 0 {
			return append(dst, data...)
		}
		dst = s.parts[0].appendJSON(append(dst, data[:at]...))
		s.parts, data = s.parts[1:], data[at+1:]
	}
}

// projectedConnection is a connection with the selection of it.
type projectedConnection struct {
	to     *splices
	plan   *projection.Plan
	window *projection.Window
}

// MarshalGQL marks the connection's place.
func (p *projectedConnection) MarshalGQL(w io.Writer) { p.to.put(w, p) }

func (p *projectedConnection) appendJSON(dst []byte) []byte {
	return p.plan.AppendConnection(dst, p.window)
}

// projectedNode is a CVM with the selection of it.
type projectedNode struct {
	to   *splices
	plan *projection.Plan
	item projection.Item
}

// MarshalGQL marks the CVM's place.
func (p *projectedNode) MarshalGQL(w io.Writer) { p.to.put(w, p) }

func (p *projectedNode) appendJSON(dst []byte) []byte { return p.plan.AppendItem(dst, p.item) }

// projectedNodes are CVMs, nil where there is none, with the selection of them.
type projectedNodes[T any] struct {
	to    *splices
	plan  *projection.Plan
	nodes []T
}

// MarshalGQL marks the CVMs' place.
func (p *projectedNodes[T]) MarshalGQL(w io.Writer) { p.to.put(w, p) }

func (p *projectedNodes[T]) appendJSON(dst []byte) []byte {
	dst = append(dst, '[')
	for i, node := range p.nodes {
		if i > 0 {
			dst = append(dst, ',')
		}
		if cvm, ok := any(node).(*model.Cvm); ok {
			dst = p.plan.AppendItem(dst, cvm.Indexed)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, ']')
}
