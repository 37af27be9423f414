package graph_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// document is a random GraphQL document. It is valid by construction: a response name has one field
// with one set of arguments, and variables and fragments that no operation uses are not written.
type document struct {
	operations []operation
	fragments  []fragment
}

type operation struct {
	name string
	set  *part
}

type fragment struct {
	name, typeName string
	set            *part
}

// variableTypes are the variables of random documents. No name is a prefix of another.
var variableTypes = []struct{ name, definition string }{
	{"b0", "Boolean!"},
	{"b1", "Boolean!"},
	{"d0", "Boolean = true"},
	{"d1", "Boolean! = false"},
	{"n0", "Int"},
	{"m0", "Int = 3"},
	{"c0", "String"},
	{"k0", "String"},
	{"id", "ID!"},
	{"vm", "ID!"},
	{"us", "[ID!]!"},
	{"rs", "[_Any!]!"},
}

// String returns the source of the document: operations with the variables that they use, then the
// fragments that they spread.
func (d *document) String() string {
	var text strings.Builder
	spread := make([]bool, len(d.fragments))
	for _, o := range d.operations {
		body := o.set.String()
		all := d.follow(body, spread)
		var variables []string
		for _, v := range variableTypes {
			if strings.Contains(all, "$"+v.name) {
				variables = append(variables, "$"+v.name+": "+v.definition)
			}
		}
		text.WriteString("query " + o.name)
		if len(variables) > 0 {
			text.WriteString("(" + strings.Join(variables, ", ") + ")")
		}
		text.WriteString(" " + body + "\n")
	}
	for i, f := range d.fragments {
		if spread[i] {
			fmt.Fprintf(&text, "fragment %s on %s %s\n", f.name, f.typeName, f.set)
		}
	}
	return text.String()
}

// follow appends the fragments that a source spreads, and marks them. A fragment spreads only later
// ones.
func (d *document) follow(source string, spread []bool) string {
	for i, f := range d.fragments {
		if strings.Contains(source, "..."+f.name) {
			spread[i] = true
			source += f.set.String()
		}
	}
	return source
}

// writer makes random documents.
type writer struct {
	random
	schema     *ast.Schema
	doc        *document
	roots      []string // the fields of Query, with their aliases and arguments
	fields     int      // approximate number of fields that may follow
	directives int      // approximate number of directives that may follow
	thorough   bool     // most fields of a type are selected
	spreadFrom int      // the first fragment that may be spread here
}

var fragmentTypes = []string{"Query", "Query", "CvmConnection", "CvmEdge", "PageInfo", "Cvm", "Cvm", "Cvm", "Node", "HostedVm", "VmConfiguration", "ComposeFile", "GpuConfig"}

// newDocument makes a document. If arguments are given, its connections have no others.
func newDocument(r random, schema *ast.Schema, arguments ...string) *document {
	w := &writer{random: r, schema: schema, doc: &document{}, fields: 4 + r.IntN(60), directives: 40}
	w.thorough = r.in100(12)
	w.roots = w.rootFields(arguments)
	for i := range r.IntN(5) {
		w.doc.fragments = append(w.doc.fragments, fragment{name: fmt.Sprintf("f%d", i), typeName: pick(r, fragmentTypes)})
	}
	for i := range w.doc.fragments {
		w.spreadFrom = i + 1
		w.doc.fragments[i].set = w.set(w.doc.fragments[i].typeName, 3)
	}
	w.spreadFrom = 0
	for i := range 1 + max(0, r.IntN(5)-2) {
		w.fields = max(w.fields, 15)
		set := w.set("Query", 0)
		if spread := w.spread("Query"); spread != nil && w.in100(40) { // makes operations share fields
			set.parts = append(set.parts, spread)
		}
		w.doc.operations = append(w.doc.operations, operation{fmt.Sprintf("q%d", i), set})
	}
	return w.doc
}

func (w *writer) rootFields(arguments []string) []string {
	if len(arguments) == 0 {
		arguments = []string{
			"", "", "(first: 2)", "(first: 7)", "(first: $n0)", "(first: $n0)", "(last: $m0)", "(first: 3, after: $c0)", "(first: $m0, after: $c0)",
			"(last: 2, before: $k0)", "(first: $n0, after: $c0, before: $k0)", "(last: $m0, nodeId: 18)", `(first: 4, userId: "0")`, "(first: 150)",
		}
	}
	lookups := []string{"node(id: $id)", "node(id: $id)", "nodes(ids: $us)", "nodes(ids: [$id, $id])", "cvm(vmId: $vm)", `cvm(vmId: "vm-2")`, `node(id: "x")`}
	lookups = append(lookups, "_entities(representations: $rs)", `_entities(representations: [{__typename: "Cvm", vmId: $vm}, {__typename: "Cvm", id: $id}])`)
	roots := []string{"cvms" + pick(w.random, arguments)}
	for i := range max(0, w.IntN(6)-3) {
		field := "cvms" + pick(w.random, arguments)
		if w.in100(50) {
			field = pick(w.random, lookups)
		}
		roots = append(roots, fmt.Sprintf("r%d: %s", i, field))
	}
	if w.in100(15) {
		roots[0] = pick(w.random, lookups)
	}
	return roots
}

// set makes a selection set of a type, at a depth below the operation.
func (w *writer) set(typeName string, depth int) *part {
	set := &part{before: "{ ", separator: " ", after: " }"}
	n := 1 + w.IntN(5)
	if typeName == "Query" {
		n = 1 + w.IntN(len(w.roots)+1)
	}
	for range n {
		set.parts = append(set.parts, w.selection(typeName, depth))
	}
	if w.thorough && typeName != "Query" {
		for _, f := range w.schema.Types[typeName].Fields {
			if !strings.HasPrefix(f.Name, "__") && w.in100(50) {
				set.parts = append(set.parts, w.selected(f, depth))
			}
		}
	}
	return set
}

func (w *writer) selection(typeName string, depth int) *part {
	w.fields--
	switch chance := w.IntN(100); {
	case chance < 7:
		return leaf(w.alias("__typename") + w.directive())
	case chance < 17 && depth < 9:
		condition := w.condition(typeName)
		set := w.set(strings.TrimPrefix(orElse(condition, typeName), " on "), depth+1)
		set.before = "..." + condition + w.directive() + w.deferral() + " " + set.before
		return set
	case chance < 27:
		if spread := w.spread(typeName); spread != nil {
			return spread
		}
	}
	return w.field(typeName, depth)
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// condition returns the type condition of an inline fragment.
func (w *writer) condition(typeName string) string {
	options := []string{"", " on " + typeName}
	switch typeName {
	case "Cvm":
		options = append(options, " on Node", " on _Entity")
	case "Node", "_Entity":
		options = append(options, " on Cvm", " on Cvm", " on Cvm")
	}
	return pick(w.random, options)
}

// spread spreads a fragment that fits the type. It returns nil if no fragment fits.
func (w *writer) spread(typeName string) *part {
	var fitting []string
	for _, f := range w.doc.fragments[min(w.spreadFrom, len(w.doc.fragments)):] {
		if pair := typeName + f.typeName; f.typeName == typeName || pair == "CvmNode" || pair == "NodeCvm" || pair == "_EntityCvm" || pair == "_EntityNode" {
			fitting = append(fitting, f.name)
		}
	}
	if len(fitting) == 0 {
		return nil
	}
	return leaf("..." + pick(w.random, fitting) + w.directive() + w.deferral())
}

func (w *writer) field(typeName string, depth int) *part {
	if typeName == "Query" {
		if w.in100(2) {
			return leaf(`__type(name: "Cvm") { name }`)
		}
		text := pick(w.random, w.roots)
		set := w.set(w.typeOfRoot(text), depth+1)
		set.before = text + w.directive() + " " + set.before
		return set
	}
	var leaves, objects []*ast.FieldDefinition
	for _, f := range w.schema.Types[typeName].Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		if len(w.schema.Types[f.Type.Name()].Fields) > 0 {
			objects = append(objects, f)
		} else {
			leaves = append(leaves, f)
		}
	}
	if len(objects) > 0 && (len(leaves) == 0 || w.in100(40)) && (w.fields > 0 || depth < 3) {
		return w.selected(pick(w.random, objects), depth)
	}
	if len(leaves) == 0 {
		return leaf("__typename")
	}
	return w.selected(pick(w.random, leaves), depth)
}

// selected selects a field that takes no arguments.
func (w *writer) selected(f *ast.FieldDefinition, depth int) *part {
	text := w.alias(f.Name) + w.directive()
	if len(w.schema.Types[f.Type.Name()].Fields) == 0 {
		return leaf(text)
	}
	set := w.set(f.Type.Name(), depth+1)
	set.before = text + " " + set.before
	return set
}

func (w *writer) typeOfRoot(text string) string {
	name, _, _ := strings.Cut(text, "(")
	if _, aliased, ok := strings.Cut(name, ": "); ok {
		name = aliased
	}
	return w.schema.Types["Query"].Fields.ForName(name).Type.Name()
}

// alias adds an alias to some fields. Two fields never have the same alias.
func (w *writer) alias(name string) string {
	if w.in100(20) {
		return pick(w.random, []string{"x", "y"}) + "_" + strings.TrimLeft(name, "_") + ": " + name
	}
	return name
}

// directive returns the conditions of a selection. Most selections have none.
func (w *writer) directive() string {
	if w.directives <= 0 || !w.in100(8) {
		return ""
	}
	conditions := []string{"true", "false", "$b0", "$b1", "$d0", "$d1"}
	one := func(name string) string {
		w.directives--
		return fmt.Sprintf(" @%s(if: %s)", name, pick(w.random, conditions))
	}
	names := []string{"skip", "include"}
	if w.in100(10) {
		return one(names[0]) + one(names[1])
	}
	return one(pick(w.random, names))
}

// deferral returns @defer for some fragments. The response contains them nevertheless.
func (w *writer) deferral() string {
	if w.directives <= 0 || !w.in100(2) {
		return ""
	}
	w.directives--
	return pick(w.random, []string{" @defer", " @defer(if: $b0)", " @defer(if: false)"})
}

// variables makes values for the variables of any document. The IDs and cursors are those of a
// list.
func variables(r random, ids, vmIDs, cursors []string) vars {
	ids = append(slices.Clone(ids), "bogus", "Q3ZtOm5vcGU", "")
	vmIDs = append(slices.Clone(vmIDs), "vm-1", "none")
	v := vars{
		"b0": r.in100(50), "b1": r.in100(50), "id": pick(r, ids), "vm": pick(r, vmIDs),
		"us": []string{pick(r, ids), pick(r, ids), pick(r, ids)}[:r.IntN(4)],
		"rs": []vars{
			{"__typename": "Cvm", "id": pick(r, ids)}, {"__typename": "Cvm", "vmId": pick(r, vmIDs)}, {"__typename": pick(r, []string{"Cvm", "Other"}), "id": pick(r, ids)},
		}[:r.IntN(4)],
	}
	sizes := []any{nil, 0, 1, 1, 2, 2, 3, 4, 5, 5, 30, 101, 120, -1, 5000}
	some := func(name string, values []any) {
		if value := pick(r, values); value != nil || r.in100(30) {
			v[name] = value
		}
	}
	some("d0", []any{true, false, true, false, nil})
	some("d1", []any{true, false})
	some("n0", sizes)
	some("m0", sizes)
	marks := []any{nil, "bogus"}
	for range 3 {
		for _, c := range cursors {
			marks = append(marks, c)
		}
	}
	some("c0", marks)
	some("k0", marks)
	return v
}
