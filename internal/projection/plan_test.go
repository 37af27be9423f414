package projection_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
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

func TestEveryFieldIsProjected(t *testing.T) {
	t.Parallel()
	schema := schema(t)
	var texts []string
	for _, selection := range everyPath(schema, "CvmConnection") {
		texts = append(texts, "{ cvms { "+selection+" } }")
	}
	for _, selection := range everyPath(schema, "Cvm") {
		texts = append(texts, `{ node(id: "x") { ... on Cvm { `+selection+` } } }`, `{ cvm(vmId: "x") { `+selection+` } }`)
	}
	if len(texts) < 300 { // those of Cvm in nodes, edges and both lookups
		t.Fatalf("got %d fields, want all", len(texts))
	}
	for _, text := range texts {
		if _, ok := newQuery(t, schema, text).plan(nil); !ok {
			t.Errorf("%s: got no plan", text)
		}
	}
}

func TestWhatIsProjected(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want bool
	}{
		"type names":                     {`{ cvms { __typename edges { __typename node { __typename kmsInfo { __typename } } } pageInfo { __typename } } }`, true},
		"fragments":                      {`{ node(id: "x") { ...n ... on Node { id } ... { id } } } fragment n on Node { ... on Cvm { name } }`, true},
		"conditions":                     {`{ cvms @include(if: true) { totalCount @skip(if: false) ... @include(if: true) { nodes { id } } } }`, true},
		"a fragment that is not put off": {`{ cvms { ... @defer(if: false) { totalCount } } }`, true},
		"a fragment that is put off":     {`{ cvms { ... @defer { totalCount } } }`, false},
		"one far below":                  {`{ cvms { nodes { hosted { ...d @defer(label: "l") } } } } fragment d on HostedVm { name }`, false},
		"one in a lookup":                {`{ cvm(vmId: "x") { name ... on Cvm @defer { status } } }`, false},
		"a field that is there twice, once put off":             {`{ cvms { totalCount ... @defer { totalCount } } }`, false},
		"a directive of another sort":                           {`{ cvms { nodes { name @custom } } }`, false},
		"a field of the connection that the plan does not know": {`{ cvms { pageInfo { another } } }`, false},
		"a field of an item that the upstream does not have":    {`{ cvms { nodes { another } } }`, false},
		"a field far below that the upstream does not have":     {`{ cvm(vmId: "x") { hosted { another } } }`, false},
		"the same, left out":                                    {`{ cvm(vmId: "x") { hosted { name another @skip(if: true) } } }`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, ok := newQuery(t, schema(t), test.text).plan(nil); ok != test.want {
				t.Errorf("got a plan: %v, want %v", ok, test.want)
			}
		})
	}
}

func TestArgumentsAreNotProjected(t *testing.T) {
	t.Parallel()
	q := newQuery(t, schema(t), `{ cvms { nodes { name } } }`)
	nodes := q.doc.Operations[0].SelectionSet[0].(*ast.Field).SelectionSet[0].(*ast.Field)
	nodes.Arguments = ast.ArgumentList{{Name: "first"}} // as a later schema might have it
	if _, ok := q.plan(nil); ok {
		t.Error("got a plan, want none")
	}
}

func TestAPlanSaysHowLargeItIs(t *testing.T) {
	t.Parallel()
	schema := schema(t)
	small, _ := newQuery(t, schema, `{ cvms { totalCount } }`).plan(nil)
	large, _ := newQuery(t, schema, `{ cvms { totalCount nodes { name status a: node { name } b: node { name } } } }`).plan(nil)
	if small.MemorySize() < 50 || large.MemorySize() < 6*small.MemorySize() {
		t.Errorf("got %d and %d bytes, want more for eight fields than for one", small.MemorySize(), large.MemorySize())
	}
}
