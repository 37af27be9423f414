package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed schema.graphqls
var schema string

// workload is a request for the first items of the list.
type workload struct {
	name, label string
	first       int
	fields      []field // of Cvm
	allFields   bool    // fields has all fields of Cvm
}

// workloads returns all workloads.
func workloads() ([]workload, error) {
	source, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: schema})
	if err != nil {
		return nil, err
	}
	few, err := parseSelection(source, `name status vcpu memory hosted { uptime } node { name }`)
	if err != nil {
		return nil, err
	}
	two, err := parseSelection(source, `name status`)
	if err != nil {
		return nil, err
	}
	return []workload{
		{name: "a", label: "20 items, six fields each", first: 20, fields: few},
		{name: "b", label: "100 items, two fields each", first: 100, fields: two},
		{name: "c", label: "100 items, all fields", first: 100, fields: fieldsOf(source, "Cvm"), allFields: true},
	}, nil
}

// relay returns the request for a Relay connection.
func (w workload) relay() request {
	return operation(
		fmt.Sprintf("query Cvms($first: Int!) { cvms(first: $first) { edges { node %s } } }", w.selection(field.graphql)),
		map[string]any{"first": w.first})
}

// native returns the request for a page in the upstream's format, with the upstream's names.
func (w workload) native() request {
	return operation(
		fmt.Sprintf("query Cvms($page: Int!, $size: Int!) { cvms(page: $page, page_size: $size) { items %s } }", w.selection(field.upstream)),
		map[string]any{"page": 1, "size": w.first})
}

// page returns the request for the upstream's page.
func (w workload) page() request {
	return request{method: "GET", path: fmt.Sprintf("/api/v1/cvms/paginated?page=1&page_size=%d", w.first)}
}

// constant returns the request for the constant response.
func (w workload) constant() request {
	r := w.relay()
	r.path = "/responses/" + w.name
	return r
}

func (w workload) selection(name func(field) string) string {
	var b strings.Builder
	writeSelection(&b, w.fields, name)
	return b.String()
}

func operation(query string, variables map[string]any) request {
	body, err := json.Marshal(map[string]any{"operationName": "Cvms", "query": query, "variables": variables})
	if err != nil {
		panic(err) // strings and numbers can always be encoded
	}
	return request{method: "POST", path: "/graphql", body: body}
}

// field is a selected field of an item.
type field struct {
	name   string  // in GraphQL
	list   bool    // null upstream is an empty list
	id     bool    // a number upstream is a string
	fields []field // selected fields of an object
}

func (f field) graphql() string { return f.name }

// upstream returns the field's key in the upstream's items.
func (f field) upstream() string {
	switch f.name {
	case "vmId", "userId", "nodeId", "kmsId":
		return "id"
	}
	var b strings.Builder
	for _, r := range f.name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func writeSelection(b *strings.Builder, fields []field, name func(field) string) {
	b.WriteString("{")
	for _, f := range fields {
		b.WriteString(" " + name(f))
		if len(f.fields) > 0 {
			b.WriteString(" ")
			writeSelection(b, f.fields, name)
		}
	}
	b.WriteString(" }")
}

// parseSelection returns the fields of a selection of Cvm.
func parseSelection(source *ast.Schema, selection string) ([]field, error) {
	document, err := gqlparser.LoadQueryWithRules(source, "{ cvms { edges { node { "+selection+" } } } }", nil)
	if err != nil {
		return nil, err
	}
	set := document.Operations[0].SelectionSet
	for range 3 { // cvms, edges, node
		set = set[0].(*ast.Field).SelectionSet
	}
	return selected(set), nil
}

func selected(set ast.SelectionSet) []field {
	var fields []field
	for _, s := range set {
		f := s.(*ast.Field)
		fields = append(fields, fieldOf(f.Definition, selected(f.SelectionSet)))
	}
	return fields
}

// fieldsOf returns all fields of a type at any depth, without the ids of Cvm: each server generates
// id differently, and vmId is the same as hosted.vmId. It leaves out fields that the upstream has
// in newer API versions only, and durations in seconds, which the upstream does not have.
func fieldsOf(source *ast.Schema, name string) []field {
	var fields []field
	for _, d := range source.Types[name].Fields {
		if name == "Cvm" && (d.Name == "id" || d.Name == "vmId") || isNewer(d) || strings.Contains(d.Description, ", in seconds.") {
			continue
		}
		fields = append(fields, fieldOf(d, fieldsOf(source, d.Type.Name())))
	}
	return fields
}

// isNewer reports whether the upstream has a field only in newer API versions than that of the
// benchmark. Its description then has the date of the first one before a period or a comma.
func isNewer(d *ast.FieldDefinition) bool {
	description := strings.Join(strings.Fields(d.Description), " ")
	return strings.Contains(description, "before API version 2026-01-21.") || strings.Contains(description, "before API version 2026-01-21,")
}

func fieldOf(d *ast.FieldDefinition, fields []field) field {
	return field{name: d.Name, list: d.Type.Elem != nil, id: d.Type.Name() == "ID", fields: fields}
}
