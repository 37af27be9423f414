// Package freeport finds ports for programs that are told where to listen.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// The system gives ports above these to whoever names none, on Linux from 32768 on. A Redis of a cluster listens 10,000 above its own
// as well: no port lies there either.
const lowest, highest = 15_000, 22_767

// tries is how many ports are looked at.
const tries = 100

// Find returns a port of loopback that nothing listens to. Nobody keeps it for the caller, but the system gives it to nobody else either.
func Find(ctx context.Context) (int, error) {
	var config net.ListenConfig
	var last error
	for range tries {
		port := lowest + rand.IntN(highest-lowest+1)
		listener, err := config.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no port is free: %w", last)
}
