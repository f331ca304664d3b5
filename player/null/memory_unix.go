//go:build unix

package null

import "golang.org/x/sys/unix"

// allocate returns zeroed memory that is not Go's, as a graphics card's is not: the collector neither counts nor keeps
// it, and who uses it after release is found out at once.
func allocate(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

// release gives it back to the system.
func release(b []byte) { _ = unix.Munmap(b) } // it was mapped here
