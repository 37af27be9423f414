package httpserver_test

import (
	"net"
	"strings"
	"testing"

	"cvmgraph/internal/httpserver"
)

func TestLocalURL_hosts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		overTLS bool
		want    string
	}{
		{address: ":0", want: "http://localhost:"},
		{address: "127.0.0.1:0", want: "http://127.0.0.1:"},
		{address: ":0", overTLS: true, want: "https://localhost:"},
		{address: "127.0.0.1:0", overTLS: true, want: "https://127.0.0.1:"},
	} {
		listener, err := net.Listen("tcp", test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := httpserver.LocalURL(listener, test.overTLS); !strings.HasPrefix(got, test.want) {
			t.Errorf("LocalURL of %s: got %s, want %s…", test.address, got, test.want)
		}
		_ = listener.Close()
	}
}
