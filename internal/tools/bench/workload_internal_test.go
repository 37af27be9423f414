package main

import (
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// gatewaySchema returns cvmgraph's schema.
func gatewaySchema(t *testing.T) *ast.Schema {
	t.Helper()
	sdl, err := os.ReadFile("../../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	source, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func benchSchema(t *testing.T) *ast.Schema {
	t.Helper()
	source, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: schema})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestBenchSchema_isASubsetOfTheGatewaysSchema(t *testing.T) {
	t.Parallel()
	gateway := gatewaySchema(t)
	for name, definition := range benchSchema(t).Types {
		if strings.HasPrefix(name, "__") {
			continue
		}
		want := gateway.Types[name]
		if want == nil {
			t.Errorf("the gateway has no type %s", name)
			continue
		}
		for _, f := range definition.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			wantField := want.Fields.ForName(f.Name)
			// The API version of the benchmark reports each boolean, although others do not.
			nullable := wantField != nil && wantField.Type.String() == "Boolean" && f.Type.String() == "Boolean!"
			if wantField == nil || wantField.Type.String() != f.Type.String() && !nullable {
				t.Errorf("%s.%s: got %s, want the gateway's %v", name, f.Name, f.Type, wantField)
			}
		}
	}
}

func TestWorkloadC_selectsAllFieldsOfTheGateway(t *testing.T) {
	t.Parallel()
	list, err := selectWorkloads([]string{"c"})
	if err != nil {
		t.Fatal(err)
	}
	var got, want strings.Builder
	writeSelection(&got, list[0].fields, field.graphql)
	writeSelection(&want, fieldsOf(gatewaySchema(t), "Cvm"), field.graphql)
	if got.String() != want.String() {
		t.Errorf("got %s, want %s", got.String(), want.String())
	}
}

func TestWorkload_selection(t *testing.T) {
	t.Parallel()
	fields, err := parseSelection(benchSchema(t), `publicUrls { app } managedUser { userId } hosted { vmId exitedAt }`)
	if err != nil {
		t.Fatal(err)
	}
	w := workload{fields: fields}
	if got, want := w.selection(field.graphql), "{ publicUrls { app } managedUser { userId } hosted { vmId exitedAt } }"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := w.selection(field.upstream), "{ public_urls { app } managed_user { id } hosted { id exited_at } }"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := parseSelection(benchSchema(t), "nothing"); err == nil {
		t.Error("got no error for an unknown field")
	}
}

func TestSelectWorkloads_order(t *testing.T) {
	t.Parallel()
	if list, err := selectWorkloads([]string{"a", "z"}); err == nil {
		t.Errorf("unknown workload: got %d workloads, want an error", len(list))
	}
	list, err := selectWorkloads([]string{"c", "a"})
	if err != nil || len(list) != 2 || list[0].name != "a" || list[1].name != "c" {
		t.Errorf("got %v, %v, want a and c", list, err)
	}
}
