package restclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

func BenchmarkDecodePage(b *testing.B) {
	for _, items := range []int{20, 100} {
		body := pageOf(items, compact(b, exampleItem(b)))
		for _, shape := range shapes {
			body := pageOf(items, compact(b, exampleOf(b, shape)))
			req := restclient.PageRequest{Page: 1, PageSize: items}
			name := map[restclient.Shape]string{restclient.ShapeFlat: "/flat"}[shape]
			b.Run(fmt.Sprintf("items=%d%s", items, name), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := shape.DecodePage(body, req); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("items=%d/encoding-json", items), func(b *testing.B) {
			// UserID is a string in the wire types and a number in this body.
			body := []byte(strings.ReplaceAll(string(body), `"id":1042`, `"id":"1042"`))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var page struct {
					Items                         []restclient.Cvm
					Total, Page, Page_Size, Pages int
				}
				if err := json.Unmarshal(body, &page); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFetch measures a successful call over a connection in memory, whose server allocates
// nothing.
func BenchmarkFetch(b *testing.B) {
	document := pageOf(1, []byte(`{"name":"a"}`))
	response := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(document), document)
	client, err := restclient.New(restclient.Options{BaseURL: "http://upstream.test"})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	client.SetDial(func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			request := make([]byte, 0, 4096)
			for {
				n, err := there.Read(request[len(request):cap(request)])
				if err != nil {
					return
				}
				if request = request[:len(request)+n]; bytes.HasSuffix(request, []byte("\r\n\r\n")) {
					_, _ = there.Write(response)
					request = request[:0]
				}
			}
		}()
		return here, nil
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Fetch(b.Context(), restclient.NewCredential(restclient.Headers{APIKey: "k"}), onePage); err != nil {
			b.Fatal(err)
		}
	}
}
