package portal

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// cork has the kernel send full segments only until it is called with on false (tcp(7), TCP_CORK). Without it every
// piece of a file ends in a short segment of its own, because Go's connections have TCP_NODELAY: that costs an eighth of the speed.
// What fails costs speed alone, so it is not told.
func cork(c net.Conn, on bool) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return // not a kernel's connection
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	value := 0
	if on {
		value = 1
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, value) })
}
