package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ownDir makes dir, or makes it belong to the account again, with all below it: an image may number its users anew.
// Nothing else runs as the account meanwhile, and no link is followed.
func ownDir(dir string, perm fs.FileMode, account Account) error {
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) == account.UID && int(st.Gid) == account.GID {
		if info.Mode().Perm() == perm {
			return nil
		}
		return os.Chmod(dir, perm)
	}
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, account.UID, account.GID)
	})
	if err != nil {
		return err
	}
	return os.Chmod(dir, perm)
}

// pollPriority waits for POLLPRI on fd, for at most the limit.
func pollPriority(fd int, limit time.Duration) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}
	_, _ = unix.Poll(fds, int(limit.Milliseconds())) // an interrupted wait only looks again sooner
}
