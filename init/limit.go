//go:build linux

package main

import (
	"net"
	"slices"

	"golang.org/x/sys/unix"
)

// maxConns is how many connections to init.sock a user may hold at once: many more than any service needs.
const maxConns = 128

// limited is a listener on a Unix socket that closes what a user connects beyond the limit: PID 1 needs descriptors and
// memory of its own to start services, and everyone may connect. Accept is for one goroutine.
type limited struct {
	net.Listener
	open map[uint32][]*net.UnixConn // by user
}

func newLimited(ln net.Listener) *limited {
	return &limited{Listener: ln, open: make(map[uint32][]*net.UnixConn)}
}

// Accept implements [net.Listener].
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c, ok := conn.(*net.UnixConn)
		if !ok || l.admit(c) {
			return conn, nil
		}
		_ = conn.Close() // whoever floods needs no reason
	}
}

// admit notes the connection unless its user has too many. It hands on the connection as it is, so that it may be
// asked for its peer: the ended ones are found out by asking them.
func (l *limited) admit(c *net.UnixConn) bool {
	var cred *unix.Ucred
	var err error
	if withFD(c, func(fd int) { cred, err = unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED) }) != nil || err != nil {
		return false
	}
	mine := slices.DeleteFunc(l.open[cred.Uid], func(c *net.UnixConn) bool { return withFD(c, func(int) {}) != nil })
	fits := len(mine) < maxConns
	if fits {
		mine = append(mine, c)
	}
	l.open[cred.Uid] = mine
	return fits
}

// withFD calls f with the connection's descriptor. It fails once the connection is closed.
func withFD(c *net.UnixConn, f func(fd int)) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { f(int(fd)) })
}
