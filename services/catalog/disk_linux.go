package catalog

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// adviseRandom keeps the kernel from reading ahead: only headers are wanted, and a disk would deliver ten times as much.
func adviseRandom(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM) // advice: without it the scan is only slower
}

// isGone reports whether an error means that the whole disk is no longer there.
func isGone(err error) bool {
	return errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ESTALE)
}
