package freeport_test

import (
	"fmt"
	"net"
	"testing"

	"cvmgraph/internal/testing/freeport"
)

func TestFind(t *testing.T) {
	t.Parallel()
	taken := make(map[int]bool)
	for range 100 {
		port, err := freeport.Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("got the port %d, want one to listen on: %v", port, err)
		}
		defer listener.Close()
		if taken[port] {
			t.Errorf("got the port %d again while it is listened to", port)
		}
		taken[port] = true
	}
}
