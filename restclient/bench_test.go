package restclient_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"cvmgraph/restclient"
)

func BenchmarkDecodePage(b *testing.B) {
	for _, items := range []int{20, 100} {
		body := pageOf(items, compact(b, exampleItem(b)))
		req := restclient.PageRequest{Page: 1, PageSize: items}
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := restclient.DecodePage(body, req); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("items=%d/encoding-json", items), func(b *testing.B) {
			// userID is a string in our types and a number in this body.
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
