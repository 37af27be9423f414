//go:build unix

package httpserver

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// someoneWaits tells whether a connection waits to be accepted. It does not wait itself.
func someoneWaits(l net.Listener) bool {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var n int
	if raw.Control(func(fd uintptr) {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	}) != nil {
		return false
	}
	return err == nil && n > 0
}
