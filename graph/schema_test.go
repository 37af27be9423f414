package graph_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/demo"
)

func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// exceptions are the fields that are not the lowerCamelCase of the upstream's key.
var exceptions = map[string]string{
	"hosted.id": "vmId", "managed_user.id": "userId", "node.id": "nodeId", "kms_info.id": "kmsId",
}

func graphQLName(path string) string {
	if name, ok := exceptions[path]; ok {
		return name
	}
	key := path[strings.LastIndex(path, ".")+1:]
	return regexp.MustCompile(`_[a-z]`).ReplaceAllStringFunc(key, func(s string) string { return strings.ToUpper(s[1:]) })
}

// selectionOf returns a selection of everything in the example, and fails the test where the type
// lacks a field for it.
func selectionOf(t *testing.T, schema *ast.Schema, typeName, path string, example map[string]any) string {
	t.Helper()
	var fields []string
	for key, value := range example {
		below := strings.TrimPrefix(path+"."+key, ".")
		field := schema.Types[typeName].Fields.ForName(graphQLName(below))
		if field == nil {
			t.Errorf("%s: got no field %s of %s", below, graphQLName(below), typeName)
			continue
		}
		if !strings.Contains(field.Description, "Source: "+below+".") {
			t.Errorf("%s.%s: got the description %q, want its source %s in it", typeName, field.Name, field.Description, below)
		}
		if list, ok := value.([]any); ok {
			if field.Type.Elem == nil {
				t.Errorf("%s.%s: got type %s, want a list", typeName, field.Name, field.Type)
			}
			value = nil
			if len(list) > 0 {
				value = list[0]
			}
		}
		selection := field.Name
		if object, ok := value.(map[string]any); ok {
			selection += " " + selectionOf(t, schema, field.Type.Name(), below, object)
		} else if len(schema.Types[field.Type.Name()].Fields) > 0 {
			selection += " { __typename }" // the example's list is empty
		}
		fields = append(fields, selection)
	}
	return "{ " + strings.Join(fields, " ") + " }"
}

func TestSchema_hasEveryField(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct{ Items []map[string]any }
	if err := json.Unmarshal(text, &reference); err != nil || len(reference.Items) != 1 {
		t.Fatalf("reference: got %d items, %v, want one", len(reference.Items), err)
	}
	schema := loadSchema(t)
	selection := selectionOf(t, schema, "Cvm", "", reference.Items[0])
	for _, leaf := range []string{"manifestVersion", "gpus", "timestamp", "kmsContractAddress", "instance"} {
		if !strings.Contains(selection, leaf) {
			t.Errorf("selection: got none of %s, want every leaf: %s", leaf, selection)
		}
	}
	// One upstream item with every key of the reference, and a value of its own for each leaf.
	item, want := fill(reference.Items[0], "")
	encoded, err := json.Marshal(item)
	if err != nil {
		t.Fatal(err)
	}
	upstream := demo.New(demo.Options{Items: -1})
	upstream.Edit(tenant(), func([]demo.Item) []demo.Item { return []demo.Item{{ID: "x", JSON: encoded}} })
	g := newGateway(t, upstream)
	a := g.post(t, "{ cvms { nodes "+selection+" } }", nil, nil)
	if len(a.Errors) > 0 {
		t.Fatalf("got errors %+v", a.Errors)
	}
	var got struct{ Nodes []map[string]any }
	if err := json.Unmarshal(a.Data["cvms"], &got); err != nil || len(got.Nodes) != 1 {
		t.Fatalf("got %d nodes, %v, want one", len(got.Nodes), err)
	}
	compare(t, "", want, got.Nodes[0])
}

// fill gives each leaf of an example a value of its own: item is what the upstream sends, want what
// GraphQL shows.
func fill(example map[string]any, path string) (item, want map[string]any) {
	item, want = map[string]any{}, map[string]any{}
	for key, value := range example {
		below := strings.TrimPrefix(path+"."+key, ".")
		name := graphQLName(below)
		list, isList := value.([]any)
		if isList && len(list) > 0 {
			value = list[0]
		}
		switch v := value.(type) {
		case map[string]any:
			item[key], want[name] = fillObject(v, below, isList)
		case string:
			item[key], want[name] = wrap(isList, "value of "+below), wrap(isList, "value of "+below)
		case bool:
			item[key], want[name] = !v, !v
		case float64:
			n := float64(1000 + len(below))
			item[key], want[name] = n, n
			if below == "managed_user.id" {
				want[name] = fmt.Sprint(n) // a number upstream, an ID in GraphQL
			}
		default: // an empty list
			item[key], want[name] = []any{}, []any{}
		}
	}
	return item, want
}

func fillObject(example map[string]any, path string, isList bool) (item, want any) {
	i, w := fill(example, path)
	return wrap(isList, i), wrap(isList, w)
}

func wrap(isList bool, value any) any {
	if isList {
		return []any{value}
	}
	return value
}

func compare(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, want an object", path, got)
			return
		}
		for key := range want {
			compare(t, path+"."+key, want[key], object[key])
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			t.Errorf("%s: got %v, want %d elements", path, got, len(want))
			return
		}
		for i := range want {
			compare(t, fmt.Sprintf("%s[%d]", path, i), want[i], list[i])
		}
	default:
		if got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestSchema_describedAndRelayCompliant(t *testing.T) {
	t.Parallel()
	schema := loadSchema(t)
	for name, definition := range schema.Types {
		if definition.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		if definition.Description == "" {
			t.Errorf("%s: got no description", name)
		}
		for _, field := range definition.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			where := name + "." + field.Name
			if field.Description == "" {
				t.Errorf("%s: got no description", where)
			}
			fromUpstream := strings.Contains(field.Description, "Source: ")
			switch {
			case !fromUpstream:
			case field.Type.Elem != nil:
				if !field.Type.NonNull || !field.Type.Elem.NonNull {
					t.Errorf("%s: got type %s, want a list that is never null, of elements that are not", where, field.Type)
				}
			case field.Type.Name() == "Boolean":
				// An API version may lack them.
				if nullable := strings.Contains(strings.ToLower(field.Description), "null "); field.Type.NonNull == nullable {
					t.Errorf("%s: got type %s and the description %q, want Boolean!, or when it is null", where, field.Type, field.Description)
				}
			case where == "Cvm.id" || where == "CvmConnection.totalCount":
			case field.Type.NonNull:
				t.Errorf("%s: got type %s, want it nullable", where, field.Type)
			case !strings.Contains(field.Description, "Null"):
				t.Errorf("%s: got the description %q, want when it is null", where, field.Description)
			}
			if field.Name == "id" && name != "Node" && name != "Cvm" {
				t.Errorf("%s: got a field id, want it on Relay's nodes only", where)
			}
			for _, argument := range field.Arguments {
				if argument.Description == "" {
					t.Errorf("%s(%s): got no description", where, argument.Name)
				}
			}
		}
	}
}
