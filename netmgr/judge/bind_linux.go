package judge

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindTo keeps a socket to one interface, whatever the routes prefer. Since Linux 5.7 everybody may do so.
func bindTo(name string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		if ctlErr := c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), name) }); ctlErr != nil {
			return ctlErr
		}
		return err
	}
}
