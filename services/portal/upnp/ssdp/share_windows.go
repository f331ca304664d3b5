package ssdp

import "golang.org/x/sys/windows"

// share lets others have the port too.
func share(fd uintptr) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
}
