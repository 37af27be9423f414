package httpserver

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// rejectNewConnections attaches a filter to the socket of l that drops SYN packets, so that the
// kernel opens no new connections. A client sends its SYN again, and is refused after the listener
// has closed. Handshakes in progress complete. If the filter cannot be attached, new connections
// may be reset.
func rejectNewConnections(l net.Listener) {
	const (
		flagsOffset = 13 // in the TCP header
		syn, ack    = 0x02, 0x10
	)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flagsOffset},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: syn},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)},
	}
	program := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_ = withSocket(l, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program)
	})
}

// hasQueuedConnection reports whether Accept would return a connection immediately.
func hasQueuedConnection(l net.Listener) bool {
	var n int
	err := withSocket(l, func(fd int) (err error) {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return err
	})
	return err == nil && n > 0
}

// withSocket calls f with the file descriptor of l.
func withSocket(l net.Listener, f func(fd int) error) error {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return syscall.ENOTSOCK
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return err
	}
	return result
}
