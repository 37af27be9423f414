//go:build !linux

package httpserver

import "net"

// rejectNewConnections does nothing. Connections that are queued when the listener closes are
// reset.
func rejectNewConnections(net.Listener) {}

// hasQueuedConnection returns false, because the queue cannot be inspected.
func hasQueuedConnection(net.Listener) bool { return false }
