//go:build linux || darwin

package portal

import "syscall"

// usage returns the free and the total bytes of the file system that dir is on; 0 where they cannot be told.
func usage(dir string) (free, total int64) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0
	}
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize)
}
