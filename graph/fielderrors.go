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

// invalidFields returns the fields of an item whose values do not match the schema.
func invalidFields(item projection.Item) []restclient.FieldError {
	if !item.MayHaveInvalid() {
		return nil
	}
	return model.Decode(item).FieldErrors
}

// reportItem adds the errors of one CVM that the field at path shows.
func reportItem(
	ctx context.Context, cvm graphql.CollectedField, path ast.Path, repeats int, invalid []restclient.FieldError,
) {
	report := fieldErrorReport{ctx, graphql.GetOperationContext(ctx), invalid, &operationFrom(ctx).fieldErrors}
	if repeats > 0 {
		report.add(path, fmt.Sprintf("the upstream lists this CVM %d times: it is shown once", repeats+1))
	}
	for _, field := range invalid {
		if report.count.Load() > graphqlhttp.MaxErrors {
			return
		}
		report.object(cvm, path, field.Path, field, "Cvm", "Node", "_Entity")
	}
}

// appendPath returns a copy of path with more elements.
func appendPath(path ast.Path, more ...ast.PathElement) ast.Path {
	return append(slices.Clip(path), more...)
}

// fieldErrorReport adds errors at the selected fields of one CVM.
type fieldErrorReport struct {
	ctx     context.Context
	opCtx   *graphql.OperationContext
	invalid []restclient.FieldError // all invalid fields of the CVM
	count   *atomic.Int64           // errors of the operation so far; a response shows only the first ones
}

func (r *fieldErrorReport) add(path ast.Path, message string) {
	if r.count.Add(1) <= graphqlhttp.MaxErrors+1 {
		e := apierror.New(apierror.CodeInvalidResponse, message)
		graphql.AddError(r.ctx, &gqlerror.Error{Err: e, Message: message, Path: path})
	}
}

func (r *fieldErrorReport) addInvalid(path ast.Path, invalid restclient.FieldError) {
	r.add(path, "the upstream's value is not "+invalid.Want)
}

// object reports an invalid field that is in the selections of an object. The object is at path in
// the response, and rest is the part of the invalid field's path that is inside the object.
func (r *fieldErrorReport) object(
	object graphql.CollectedField, path ast.Path, rest []any, invalid restclient.FieldError, typeNames ...string,
) {
	depth := len(invalid.Path) - len(rest)
	for _, field := range graphql.CollectFields(r.opCtx, object.Selections, typeNames) {
		// A CVM's vmId is the same value as the vmId of its VM.
		if field.Name == "vmId" && len(rest) == 2 && rest[0] == "hosted" && rest[1] == "id" && depth == 0 {
			r.addInvalid(appendPath(path, ast.PathName(field.Alias)), invalid)
			continue
		}
		if field.Definition == nil || field.Name != fieldOfKey(field.ObjectDefinition.Name, rest[0].(string)) {
			continue
		}
		path, rest := r.element(appendPath(path, ast.PathName(field.Alias)), rest[1:], invalid)
		if len(rest) == 0 {
			r.addInvalid(path, invalid)
			continue
		}
		r.object(field, path, rest, invalid, field.Definition.Type.Name())
	}
}

// element returns the path of the list element that rest begins with, and what of rest is inside
// that element. It returns both paths as they are if rest does not begin with an index.
func (r *fieldErrorReport) element(path ast.Path, rest []any, invalid restclient.FieldError) (ast.Path, []any) {
	if len(rest) == 0 {
		return path, rest
	}
	index, ok := rest[0].(int)
	if !ok {
		return path, rest
	}
	list := invalid.Path[:len(invalid.Path)-len(rest)]
	if rest = rest[1:]; len(rest) > 0 {
		index -= r.removedBefore(list, index)
	}
	return appendPath(path, ast.PathIndex(index)), rest
}

// removedBefore returns how many elements before index the response does not have because their
// type was wrong. The elements are of the list at path.
func (r *fieldErrorReport) removedBefore(path []any, index int) int {
	var n int
	for _, f := range r.invalid {
		if len(f.Path) == len(path)+1 && slices.Equal(f.Path[:len(path)], path) {
			if i, ok := f.Path[len(path)].(int); ok && i < index {
				n++
			}
		}
	}
	return n
}

// fieldOfKey returns the field of a GraphQL type that shows a key of the upstream's object.
func fieldOfKey(typeName, key string) string {
	if key == "id" {
		ids := map[string]string{"HostedVm": "vmId", "ManagedUser": "userId", "CvmNode": "nodeId", "KmsInfo": "kmsId"}
		if id, ok := ids[typeName]; ok {
			return id
		}
	}
	head, tail, found := strings.Cut(key, "_")
	for found {
		var word string
		word, tail, found = strings.Cut(tail, "_")
		head += strings.ToUpper(word[:1]) + word[1:]
	}
	return head
}
