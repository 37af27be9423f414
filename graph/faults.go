package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"cvmgraph/internal/relay"
	"cvmgraph/restclient"
)

// reportFaults adds an error for each selected place where an item of the answer is not what the schema says, at that
// place's path, and for each CVM that the list repeats. It runs while the connection's field is resolved.
func reportFaults(ctx context.Context, pages []*restclient.Page, slots []relay.Slot) {
	report := faultReport{ctx: ctx, opCtx: graphql.GetOperationContext(ctx)}
	connection := graphql.GetFieldContext(ctx)
	for i, slot := range slots {
		faults := pages[slot.Page].Items[slot.Item].Faults
		if len(faults) == 0 && slot.Repeats == 0 {
			continue
		}
		for _, field := range report.fields(connection.Field, "CvmConnection") {
			path := at(connection.Path(), ast.PathName(field.Alias), ast.PathIndex(i))
			switch field.Name {
			case "nodes":
				report.item(field, path, slot, faults)
			case "edges":
				for _, node := range report.fields(field, "CvmEdge") {
					if node.Name == "node" {
						report.item(node, at(path, ast.PathName(node.Alias)), slot, faults)
					}
				}
			}
		}
	}
}

// at returns path with more elements behind it, in memory of its own.
func at(path ast.Path, more ...ast.PathElement) ast.Path {
	return append(slices.Clip(path), more...)
}

type faultReport struct {
	ctx   context.Context
	opCtx *graphql.OperationContext
}

func (r *faultReport) fields(of graphql.CollectedField, typeNames ...string) []graphql.CollectedField {
	return graphql.CollectFields(r.opCtx, of.Selections, typeNames)
}

func (r *faultReport) add(path ast.Path, message string) {
	graphql.AddError(r.ctx, &gqlerror.Error{Err: &faultError{message}, Message: message, Path: path})
}

func (r *faultReport) item(cvm graphql.CollectedField, path ast.Path, slot relay.Slot, faults []restclient.Fault) {
	if slot.Repeats > 0 {
		r.add(path, fmt.Sprintf("the upstream lists this CVM %d times: it is shown once", slot.Repeats+1))
	}
	for _, fault := range faults {
		r.object(cvm, path, fault.Path, fault, faults, "Cvm", "Node")
	}
}

// object reports a fault below an object's selections. rest is what of the fault's path lies below the object.
func (r *faultReport) object(of graphql.CollectedField, path ast.Path, rest []any, fault restclient.Fault, all []restclient.Fault, typeNames ...string) {
	depth := len(fault.Path) - len(rest)
	for _, field := range r.fields(of, typeNames...) {
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

func (r *faultReport) wrong(path ast.Path, fault restclient.Fault) {
	r.add(path, "the upstream's value is not "+fault.Want)
}

// leftOut returns how many elements ahead of index are missing from the list at path: those that were of the wrong type.
func leftOut(faults []restclient.Fault, path []any, index int) int {
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
