package main

import (
	"net"
	"strings"
	"testing"
)

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		address string
		overTLS bool
		want    string
	}{
		{":0", false, "http://localhost:"},
		{"127.0.0.1:0", false, "http://127.0.0.1:"},
		{":0", true, "https://localhost:"},
		{"127.0.0.1:0", true, "https://127.0.0.1:"},
	} {
		listener, err := net.Listen("tcp", test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := publicURL(listener, test.overTLS); !strings.HasPrefix(got, test.want) {
			t.Errorf("publicURL of %s: got %s, want %s…", test.address, got, test.want)
		}
		_ = listener.Close()
	}
}
