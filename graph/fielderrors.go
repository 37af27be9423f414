package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/graph/internal/model"
	"cvmgraph/internal/apierror"
	"cvmgraph/internal/graphqlhttp"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// reportConnection adds an error at each selected field of a connection whose value in the
// upstream's item does not match the schema, and at each CVM that the upstream lists more than
// once. It must be called while the connection's field is resolved.
func reportConnection(ctx context.Context, list projection.List, result *relay.Result) {
	for i := range result.Len() {
		item, repeats := list.Item(i), result.Item(i).Repeats
		if !item.MayHaveInvalid() && repeats == 0 {
			continue
		}
		invalid := invalidFields(item)
		for _, place := range nodePlaces(ctx, i) {
			reportItem(ctx, place.field, place.path, repeats, invalid)
		}
	}
}

// nodePlace is a field that shows an item of a connection.
type nodePlace struct {
	field graphql.CollectedField
	path  ast.Path
}

// nodePlaces returns the fields in which the current connection shows its item at index i: those in
// nodes and in edges, under each alias.
func nodePlaces(ctx context.Context, i int) []nodePlace {
	opCtx, connection := graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx)
	var places []nodePlace
	for _, field := range graphql.CollectFields(opCtx, connection.Field.Selections, []string{"CvmConnection"}) {
		path := appendPath(connection.Path(), ast.PathName(field.Alias), ast.PathIndex(i))
		switch field.Name {
		case "nodes":
			places = append(places, nodePlace{field, path})
		case "edges":
			places = append(places, edgePlaces(opCtx, field, path)...)
		}
	}
	return places
}

// edgePlaces returns the fields in which the edge at path shows its node.
func edgePlaces(opCtx *graphql.OperationContext, edge graphql.CollectedField, path ast.Path) []nodePlace {
	var places []nodePlace
	for _, field := range graphql.CollectFields(opCtx, edge.Selections, []string{"CvmEdge"}) {
		if field.Name == "node" {
			places = append(places, nodePlace{field, appendPath(path, ast.PathName(field.Alias))})
		}
	}
	return places
}

// invalidField is a field of a CVM whose value does not match the schema.
type invalidField struct {
	place []any // the names of Go fields, and indexes of elements
	want  string
}

// invalidFields returns the fields of an item whose values do not match the schema, each once: a
// field can have several sources, and all of them can be wrong.
func invalidFields(item projection.Item) (fields []invalidField) {
	if !item.MayHaveInvalid() {
		return nil
	}
	decoded, shape := model.Decode(item), restclient.Shape(item.Page.Shape())
	seen := map[string]bool{}
	for _, e := range decoded.FieldErrors {
		for _, place := range shape.Places(decoded, e) {
			if key := fmt.Sprint(place); !seen[key] {
				seen[key] = true
				fields = append(fields, invalidField{place, e.Want})
			}
		}
	}
	return fields
}

// reportItem adds the errors of one CVM that the field at path shows.
func reportItem(ctx context.Context, cvm graphql.CollectedField, path ast.Path, repeats int, invalid []invalidField) {
	report := fieldErrorReport{ctx, graphql.GetOperationContext(ctx), &operationFrom(ctx).fieldErrors}
	if repeats > 0 {
		report.add(path, fmt.Sprintf("the upstream lists this CVM %d times: it is shown once", repeats+1))
	}
	for _, field := range invalid {
		if report.count.Load() > graphqlhttp.MaxErrors {
			return
		}
		report.object(cvm, path, field, "Cvm", "Node", "_Entity")
	}
}

// appendPath returns a copy of path with more elements.
func appendPath(path ast.Path, more ...ast.PathElement) ast.Path {
	return append(slices.Clip(path), more...)
}

// fieldErrorReport adds errors at the selected fields of one CVM.
type fieldErrorReport struct {
	ctx   context.Context
	opCtx *graphql.OperationContext
	count *atomic.Int64 // errors of the operation so far; a response shows only the first ones
}

func (r *fieldErrorReport) add(path ast.Path, message string) {
	if r.count.Add(1) <= graphqlhttp.MaxErrors+1 {
		e := apierror.New(apierror.CodeInvalidResponse, message)
		graphql.AddError(r.ctx, &gqlerror.Error{Err: e, Message: message, Path: path})
	}
}

// object reports an invalid field that is in the selections of an object. The object is at path in
// the response, and the field's place counts from the object.
func (r *fieldErrorReport) object(object graphql.CollectedField, path ast.Path, invalid invalidField, typeNames ...string) {
	for _, field := range graphql.CollectFields(r.opCtx, object.Selections, typeNames) {
		if field.Definition == nil || !strings.EqualFold(field.Name, invalid.place[0].(string)) {
			continue
		}
		path, below := appendPath(path, ast.PathName(field.Alias)), invalid
		below.place = below.place[1:]
		if len(below.place) > 0 {
			if index, ok := below.place[0].(int); ok {
				path, below.place = appendPath(path, ast.PathIndex(index)), below.place[1:]
			}
		}
		if len(below.place) == 0 {
			r.add(path, "the upstream's value is not "+invalid.want)
			continue
		}
		r.object(field, path, below, field.Definition.Type.Name())
	}
}
