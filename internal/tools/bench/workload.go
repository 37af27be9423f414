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

// workload is a page to ask for.
type workload struct {
	name, label string
	first       int
	fields      []field // of Cvm
	everything  bool    // fields are all that there are
}

// workloads returns what can be measured.
func workloads() ([]workload, error) {
	source, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: schema})
	if err != nil {
		return nil, err
	}
	few, err := pick(source, `name status vcpu memory hosted { uptime } node { name }`)
	if err != nil {
		return nil, err
	}
	two, err := pick(source, `name status`)
	if err != nil {
		return nil, err
	}
	return []workload{
		{name: "a", label: "20 items, six fields each", first: 20, fields: few},
		{name: "b", label: "100 items, two fields each", first: 100, fields: two},
		{name: "c", label: "100 items, all fields", first: 100, fields: all(source, "Cvm"), everything: true},
	}, nil
}

// relay returns the workload as a Relay connection.
func (w workload) relay() request {
	return operation(
		fmt.Sprintf("query Cvms($first: Int!) { cvms(first: $first) { edges { node %s } } }", w.selection(field.graphql)),
		map[string]any{"first": w.first})
}

// native returns the workload as a page of the upstream, with the upstream's names.
func (w workload) native() request {
	return operation(
		fmt.Sprintf("query Cvms($page: Int!, $size: Int!) { cvms(page: $page, page_size: $size) { items %s } }", w.selection(field.upstream)),
		map[string]any{"page": 1, "size": w.first})
}

// page returns the request for the page itself.
func (w workload) page() request {
	return request{method: "GET", path: fmt.Sprintf("/api/v1/cvms/paginated?page=1&page_size=%d", w.first)}
}

// answer returns the request for the constant answer.
func (w workload) answer() request {
	r := w.relay()
	r.path = "/answers/" + w.name
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
		panic(err) // texts and numbers
	}
	return request{method: "POST", path: "/graphql", body: body}
}

// field is a selected field of an upstream's item.
type field struct {
	name   string  // in GraphQL
	list   bool    // an absent one is []
	id     bool    // a number is a text
	fields []field // of an object
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

// pick returns the fields of Cvm that a selection names.
func pick(source *ast.Schema, selection string) ([]field, error) {
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

// all returns every field of a type, at any depth. A CVM's own ids are left out: id is made in each server's own way, and vmId is
// hosted.vmId again.
func all(source *ast.Schema, name string) []field {
	var fields []field
	for _, d := range source.Types[name].Fields {
		if name == "Cvm" && (d.Name == "id" || d.Name == "vmId") {
			continue
		}
		fields = append(fields, fieldOf(d, all(source, d.Type.Name())))
	}
	return fields
}

func fieldOf(d *ast.FieldDefinition, fields []field) field {
	return field{name: d.Name, list: d.Type.Elem != nil, id: d.Type.Name() == "ID", fields: fields}
}
