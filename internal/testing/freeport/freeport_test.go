package freeport_test

import (
	"fmt"
	"net"
	"testing"

	"cvmgraph/internal/testing/freeport"
)

func TestFind_returnsFreePorts(t *testing.T) {
	t.Parallel()
	taken := make(map[int]bool)
	for range 100 {
		port, err := freeport.Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatalf("got port %d, want a port that is free: %v", port, err)
		}
		defer listener.Close()
		if taken[port] {
			t.Errorf("got port %d again while it is in use", port)
		}
		taken[port] = true
	}
}
