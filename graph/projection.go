package graph

import (
	"context"
	"io"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/graph/internal/generated"
	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/querylimit"
)

// projectionExtension is a gqlgen extension that replaces CVMs and connections by projections,
// which write the selected fields from the upstream's bytes. It intercepts each field of Query. It
// also sets fields of __Type to null, because a second extension would cost an allocation for each
// field.
type projectionExtension struct {
	compiler   *projection.Compiler
	enabled    bool // if false, gqlgen executes all fields, and the selections only compute sizes
	tracer     *Tracer
	selections *otter.Cache[selectionKey, *projection.Selection]
}

// selectionKey is everything that a compiled selection depends on.
type selectionKey struct {
	operation *ast.OperationDefinition
	field     *ast.Field
	// booleans are the values of the operation's Boolean variables, two bits each.
	booleans uint64
}

const (
	// selectionBytes limits the memory of the cached selections and of their documents, in bytes.
	selectionBytes = 16 << 20
	// maxBooleans is the number of Boolean variables that a selectionKey can hold.
	maxBooleans = 32
)

func newProjectionExtension(compiler *projection.Compiler, enabled bool, tracer *Tracer) *projectionExtension {
	return &projectionExtension{compiler, enabled, tracer, otter.Must(&otter.Options[selectionKey, *projection.Selection]{
		MaximumWeight: selectionBytes,
		Weigher: func(key selectionKey, selection *projection.Selection) uint32 {
			return uint32(querylimit.DocumentBytes(key.field.Position.Src.Input) + selection.MemorySize())
		},
	})}
}

// ExtensionName names the extension for gqlgen.
func (*projectionExtension) ExtensionName() string { return "Projection" }

// Validate accepts every schema.
func (*projectionExtension) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField resolves a field, unless one of its arguments must not be null. If the field's
// type is projected, it returns the projection; if gqlgen must execute the field, it checks the
// size first.
func (e *projectionExtension) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	// An extension for this check would take an allocation for each field.
	if err := querylimit.CheckArguments(graphql.GetOperationContext(ctx), field.Field.Field); err != nil {
		return nil, err
	}
	if field.Object == "__Type" && !model.HasTypeField(field.Parent.Result.(*introspection.Type), field.Field.Name) {
		return nil, nil
	}
	if field.Object != "Query" {
		return next(ctx)
	}
	// gqlgen resolves _entities without marking it as a resolver.
	if e.tracer != nil && (field.IsResolver || field.Field.Name == "_entities") {
		return e.tracer.field(ctx, func(ctx context.Context) (any, error) { return e.resolve(ctx, next) })
	}
	return e.resolve(ctx, next)
}

// resolve resolves a field of Query.
func (e *projectionExtension) resolve(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if err != nil {
		return value, err
	}
	p := projectedField{segments: &operationFrom(ctx).segments}
	switch v := value.(type) {
	case *model.CvmConnection:
		if v == nil {
			return v, nil
		}
		if e.project(ctx, &p, (*projection.Compiler).Connection) {
			return &projectedConnection{p, &v.Window}, nil
		}
		return v, p.segments.execute(p.field, p.selection.ConnectionSize(&v.Window, maxExecuted))
	case *model.Cvm:
		if v == nil {
			return v, nil
		}
		if e.project(ctx, &p, (*projection.Compiler).Item) {
			return &projectedNode{p, v.Indexed}, nil
		}
		return v.Decode(), p.segments.execute(p.field, p.selection.ItemSize(v.Indexed, maxExecuted))
	case []generated.Node:
		return resolveNodes(ctx, e, p, v)
	case []generated.Entity:
		if v == nil {
			return nil, nil
		}
		return resolveNodes(ctx, e, p, v)
	}
	return value, nil
}

// resolveNodes returns the projection of CVMs, or the decoded CVMs if gqlgen must execute the
// field.
func resolveNodes[T any](ctx context.Context, e *projectionExtension, p projectedField, nodes []T) (any, error) {
	if e.project(ctx, &p, (*projection.Compiler).Item) {
		return &projectedNodes[T]{p, nodes}, nil
	}
	for _, node := range nodes {
		if cvm, ok := any(node).(*model.Cvm); ok {
			if err := p.segments.execute(p.field, p.selection.ItemSize(cvm.Indexed, maxExecuted)); err != nil {
				return nodes, err
			}
			cvm.Decode()
		}
	}
	return nodes, nil
}

// project sets the selection and the name of the current field. It returns false if gqlgen must
// execute the field.
func (e *projectionExtension) project(ctx context.Context, p *projectedField, compile compile) bool {
	p.selection, p.field = e.selection(ctx, compile), graphql.GetFieldContext(ctx).Field.Alias
	return e.enabled && p.selection.Supported()
}

// compile compiles the selection of a field.
type compile func(*projection.Compiler, *graphql.OperationContext, graphql.CollectedField) *projection.Selection

// selection returns the compiled selection of the current field.
func (e *projectionExtension) selection(ctx context.Context, compile compile) *projection.Selection {
	opCtx, field := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field
	booleans, ok := booleansOf(opCtx)
	if !ok {
		return compile(e.compiler, opCtx, field)
	}
	key := selectionKey{opCtx.Operation, field.Field, booleans}
	selection, ok := e.selections.GetIfPresent(key)
	if !ok {
		selection = compile(e.compiler, opCtx, field)
		e.selections.Set(key, selection)
	}
	return selection
}

// booleansOf returns the values of the operation's Boolean variables, and false if there are too
// many.
func booleansOf(opCtx *graphql.OperationContext) (booleans uint64, ok bool) {
	n := 0
	for _, v := range opCtx.Operation.VariableDefinitions {
		if v.Type.NamedType != "Boolean" {
			continue
		}
		if n++; n > maxBooleans {
			return 0, false
		}
		booleans <<= 2
		switch opCtx.Variables[v.Variable] {
		case true:
			booleans |= 1
		case false:
			booleans |= 2
		}
	}
	return booleans, true
}

// projectedField is a field with its compiled selection.
type projectedField struct {
	segments  *rawSegments
	selection *projection.Selection
	field     string // its name in the response
}

func (p *projectedField) name() string { return p.field }

// projectedConnection is the projection of a connection.
type projectedConnection struct {
	projectedField
	window *projection.Window
}

// MarshalGQL writes the placeholder of the connection.
func (p *projectedConnection) MarshalGQL(w io.Writer) { p.segments.add(w, p) }

func (p *projectedConnection) appendJSON(dst []byte, out projection.Output) []byte {
	return p.selection.AppendConnection(dst, p.window, out)
}

// projectedNode is the projection of a CVM.
type projectedNode struct {
	projectedField
	item projection.Item
}

// MarshalGQL writes the placeholder of the CVM.
func (p *projectedNode) MarshalGQL(w io.Writer) { p.segments.add(w, p) }

func (p *projectedNode) appendJSON(dst []byte, out projection.Output) []byte {
	return p.selection.AppendItem(dst, p.item, out)
}

// projectedNodes is the projection of a list of CVMs. An element is nil if there is no such CVM.
type projectedNodes[T any] struct {
	projectedField
	nodes []T
}

// MarshalGQL writes the placeholder of the list.
func (p *projectedNodes[T]) MarshalGQL(w io.Writer) { p.segments.add(w, p) }

func (p *projectedNodes[T]) appendJSON(dst []byte, out projection.Output) []byte {
	dst = append(dst, '[')
	for i, node := range p.nodes {
		if len(dst) > out.Limit {
			return dst
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		if cvm, ok := any(node).(*model.Cvm); ok {
			dst = p.selection.AppendItem(dst, cvm.Indexed, out)
		} else {
			dst = append(dst, "null"...)
		}
	}
	return append(dst, ']')
}
