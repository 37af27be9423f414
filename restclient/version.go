package restclient

import (
	"reflect"
	"slices"

	"cvmgraph/internal/wire"
)

// Shape is the form of the list's items. It depends on the API version.
type Shape string

// The shapes.
const (
	// ShapeHosted has the VM in the object hosted, as its node reports it.
	ShapeHosted Shape = "hosted"
	// ShapeFlat has no hosted: the upstream answers from its database, and asks no node.
	ShapeFlat Shape = "flat"
)

// document is the document of a page as the upstream's reference promises it.
type document[T any] struct {
	Items    []T    `json:"items" required:"true"`
	Total    *int64 `json:"total" required:"true"`
	Page     *int64 `json:"page" required:"true"`
	PageSize *int64 `json:"page_size" required:"true"`
	Pages    *int64 `json:"pages" required:"true"`
}

// shapeTables are the tables of a shape.
type shapeTables struct {
	*wire.Table
	// document is the shape of a page's document.
	document *wire.Shape
	// versions describes the API versions of the shape.
	versions string
}

//nolint:gochecknoglobals // immutable, compiled once
var (
	hostedKeys   = []string{"hosted", "managed_user", "node", "syslog_endpoint"}
	flatKeys     = []string{"vm_uuid", "resource", "node_info"}
	hostedTables = newTables[Cvm](ShapeHosted, hostedKeys, flatKeys, DefaultAPIVersion)
	flatTables   = newTables[flatCvm](ShapeFlat, flatKeys, hostedKeys, "2026-01-21 or later")
)

func newTables[Item any](s Shape, own, others []string, versions string) *shapeTables {
	return &shapeTables{
		Table:    wire.NewTable(string(s), reflect.TypeFor[Cvm](), reflect.TypeFor[Item](), own, others),
		document: wire.NewShape(reflect.TypeFor[document[Item]]()),
		versions: versions,
	}
}

// item returns the shape of an item in the document.
func (t *shapeTables) item() *wire.Shape { return t.document.Fields[0].Shape }

func (s Shape) tables() *shapeTables {
	if s == ShapeFlat {
		return flatTables
	}
	return hostedTables
}

// Table returns the table of the shape's items.
func (s Shape) Table() *wire.Table { return s.tables().Table }

// Keys returns the keys by which items of the shape are recognized: items of other shapes do not
// have them.
func (s Shape) Keys() []string {
	if s == ShapeFlat {
		return slices.Clone(flatKeys)
	}
	return slices.Clone(hostedKeys)
}

// KnownVersions returns the API versions that this package was made for, oldest first.
func KnownVersions() []string {
	return []string{DefaultAPIVersion, "2026-01-21", "2026-05-22", "2026-06-23"}
}

// ShapeOf returns the shape of an API version, which is a date: ShapeFlat since 2026-01-21. An
// empty version is [DefaultAPIVersion].
func ShapeOf(version string) Shape {
	if version < "2026-01-21" {
		return ShapeHosted
	}
	return ShapeFlat
}
