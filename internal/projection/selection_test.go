package projection_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/restclient"
)

// everyPath returns a selection for each field that can be reached from a type.
func everyPath(schema *ast.Schema, typeName string) []string {
	var selections []string
	for _, field := range schema.Types[typeName].Fields {
		if strings.HasPrefix(field.Name, "__") || field.Name == "another" {
			continue
		}
		below := everyPath(schema, field.Type.Name())
		if len(below) == 0 {
			selections = append(selections, field.Name)
		}
		for _, selection := range below {
			selections = append(selections, field.Name+" { "+selection+" }")
		}
	}
	return selections
}

func TestPlan_everyField(t *testing.T) {
	t.Parallel()
	schema := schema(t)
	var queries []string
	for _, selection := range everyPath(schema, "CvmConnection") {
		queries = append(queries, "{ cvms { "+selection+" } }")
	}
	for _, selection := range everyPath(schema, "Cvm") {
		queries = append(queries, `{ node(id: "x") { ... on Cvm { `+selection+` } } }`, `{ cvm(vmId: "x") { `+selection+` } }`)
	}
	if len(queries) < 300 { // the fields of Cvm in nodes, in edges and in both lookups
		t.Fatalf("got %d fields, want all", len(queries))
	}
	for _, query := range queries {
		for _, shape := range shapes {
			if _, ok := newQuery(t, shape, schema, query).selection(nil); !ok {
				t.Errorf("%s, shape %s: got no selection", query, shape)
			}
		}
	}
}

func TestPlan_supported(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		want  bool
	}{
		"type names": {
			query: `{ cvms { __typename edges { __typename node { __typename kmsInfo { __typename } } } pageInfo { __typename } } }`,
			want:  true,
		},
		"fragments":                                     {query: `{ node(id: "x") { ...n ... on Node { id } ... { id } } } fragment n on Node { ... on Cvm { name } }`, want: true},
		"conditions":                                    {query: `{ cvms @include(if: true) { totalCount @skip(if: false) ... @include(if: true) { nodes { id } } } }`, want: true},
		"a fragment that is not deferred":               {query: `{ cvms { ... @defer(if: false) { totalCount } } }`, want: true},
		"a deferred fragment":                           {query: `{ cvms { ... @defer { totalCount } } }`},
		"a deferred fragment far below":                 {query: `{ cvms { nodes { hosted { ...d @defer(label: "l") } } } } fragment d on HostedVm { name }`},
		"a deferred fragment in a lookup":               {query: `{ cvm(vmId: "x") { name ... on Cvm @defer { status } } }`},
		"a field that is selected twice, once deferred": {query: `{ cvms { totalCount ... @defer { totalCount } } }`},
		"a custom directive":                            {query: `{ cvms { nodes { name @custom } } }`},
		"an unknown field of the connection":            {query: `{ cvms { pageInfo { another } } }`},
		"an unknown field of an item":                   {query: `{ cvms { nodes { another } } }`},
		"an unknown field far below":                    {query: `{ cvm(vmId: "x") { hosted { another } } }`},
		"an unknown field that is skipped":              {query: `{ cvm(vmId: "x") { hosted { name another @skip(if: true) } } }`, want: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, ok := newQuery(t, restclient.ShapeHosted, schema(t), test.query).selection(nil); ok != test.want {
				t.Errorf("got a selection: %v, want %v", ok, test.want)
			}
		})
	}
}

func TestPlan_arguments(t *testing.T) {
	t.Parallel()
	q := newQuery(t, restclient.ShapeHosted, schema(t), `{ cvms { nodes { name } } }`)
	nodes := q.doc.Operations[0].SelectionSet[0].(*ast.Field).SelectionSet[0].(*ast.Field)
	nodes.Arguments = ast.ArgumentList{{Name: "first"}} // as in a possible later schema
	if _, ok := q.selection(nil); ok {
		t.Error("got a selection, want none")
	}
}

func TestPlan_memorySize(t *testing.T) {
	t.Parallel()
	schema := schema(t)
	small, _ := newQuery(t, restclient.ShapeHosted, schema, `{ cvms { totalCount } }`).selection(nil)
	large, _ := newQuery(t, restclient.ShapeHosted, schema, `{ cvms { totalCount nodes { name status a: node { name } b: node { name } } } }`).selection(nil)
	if small.MemorySize() < 50 || large.MemorySize() < 6*small.MemorySize() {
		t.Errorf("got %d and %d bytes, want at least six times as much for eight fields", small.MemorySize(), large.MemorySize())
	}
}
