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
	"cvmgraph/internal/projection"
	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// reportFaults adds an error for each selected place where an item of the answer is not what the schema says, at that
// place's path, and for each CVM that the list repeats. It runs while the connection's field is resolved.
func reportFaults(ctx context.Context, list projection.List, answer *relay.Answer) {
	connection := graphql.GetFieldContext(ctx)
	opCtx := graphql.GetOperationContext(ctx)
	for i := range answer.Len() {
		item, slot := list.Item(i), answer.Slot(i)
		if !item.HasInvalid() && slot.Repeats == 0 {
			continue
		}
		faults := faultsOf(item)
		for _, field := range graphql.CollectFields(opCtx, connection.Field.Selections, []string{"CvmConnection"}) {
			path := at(connection.Path(), ast.PathName(field.Alias), ast.PathIndex(i))
			switch field.Name {
			case "nodes":
				reportItem(ctx, field, path, slot.Repeats, faults)
			case "edges":
				for _, node := range graphql.CollectFields(opCtx, field.Selections, []string{"CvmEdge"}) {
					if node.Name == "node" {
						reportItem(ctx, node, at(path, ast.PathName(node.Alias)), slot.Repeats, faults)
					}
				}
			}
		}
	}
}

// faultsOf returns what of an item has the wrong type.
func faultsOf(item projection.Item) []restclient.FieldError {
	if !item.HasInvalid() {
		return nil
	}
	return model.Decode(item).FieldErrors
}

// reportItem does so for one CVM, which the field at path shows.
func reportItem(ctx context.Context, cvm graphql.CollectedField, path ast.Path, repeats int, faults []restclient.FieldError) {
	report := faultReport{ctx: ctx, opCtx: graphql.GetOperationContext(ctx), errors: &operationFrom(ctx).faults}
	if repeats > 0 {
		report.add(path, fmt.Sprintf("the upstream lists this CVM %d times: it is shown once", repeats+1))
	}
	for _, fault := range faults {
		if report.errors.Load() > maxErrors {
			return
		}
		report.object(cvm, path, fault.Path, fault, faults, "Cvm", "Node", "_Entity")
	}
}

// at returns path with more elements behind it, in memory of its own.
func at(path ast.Path, more ...ast.PathElement) ast.Path {
	return append(slices.Clip(path), more...)
}

type faultReport struct {
	ctx   context.Context
	opCtx *graphql.OperationContext
	// errors counts those of the operation: those that an answer does not show are not looked for.
	errors *atomic.Int64
}

func (r *faultReport) add(path ast.Path, message string) {
	if r.errors.Add(1) <= maxErrors+1 {
		graphql.AddError(r.ctx, &gqlerror.Error{Err: &faultError{message}, Message: message, Path: path})
	}
}

// object reports a fault below an object's selections. rest is what of the fault's path lies below the object.
func (r *faultReport) object(of graphql.CollectedField, path ast.Path, rest []any, fault restclient.FieldError, all []restclient.FieldError, typeNames ...string) {
	depth := len(fault.Path) - len(rest)
	for _, field := range graphql.CollectFields(r.opCtx, of.Selections, typeNames) {
		// vmId of the item is the same value as vmId of its VM.
		if field.Name == "vmId" && len(rest) == 2 && rest[0] == "hosted" && rest[1] == "id" && depth == 0 {
			r.wrong(at(path, ast.PathName(field.Alias)), fault)
			continue
		}
		if field.Definition == nil || field.Name != fieldOfKey(field.ObjectDefinition.Name, rest[0].(string)) {
			continue
		}
		path := at(path, ast.PathName(field.Alias))
		below := rest[1:]
		if len(below) > 0 {
			if index, ok := below[0].(int); ok {
				if below = below[1:]; len(below) > 0 {
					index -= leftOut(all, fault.Path[:depth+1], index)
				}
				path = at(path, ast.PathIndex(index))
			}
		}
		if len(below) == 0 {
			r.wrong(path, fault)
			continue
		}
		r.object(field, path, below, fault, all, field.Definition.Type.Name())
	}
}

func (r *faultReport) wrong(path ast.Path, fault restclient.FieldError) {
	r.add(path, "the upstream's value is not "+fault.Want)
}

// leftOut returns how many elements ahead of index are missing from the list at path: those that were of the wrong type.
func leftOut(faults []restclient.FieldError, path []any, index int) int {
	var n int
	for _, f := range faults {
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
		switch typeName {
		case "HostedVm":
			return "vmId"
		case "ManagedUser":
			return "userId"
		case "CvmNode":
			return "nodeId"
		case "KmsInfo":
			return "kmsId"
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
