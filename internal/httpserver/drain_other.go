//go:build !unix

package httpserver

import "net"

// someoneWaits cannot be told.
func someoneWaits(net.Listener) bool { return false }
