package projection_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

// unlimited is an output without a limit.
var unlimited = projection.Output{Limit: math.MaxInt}

var shapes = []restclient.Shape{restclient.ShapeHosted, restclient.ShapeFlat}

// pageOf returns the document of a page with n equal items that have every field of the shape.
func pageOf(tb testing.TB, shape restclient.Shape, n int) []byte {
	tb.Helper()
	file := map[restclient.Shape]string{restclient.ShapeHosted: "item.json", restclient.ShapeFlat: "item-flat.json"}[shape]
	example, err := os.ReadFile("../../restclient/testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	var item bytes.Buffer
	if err := json.Compact(&item, example); err != nil {
		tb.Fatal(err)
	}
	return document(strings.Repeat(","+item.String(), n)[1:], n)
}

func document(items string, n int) []byte {
	return fmt.Appendf(nil, `{"items":[%s],"total":%d,"page":1,"page_size":%d,"pages":1}`, items, n, n)
}

// indexed indexes a document with the layout of the list.
func indexed(tb testing.TB, shape restclient.Shape, body []byte) *projection.IndexedPage {
	tb.Helper()
	page := &projection.IndexedPage{}
	if err := pages.Layout(shape).Index(page, body, 100); err != nil {
		tb.Fatalf("got error %v for %.200s", err, body)
	}
	return page
}

// list is the projection.List of a page, with cursors c0, c1, …
type list struct{ page *projection.IndexedPage }

func (l list) Item(i int) projection.Item {
	return projection.Item{Page: l.page, Index: i, ID: identity(i)}
}

func (list) AppendCursor(dst []byte, i int) []byte {
	return strconv.AppendInt(append(dst, 'c'), int64(i), 10)
}

func (l list) window() *projection.Window {
	return &projection.Window{List: l, Len: l.page.Len(), Total: 300, HasNext: true}
}

type identity int

func (i identity) AppendNodeID(dst []byte) []byte {
	return strconv.AppendInt(append(dst, "id"...), int64(i), 10)
}

// additions to the schema must not be supported by a selection.
const additions = `
	directive @custom on FIELD
	extend type Cvm { another: String }
	extend type PageInfo { another: String }
	extend type HostedVm { another: String }`

func schema(tb testing.TB) *ast.Schema {
	tb.Helper()
	sdl, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		tb.Fatal(err)
	}
	return gqlparser.MustLoadSchema(&ast.Source{Input: string(sdl) + additions})
}

// query is a parsed operation.
type query struct {
	compiler *projection.Compiler
	text     string
	doc      *ast.QueryDocument
}

func newQuery(tb testing.TB, shape restclient.Shape, schema *ast.Schema, text string) *query {
	tb.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schema, text, nil)
	if errs != nil {
		tb.Fatalf("%s: %v", text, errs)
	}
	return &query{projection.NewCompiler(pages.Layout(shape)), text, doc}
}

// selection compiles the operation's first field.
func (q *query) selection(variables map[string]any) (*projection.Selection, bool) {
	opCtx := &graphql.OperationContext{RawQuery: q.text, Doc: q.doc, Operation: q.doc.Operations[0], Variables: variables}
	field := graphql.CollectFields(opCtx, opCtx.Operation.SelectionSet, []string{"Query"})[0]
	if field.Name == "cvms" {
		selection := q.compiler.Connection(opCtx, field)
		return selection, selection.Supported()
	}
	selection := q.compiler.Item(opCtx, field)
	return selection, selection.Supported()
}
