package decode

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// lost tells whether a file that an item consists of cannot be read: that of a path, or those of a DVD's titles.
func lost(path string) bool {
	parts, err := partsOf(path)
	return err != nil || slices.ContainsFunc(parts, unreadable)
}

// unreadable tells whether a file that is there cannot be read, such as one on a disk that was just pulled out: what a
// decoder says of half a file is that it is damaged. What of it is still in memory proves nothing.
func unreadable(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return true
	}
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // forget it: a hint
	for _, at := range []int64{0, st.Size() / 2, max(st.Size()-1, 0)} {
		_, err := f.ReadAt(make([]byte, 1), at)
		for _, lost := range []error{unix.EIO, unix.ENXIO, unix.ENODEV} {
			if errors.Is(err, lost) {
				return true
			}
		}
	}
	return false
}
