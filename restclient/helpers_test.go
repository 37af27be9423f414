package restclient_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

var shapes = []restclient.Shape{restclient.ShapeHosted, restclient.ShapeFlat}

// exampleItem returns an item with every field of the upstream's reference.
func exampleItem(tb testing.TB) []byte {
	tb.Helper()
	return exampleOf(tb, restclient.ShapeHosted)
}

// exampleOf returns the same CVM as exampleItem in a shape.
func exampleOf(tb testing.TB, shape restclient.Shape) []byte {
	tb.Helper()
	file := "testdata/item.json"
	if shape == restclient.ShapeFlat {
		file = "testdata/item-flat.json"
	}
	item, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return item
}

func compact(tb testing.TB, document []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, document); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// pageOf returns a full first page with n equal items.
func pageOf(n int, item []byte) []byte {
	items := strings.Repeat(","+string(item), n)
	return envelope(strings.TrimPrefix(items, ","), n, 1, n)
}

func envelope(items string, total, page, pageSize int) []byte {
	return fmt.Appendf(nil, `{"items":[%s],"total":%d,"page":%d,"page_size":%d,"pages":1}`, items, total, page, pageSize)
}

// onePage is the request of pageOf(1, …).
var onePage = restclient.PageRequest{Page: 1, PageSize: 1}

// decodeItem decodes a page of one item.
func decodeItem(t *testing.T, item string) restclient.Item {
	t.Helper()
	page, err := restclient.ShapeHosted.DecodePage(pageOf(1, []byte(item)), onePage)
	if err != nil {
		t.Fatalf("got error %v, want a page", err)
	}
	return page.Items[0]
}

// quiet returns a server, not started, that does not log the errors of its connections.
func quiet(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server
}

// newClient returns a client that is closed at the end of the test.
func newClient(t *testing.T, options restclient.Options) *restclient.Client {
	t.Helper()
	client, err := restclient.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// clientOf returns a client of a server with the given handler.
func clientOf(t *testing.T, handler http.HandlerFunc) *restclient.Client {
	t.Helper()
	server := quiet(t, handler)
	server.Start()
	return newClient(t, restclient.Options{BaseURL: server.URL})
}
