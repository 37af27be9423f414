package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/internal/wire"
	"cvmgraph/restclient"
)

// maxValue is the maximum length of a value in the table, in characters.
const maxValue = 24

// examples are the files with the same CVM in each shape.
func examples() map[restclient.Shape]string {
	return map[restclient.Shape]string{restclient.ShapeHosted: "item.json", restclient.ShapeFlat: "item-flat.json"}
}

// table returns the table in Markdown.
func table(root string) (string, error) {
	sdl, err := os.ReadFile(filepath.Join(root, "schema.graphqls"))
	if err != nil {
		return "", err
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: string(sdl)})
	if err != nil {
		return "", err
	}
	columns := make(map[restclient.Shape][]cell)
	for shape, file := range examples() {
		item, err := os.ReadFile(filepath.Join(root, "restclient", "testdata", file))
		if err != nil {
			return "", err
		}
		value, err := rendered(schema, shape, item)
		if err != nil {
			return "", err
		}
		columns[shape] = compiler{schema}.cells("Cvm", cell{}, shape.Table().Model, value)
	}
	var b strings.Builder
	b.WriteString("| field | key in 2025-10-28 | example | key since 2026-01-21 | example |\n")
	b.WriteString(strings.Repeat("| --- ", 5) + "|\n")
	flat := columns[restclient.ShapeFlat]
	for i, hosted := range columns[restclient.ShapeHosted] {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", hosted.field, hosted.source, hosted.value, flat[i].source, flat[i].value)
	}
	return b.String(), nil
}

// cell is a field of the schema in one shape.
type cell struct{ field, source, value string }

type compiler struct{ schema *ast.Schema }

// cells returns the fields of a type that are not objects, and those of its objects. The object
// is at the prefix.
func (c compiler) cells(typeName string, prefix cell, model *wire.Model, value any) (list []cell) {
	for _, field := range c.schema.Types[typeName].Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		name, shown := prefix.field+field.Name, below(value, field.Name)
		if name == "id" {
			list = append(list, cell{name, "made from " + source(prefix.source, find(model, "vmId")), code(shown)})
			continue
		}
		target := find(model, field.Name)
		if target.Below == nil {
			list = append(list, cell{name, source(prefix.source, target), code(shown)})
			continue
		}
		inside := cell{field: name + ".", source: prefix.source}
		if field.Type.Elem != nil && len(target.Sources) > 0 { // keys count from the element
			inside.source += strings.Join(target.Sources[0].Keys, ".") + "[]."
		}
		list = append(list, c.cells(field.Type.Name(), inside, target.Below, shown)...)
	}
	return list
}

// find returns the field of the model that a field of the schema shows.
func find(model *wire.Model, name string) *wire.ModelField {
	return &model.Fields[slices.IndexFunc(model.Fields, func(f wire.ModelField) bool { return strings.EqualFold(f.Name, name) })]
}

// below returns the value of a field of an object, or its values in a list of objects.
func below(value any, name string) any {
	switch value := value.(type) {
	case map[string]any:
		return value[name]
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = below(element, name)
		}
		return list
	}
	return nil
}

// source describes where a field's value comes from. The keys follow a prefix.
func source(prefix string, f *wire.ModelField) string {
	var keys []string
	for _, s := range f.Sources {
		keys = append(keys, "`"+prefix+strings.Join(s.Keys, ".")+"`")
	}
	text := strings.Join(keys, ", else ")
	switch {
	case text == "":
		return ""
	case f.Suffix != "":
		return text + " without `" + f.Suffix + "`"
	case f.Seconds:
		return text + " in seconds"
	case f.Count:
		return "length of " + text
	case f.Sources[0].Field.Kind == wire.Gigabytes:
		return text + " × 1024"
	case f.Sources[0].Field.Kind == wire.IntegerText:
		return text + " as a number"
	}
	return text
}

// code returns the JSON of a value, cut.
func code(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // the value was decoded from JSON
	}
	text := []rune(strings.TrimSpace(b.String()))
	if len(text) > maxValue {
		text = append(text[:maxValue-1], '…')
	}
	if string(text) == "null" {
		return "null"
	}
	return "`" + string(text) + "`"
}

// rendered returns all fields of an item, decoded from the JSON that clients receive.
func rendered(schema *ast.Schema, shape restclient.Shape, item []byte) (any, error) {
	body := fmt.Appendf(nil, `{"items":[%s],"total":1,"page":1,"page_size":1,"pages":1}`, item)
	page, err := pages.NewUpstreamFunc(shape, nil).Page(body, restclient.PageRequest{Page: 1, PageSize: 1})
	if err != nil {
		return nil, err
	}
	query := `{ cvm(vmId: "") { ` + allFields(schema, "Cvm") + ` } }`
	document, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
	if errs != nil {
		return nil, errs
	}
	opCtx := &graphql.OperationContext{RawQuery: query, Doc: document, Operation: document.Operations[0]}
	field := graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"})[0]
	selection := projection.NewCompiler(pages.Layout(shape)).Item(opCtx, field)
	decoder := json.NewDecoder(bytes.NewReader(selection.AppendItem(nil, page.Item(0), projection.Output{Limit: math.MaxInt})))
	decoder.UseNumber()
	var value any
	err = decoder.Decode(&value)
	return value, err
}

// allFields returns a selection of all fields of a type.
func allFields(schema *ast.Schema, typeName string) string {
	var b strings.Builder
	for _, field := range schema.Types[typeName].Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		b.WriteString(field.Name + " ")
		if schema.Types[field.Type.Name()].Kind == ast.Object {
			b.WriteString("{ " + allFields(schema, field.Type.Name()) + "} ")
		}
	}
	return b.String()
}
