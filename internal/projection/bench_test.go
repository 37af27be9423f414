package projection_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"cvmgraph/internal/pages"
	"cvmgraph/internal/projection"
	"cvmgraph/restclient"
)

// workloads are the queries of the benchmarks: some fields of CVMs (a), two fields (b), and all
// fields (c).
func workloads(tb testing.TB) map[string]string {
	tb.Helper()
	return map[string]string{
		"a": `{ cvms { edges { node { id name status memory hosted { uptime } node { name } } } } }`,
		"b": `{ cvms { edges { node { name status } } } }`,
		"c": `{ cvms { edges { node { ` + allFields(schema(tb), "Cvm") + ` } } } }`,
	}
}

func allFields(schema *ast.Schema, typeName string) string {
	var fields []string
	for _, field := range schema.Types[typeName].Fields {
		if field.Name == "another" {
			continue
		}
		if below := allFields(schema, field.Type.Name()); below != "" {
			fields = append(fields, field.Name+" { "+below+" }")
		} else {
			fields = append(fields, field.Name)
		}
	}
	return strings.Join(fields, " ")
}

// BenchmarkIndex compares indexing a page, in reused and in new memory, with decoding it.
func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{20, 100} {
		body := pageOf(b, restclient.ShapeHosted, n)
		flat, flatLayout := pageOf(b, restclient.ShapeFlat, n), pages.Layout(restclient.ShapeFlat)
		// UserID is a string in the wire types and a number in this body.
		forTypes := []byte(strings.ReplaceAll(string(body), `"id":1042`, `"id":"1042"`))
		layout, reused := pages.Layout(restclient.ShapeHosted), &projection.IndexedPage{}
		for name, run := range map[string]func() error{
			"index, reused memory":       func() error { return layout.Index(reused, body, n) },
			"index, reused memory, flat": func() error { return flatLayout.Index(reused, flat, n) },
			"index":                      func() error { return layout.Index(&projection.IndexedPage{}, body, n) },
			"DecodePage": func() error {
				_, err := restclient.ShapeHosted.DecodePage(body, restclient.PageRequest{Page: 1, PageSize: n})
				return err
			},
			"encoding-json": func() error {
				var page struct{ Items []restclient.Cvm }
				return json.Unmarshal(forTypes, &page)
			},
		} {
			b.Run(fmt.Sprintf("items=%d/%s", n, name), func(b *testing.B) {
				size := len(body)
				if strings.HasSuffix(name, "flat") {
					size = len(flat)
				}
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	for name, query := range workloads(b) {
		b.Run(name, func(b *testing.B) {
			q := newQuery(b, restclient.ShapeHosted, schema(b), query)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := q.selection(nil); !ok {
					b.Fatal("got no selection")
				}
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	items := map[string]int{"a": 20, "b": 100, "c": 100}
	for name, query := range workloads(b) {
		for _, shape := range shapes {
			title := name + map[restclient.Shape]string{restclient.ShapeFlat: ", flat"}[shape]
			b.Run(title, func(b *testing.B) {
				selection, ok := newQuery(b, shape, schema(b), query).selection(nil)
				if !ok {
					b.Fatal("got no selection")
				}
				window := list{indexed(b, shape, pageOf(b, shape, items[name]))}.window()
				dst := selection.AppendConnection(nil, window, unlimited)
				b.SetBytes(int64(len(dst)))
				b.ReportAllocs()
				for b.Loop() {
					dst = selection.AppendConnection(dst[:0], window, unlimited)
				}
			})
		}
	}
}
