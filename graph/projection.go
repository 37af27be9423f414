package graph

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/apierror"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/querylimit"
)

// joint puts projections in the place of the CVMs and connections that gqlgen would execute the selections of.
type joint struct {
	planner  *projection.Planner
	projects bool // false: gqlgen executes everything, and the plans tell sizes
	tracer   *Tracer
	plans    *otter.Cache[planKey, *projection.Plan]
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

func newJoint(planner *projection.Planner, projects bool, tracer *Tracer) *joint {
	return &joint{planner, projects, tracer, otter.Must(&otter.Options[planKey, *projection.Plan]{
		MaximumWeight: planBytes,
		Weigher: func(key planKey, plan *projection.Plan) uint32 {
			return uint32(querylimit.DocumentBytes(key.field.Position.Src.Input) + plan.MemorySize())
		},
	})}
}

// ExtensionName names the extension for gqlgen.
func (*joint) ExtensionName() string { return "Projection" }

// Validate accepts every schema.
func (*joint) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField resolves a field, and returns what is to be written in its place where it has one of the types that are
// projected. What gqlgen is to execute is measured first.
func (j *joint) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	if field.Object != "Query" {
		return next(ctx)
	}
	if j.tracer != nil && (field.IsResolver || field.Field.Name == "_entities") { // these are resolved without one
		return j.tracer.field(ctx, func(ctx context.Context) (any, error) { return j.resolve(ctx, next) })
	}
	return j.resolve(ctx, next)
}

// resolve resolves a field of Query.
func (j *joint) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if err != nil {
		return value, err
	}
	p := projected{to: &operationFrom(ctx).splices}
	switch v := value.(type) {
	case *model.CvmConnection:
		if v == nil {
			return v, nil
		}
		if j.project(ctx, &p, (*projection.Planner).Connection) {
			return &projectedConnection{p, &v.Window}, nil
		}
		return v, p.to.execute(p.field, p.plan.ConnectionSize(&v.Window, maxExecuted))
	case *model.Cvm:
		if v == nil {
			return v, nil
		}
		if j.project(ctx, &p, (*projection.Planner).Item) {
			return &projectedNode{p, v.Indexed}, nil
		}
		return v.Decode(), p.to.execute(p.field, p.plan.ItemSize(v.Indexed, maxExecuted))
	case []generated.Node:
		return nodesOf(ctx, j, p, v)
	case []generated.Entity:
		if v == nil {
			return nil, nil
		}
		return nodesOf(ctx, j, p, v)
	}
	return value, nil
}

// nodesOf returns what is to be written in the place of CVMs: themselves, decoded, where gqlgen is to execute the field.
func nodesOf[T any](ctx context.Context, j *joint, p projected, nodes []T) (any, error) {
	if j.project(ctx, &p, (*projection.Planner).Item) {
		return &projectedNodes[T]{p, nodes}, nil
	}
	for _, node := range nodes {
		if cvm, ok := any(node).(*model.Cvm); ok {
			if err := p.to.execute(p.field, p.plan.ItemSize(cvm.Indexed, maxExecuted)); err != nil {
				return nodes, err
			}
			cvm.Decode()
		}
	}
	return nodes, nil
}

// project completes p for the current field. It returns false where gqlgen is to execute the field.
func (j *joint) project(ctx context.Context, p *projected, compile compile) bool {
	p.plan, p.field = j.plan(ctx, compile), graphql.GetFieldContext(ctx).Field.Alias
	return j.projects && p.plan.Supported()
}

// compile makes the plan of a field.
type compile func(*projection.Planner, *graphql.OperationContext, graphql.CollectedField) *projection.Plan

// plan returns the plan of the current field.
func (j *joint) plan(ctx context.Context, compile compile) *projection.Plan {
	opCtx, field := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	conditions, ok := conditionsOf(opCtx)
	if !ok {
		return compile(j.planner, opCtx, field)
	}
	key := planKey{opCtx.Operation, field.Field, conditions}
	plan, ok := j.plans.GetIfPresent(key)
	if !ok {
		plan = compile(j.planner, opCtx, field)
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

const (
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 32 << 20
	// maxExecuted bounds what gqlgen executes of an answer: it takes about ten times as much memory as it has bytes.
	maxExecuted = 8 << 20
)

// splices are the projections of one answer, in the order in which they stand in gqlgen's data.
type splices struct {
	parts []part
	room  [1]part // for the one that most answers have
	mark  [1]byte // spliced

	executed atomic.Int64 // bytes that gqlgen executes
	tooLarge atomic.Pointer[gqlerror.Error]
}

// part is a projection.
type part interface {
	// appendJSON appends JSON, and stops once dst is longer than most bytes.
	appendJSON(dst []byte, most int) []byte
	// name is the field's in the answer.
	name() string
}

// refuse refuses the whole response, which has at least actual bytes, and returns the error. If field is not empty, it is the field
// that exceeds the limit.
func (s *splices) refuse(field string, limit, actual int) error {
	e := &apierror.Error{
		Code: apierror.CodeTooComplex, Limit: int64(limit), Actual: int64(actual),
		Message: fmt.Sprintf("the response has %d bytes or more: at most %d are allowed; ask for fewer items or fields", actual, limit),
	}
	shown := e.GraphQL()
	if field != "" {
		shown.Path = ast.Path{ast.PathName(field)}
	}
	s.tooLarge.CompareAndSwap(nil, shown)
	return e
}

// execute says whether gqlgen may execute a field that makes so many bytes. The error is an *apierror.Error.
func (s *splices) execute(field string, size int) error {
	if all := s.executed.Add(int64(size)); all > maxExecuted {
		return s.refuse(field, maxExecuted, int(all))
	}
	return nil
}

// put writes the mark in whose place [splices.append] will write the JSON.
func (s *splices) put(w io.Writer, p part) {
	if s.parts == nil {
		s.parts = s.room[:0]
	}
	s.parts = append(s.parts, p)
	_, _ = w.Write(s.mark[:]) // into gqlgen's buffer, which takes everything
}

// append appends gqlgen's data to dst, with the projections in their places. Where the answer is too large, what it returns is no
// JSON, and tooLarge says so.
func (s *splices) append(dst, data []byte) []byte {
	for s.tooLarge.Load() == nil {
		at := bytes.IndexByte(data, spliced)
		if whole := at < 0; whole || len(dst)+at > maxAnswer {
			if dst = append(dst, data...); len(dst) > maxAnswer {
				_ = s.refuse("", maxAnswer, len(dst))
			}
			return dst
		}
		dst = s.parts[0].appendJSON(append(dst, data[:at]...), maxAnswer)
		if len(dst) > maxAnswer {
			_ = s.refuse(s.parts[0].name(), maxAnswer, len(dst))
		}
		s.parts, data = s.parts[1:], data[at+1:]
	}
	return dst
}

// projected is a field with what is selected of it.
type projected struct {
	to    *splices
	plan  *projection.Plan
	field string
}

func (p *projected) name() string { return p.field }

// projectedConnection is a connection with the selection of it.
type projectedConnection struct {
	projected
	window *projection.Window
}

// MarshalGQL marks the connection's place.
func (p *projectedConnection) MarshalGQL(w io.Writer) { p.to.put(w, p) }

func (p *projectedConnection) appendJSON(dst []byte, most int) []byte {
	return p.plan.AppendConnection(dst, p.window, most)
}

// projectedNode is a CVM with the selection of it.
type projectedNode struct {
	projected
	item projection.Item
}

// MarshalGQL marks the CVM's place.
func (p *projectedNode) MarshalGQL(w io.Writer) { p.to.put(w, p) }

func (p *projectedNode) appendJSON(dst []byte, most int) []byte {
	return p.plan.AppendItem(dst, p.item, most)
}

// projectedNodes are CVMs, nil where there is none, with the selection of them.
type projectedNodes[T any] struct {
	projected
	nodes []T
}

// MarshalGQL marks the CVMs' place.
func (p *projectedNodes[T]) MarshalGQL(w io.Writer) { p.to.put(w, p) }

func (p *projectedNodes[T]) appendJSON(dst []byte, most int) []byte {
	dst = append(dst, '[')
	for i, node := range p.nodes {
		if len(dst) > most {
			return dst
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		if cvm, ok := any(node).(*model.Cvm); ok {
			dst = p.plan.AppendItem(dst, cvm.Indexed, most)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, ']')
}
