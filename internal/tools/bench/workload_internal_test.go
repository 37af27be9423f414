package main

import (
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// gatewaySchema returns what the gateway itself serves.
func gatewaySchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	source, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
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

func TestThePeersServeAPartOfTheGatewaysSchema(t *testing.T) {
	t.Parallel()
	whole := gatewaySchema(t)
	for name, part := range benchSchema(t).Types {
		if strings.HasPrefix(name, "__") {
			continue
		}
		definition := whole.Types[name]
		if definition == nil {
			t.Errorf("the gateway has no type %s", name)
			continue
		}
		for _, f := range part.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			theirs := definition.Fields.ForName(f.Name)
			if theirs == nil || theirs.Type.String() != f.Type.String() {
				t.Errorf("%s.%s: got %s, want the gateway's %v", name, f.Name, f.Type, theirs)
			}
		}
	}
}

func TestWorkloadCAsksForEveryFieldOfTheGateway(t *testing.T) {
	t.Parallel()
	list, err := chosen([]string{"c"})
	if err != nil {
		t.Fatal(err)
	}
	var asked, there strings.Builder
	writeSelection(&asked, list[0].fields, field.graphql)
	writeSelection(&there, all(gatewaySchema(t), "Cvm"), field.graphql)
	if asked.String() != there.String() {
		t.Errorf("got %s, want %s", asked.String(), there.String())
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	fields, err := pick(benchSchema(t), `publicUrls { app } managedUser { userId } hosted { vmId exitedAt }`)
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
	if _, err := pick(benchSchema(t), "nothing"); err == nil {
		t.Error("got no error for a field that there is not")
	}
}

func TestUnknownWorkloadsAreRefused(t *testing.T) {
	t.Parallel()
	if list, err := chosen([]string{"a", "z"}); err == nil {
		t.Errorf("got %d workloads, want an error", len(list))
	}
	list, err := chosen([]string{"c", "a"})
	if err != nil || len(list) != 2 || list[0].name != "a" || list[1].name != "c" {
		t.Errorf("got %v, %v, want a and c", list, err)
	}
}
