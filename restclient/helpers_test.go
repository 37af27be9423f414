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

// exampleItem is one item with every field of the reference.
func exampleItem(tb testing.TB) []byte {
	tb.Helper()
	item, err := os.ReadFile("testdata/item.json")
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

// pageOf is a full first page of n times the same item.
func pageOf(n int, item []byte) []byte {
	items := strings.Repeat(","+string(item), n)
	return envelope(strings.TrimPrefix(items, ","), n, 1, n)
}

func envelope(items string, total, page, pageSize int) []byte {
	return fmt.Appendf(nil, `{"items":[%s],"total":%d,"page":%d,"page_size":%d,"pages":1}`, items, total, page, pageSize)
}

// onePage asks for what pageOf(1, …) answers.
var onePage = restclient.PageRequest{Page: 1, PageSize: 1}

// decodeItem decodes a page of one item.
func decodeItem(t *testing.T, item string) restclient.Item {
	t.Helper()
	page, err := restclient.DecodePage(pageOf(1, []byte(item)), onePage)
	if err != nil {
		t.Fatalf("got error %v, want a page", err)
	}
	return page.Items[0]
}

// quiet starts a server that does not log what its clients do to it.
func quiet(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server
}

// newClient makes a client that is closed at the test's end.
func newClient(t *testing.T, options restclient.Options) *restclient.Client {
	t.Helper()
	client, err := restclient.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// clientOf makes a client of a server that answers with handler.
func clientOf(t *testing.T, handler http.HandlerFunc) *restclient.Client {
	t.Helper()
	server := quiet(t, handler)
	server.Start()
	return newClient(t, restclient.Options{BaseURL: server.URL})
}
