//go:build unix

package ssdp

import "golang.org/x/sys/unix"

// share lets others have the port too.
func share(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}
