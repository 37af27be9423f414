// Package freeport finds free TCP ports for programs that tests and benchmarks start.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are chosen below the range from which the system assigns ports, which begins at 32768 on
// Linux. A Redis cluster node also listens 10,000 above its own port, and that port must be below
// the range too.
const lowest, highest = 15_000, 22_767

// maxTries is the number of ports that Find tries.
const maxTries = 100

// Find returns a port that is free on the loopback interface. The port is not reserved, but the
// system does not assign it to another program.
func Find(ctx context.Context) (int, error) {
	var config net.ListenConfig
	var lastErr error
	for range maxTries {
		port := lowest + rand.IntN(highest-lowest+1)
		listener, err := config.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
		lastErr = err
	}
	return 0, fmt.Errorf("no free port in %d tries: %w", maxTries, lastErr)
}
