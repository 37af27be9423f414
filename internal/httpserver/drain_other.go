//go:build !linux

package httpserver

import "net"

// refuseNew does nothing: connections that are not accepted when the port closes are reset.
func refuseNew(net.Listener) {}

// someoneWaits cannot be told.
func someoneWaits(net.Listener) bool { return false }
