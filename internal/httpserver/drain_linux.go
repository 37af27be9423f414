package httpserver

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// refuseNew makes the kernel take no more connections to l, as far as it can: packets that open one are dropped, and its caller
// tries again, or finds the port closed. Handshakes that have begun go on.
func refuseNew(l net.Listener) {
	const (
		flagsAt  = 13 // of a TCP header
		syn, ack = 0x02, 0x10
	)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flagsAt},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: syn},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)},
	}
	_ = control(l, func(fd int) error { // where it fails, somebody may be reset
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	})
}

// someoneWaits tells whether a connection waits to be accepted. It does not wait itself.
func someoneWaits(l net.Listener) bool {
	var n int
	err := control(l, func(fd int) (err error) {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return err
	})
	return err == nil && n > 0
}

// control does something with the socket of l.
func control(l net.Listener, do func(fd int) error) error {
	socket, ok := l.(syscall.Conn)
	if !ok {
		return syscall.ENOTSOCK
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	if err := raw.Control(func(fd uintptr) { done = do(int(fd)) }); err != nil {
		return err
	}
	return done
}
